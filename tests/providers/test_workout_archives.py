"""Exports of whole histories, and archives that mean harm."""

import gzip
import hashlib
import io
import zipfile
from collections.abc import Collection
from pathlib import Path

import pytest

from domain.workout import Workout, WorkoutKnown, WorkoutRefused
from providers.workout_files import archive, count, members
from tests.support.recordings import content

RUN, RIDE = content("garmin-fenix-5"), content("sweatpy-5039744860.gpx")


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, file in files.items():
            packed.writestr(name, file)
    return out.getvalue()


def outcomes(path: Path, start: int = 0, known: Collection[str] = ()) -> list[tuple[str, str]]:
    """Each member's name, and its sport or the code with which it was refused."""
    return [
        (one.name, one.outcome.sport if isinstance(one.outcome, Workout) else one.outcome.code)
        for one in members(path, start, known)
    ]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """What a service gives away: folders, gzipped files, what is no workout, archives inside, a system's leftovers."""
    inner = zipped({"one.fit": RUN, "broken.fit": RUN[:900]})
    path = tmp_path / "export.bin"
    path.write_bytes(
        zipped(
            {
                "activities/1.fit.gz": gzip.compress(RUN),
                "activities/": b"",
                "activities/2.gpx.gz": RIDE,
                "profile.csv": b"name,weight\n",
                "__MACOSX/._1.fit": b"x",
                ".DS_Store": b"x",
                "parts/part1.ZIP": inner,
                "cut.gpx": gzip.decompress(RIDE)[:5_000],
            }
        )
    )
    return path


EXPECTED = [
    ("activities/1.fit.gz", "run"),
    ("activities/2.gpx.gz", "ride"),
    ("profile.csv", "unknown_format"),
    ("parts/part1.ZIP/one.fit", "run"),
    ("parts/part1.ZIP/broken.fit", "truncated_file"),
    ("cut.gpx", "truncated_file"),
]


def test_an_export_is_read_member_by_member_each_failing_alone(export: Path) -> None:
    assert outcomes(export) == EXPECTED
    told = list(members(export))
    assert [one.number for one in told] == [1, 2, 3, 4, 5, 6]
    assert told[-1].total == count(export) == 6


@pytest.mark.parametrize("start", [1, 3, 4, 6])
def test_reading_goes_on_after_any_member(export: Path, start: int) -> None:
    assert outcomes(export, start) == EXPECTED[start:]


def test_what_is_known_by_its_content_is_not_read(export: Path) -> None:
    cut = gzip.decompress(RIDE)[:5_000]
    known = {hashlib.sha256(content).hexdigest() for content in (RUN, cut)}
    # However it was packed, and whatever reading it would have come to.
    told = dict(outcomes(export, known=known))
    assert {name for name, what in told.items() if what == "known"} == {
        "activities/1.fit.gz",
        "parts/part1.ZIP/one.fit",
        "cut.gpx",
    }
    assert told == {name: told[name] if told[name] == "known" else what for name, what in EXPECTED}
    found = {one.outcome.content_hash for one in members(export, 0, known) if isinstance(one.outcome, WorkoutKnown)}
    assert found == known


def test_a_single_file_is_a_history_of_one(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(gzip.compress(RUN))
    assert outcomes(path) == [("", "run")]
    assert outcomes(path, 1) == []
    assert count(path) == 1


def test_an_archive_that_is_cut_is_refused(export: Path) -> None:
    export.write_bytes(export.read_bytes()[:-200])
    assert outcomes(export) == [("", "truncated_file")]


def test_a_member_whose_bytes_are_damaged_fails_alone(export: Path) -> None:
    file = bytearray(export.read_bytes())
    # Inside the data of the first member.
    file[120:140] = bytes(20)
    export.write_bytes(bytes(file))
    told = outcomes(export)
    assert told[0] == ("activities/1.fit.gz", "broken_file")
    assert told[1:] == EXPECTED[1:]


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "locked.zip"
    file = bytearray(zipped({"1.fit": RUN}))
    # The flag of encryption, in the member's own head and in the table of contents.
    file[6] |= 1
    file[file.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(file))
    assert outcomes(path) == [("1.fit", "encrypted_archive")]


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(zipped({"big.gpx": b"<gpx>" + b" " * (20 << 20), "1.fit": RUN}))
    assert path.stat().st_size < 50_000
    assert outcomes(path) == [("big.gpx", "unsafe_archive"), ("1.fit", "run")]


def test_archives_are_followed_one_level_down_and_no_further(tmp_path: Path) -> None:
    path = tmp_path / "deep.zip"
    path.write_bytes(zipped({"a.zip": zipped({"b.zip": zipped({"1.fit": RUN}), "2.fit": RUN})}))
    assert outcomes(path) == [("a.zip/b.zip", "unsafe_archive"), ("a.zip/2.fit", "run")]


def test_an_inner_archive_that_is_none_is_refused_alone(tmp_path: Path) -> None:
    path = tmp_path / "outer.zip"
    path.write_bytes(zipped({"a.zip": b"not a zip", "1.fit": RUN}))
    assert outcomes(path) == [("a.zip", "broken_file"), ("1.fit", "run")]
    assert count(path) == 2


def test_too_many_members_are_refused_as_a_whole(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_MEMBERS", 3)
    with pytest.raises(WorkoutRefused) as caught:
        outcomes(export)
    assert caught.value.code == "unsafe_archive"


def test_a_table_of_contents_is_measured_before_it_is_read(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_DIRECTORY_BYTES", 100)
    with pytest.raises(WorkoutRefused) as caught:
        count(export)
    assert caught.value.code == "unsafe_archive"


def test_all_members_together_have_a_limit(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_UNPACKED", len(gzip.compress(RUN)) + 10)
    told = outcomes(export)
    assert told[0] == ("activities/1.fit.gz", "run")
    assert {outcome for _, outcome in told[1:]} == {"unsafe_archive"}
