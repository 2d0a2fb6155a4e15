"""Workout files as devices write them, and as accidents and strangers leave them."""

import gzip
import hashlib
import json
import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from fitdecode.utils import compute_crc
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import samples
from domain.workout import CHANNELS, WorkoutRefused
from providers.workout_files import fit, read_workout
from tests.support.recordings import content, recorded

GPX = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1" xmlns:x="http://www.garmin.com/xmlschemas/TrackPointExtension/v1">
<trk><name>Morning</name>{type}{segments}</trk></gpx>"""


def point(second: int, *, lat: float = 48.0, extra: str = "") -> str:
    at = datetime(2024, 3, 1, 6, tzinfo=UTC) + timedelta(seconds=second)
    return f'<trkpt lat="{lat}" lon="11"><time>{at.isoformat()}</time>{extra}</trkpt>'


def gpx(*segments: str, type: str = "<type>running</type>") -> bytes:  # noqa: A002
    return GPX.format(type=type, segments="".join(f"<trkseg>{one}</trkseg>" for one in segments)).encode()


def sealed(fit: bytes) -> bytes:
    """The FIT file with the checksum that its content now has."""
    return fit[:-2] + compute_crc(fit[:-2]).to_bytes(2, "little")


def refused(file: bytes) -> WorkoutRefused:
    with pytest.raises(WorkoutRefused) as caught:
        read_workout(file)
    assert caught.value.status == 422
    return caught.value


@pytest.mark.parametrize(
    ("start", "sport", "began", "samples", "channels"),
    [
        ("activity-small", "run", datetime(2015, 8, 15, 14, 45, 8, tzinfo=UTC), 2809, set(CHANNELS)),
        ("runpandas-run", "run", datetime(2019, 9, 14, 15, 22, 5, tzinfo=UTC), 1202, set(CHANNELS)),
        ("runpandas-11km", "run", datetime(2021, 3, 21, 9, 11, 19, tzinfo=UTC), 1599, set(CHANNELS)),
        (
            "be72d594",
            "run",
            datetime(2020, 7, 5, 9, 41, 59, 999_000, tzinfo=UTC),
            272,
            {"latitude_deg", "longitude_deg", "heart_rate_bpm", "altitude_m"},
        ),
        (
            "sample-activity-indoor",
            "ride",
            datetime(2011, 11, 2, 12, 54, 19, tzinfo=UTC),
            2263,
            {"altitude_m", "heart_rate_bpm"},
        ),
    ],
)
def test_real_files_are_read_whole(start: str, sport: str, began: datetime, samples: int, channels: set[str]) -> None:
    workout = recorded(start)
    assert (workout.sport, workout.started_at, len(workout.streams)) == (sport, began, samples)
    assert {name for name in CHANNELS if workout.streams.channel(name)} == channels


def test_heart_rate_that_was_not_recorded_is_absent() -> None:
    assert not recorded("3472f2dc").streams.heart_rate_bpm
    told = [value for value in recorded("68d141b2").streams.heart_rate_bpm if not math.isnan(value)]
    assert len(told) == 510


def test_the_session_laps_and_profile_of_the_device_are_kept() -> None:
    workout = recorded("garmin-fenix-5")
    assert workout.session.distance_m == 157.56
    assert workout.session.average_heart_rate_bpm == 90
    assert workout.session.profile_max_heart_rate_bpm == 183
    assert workout.session.profile_resting_heart_rate_bpm == 47
    laps = recorded("runpandas-11km").laps
    assert len(laps) == 12
    assert laps[0].distance_m == pytest.approx(1000.1, abs=0.1)
    assert laps[0].average_heart_rate_bpm == 125


def test_cadence_counts_both_feet_and_is_none_on_a_bicycle() -> None:
    running = [value for value in recorded("activity-small").streams.cadence_spm if value > 0]
    assert 150 < sum(running) / len(running) < 175
    cadence = "<extensions><x:TrackPointExtension><x:cad>{}</x:cad></x:TrackPointExtension></extensions>"
    one_foot = read_workout(gpx("".join(point(i, extra=cadence.format(86)) for i in range(5))))
    both_feet = read_workout(gpx("".join(point(i, extra=cadence.format(172)) for i in range(5))))
    assert list(one_foot.streams.cadence_spm) == list(both_feet.streams.cadence_spm) == [172] * 5
    assert not recorded("sweatpy-5039744860.gpx").streams.cadence_spm


def test_a_file_is_known_by_its_content_and_its_hash_is_that_of_the_content() -> None:
    plain = content("garmin-fenix-5")
    packed = read_workout(gzip.compress(plain), "picture.png")
    assert packed.content_hash == read_workout(plain).content_hash == hashlib.sha256(plain).hexdigest()
    assert packed.source == "fit"


def test_one_workout_in_two_formats_has_one_start_and_two_hashes() -> None:
    one, other = recorded("sweatpy-5039744860.gpx"), recorded("sweatpy-5039744860.tcx")
    assert one.start_key == other.start_key
    assert one.content_hash != other.content_hash
    assert list(one.streams.heart_rate_bpm) == list(other.streams.heart_rate_bpm)


def test_segments_of_a_track_are_parted_by_pauses() -> None:
    workout = read_workout(gpx(point(0) + point(10), point(100) + point(110)))
    assert [(pause.start_seconds, pause.end_seconds) for pause in workout.pauses] == [(10, 100)]


@pytest.mark.parametrize(
    ("said", "sport"),
    [
        ("<type>running</type>", "run"),
        ("<type>9</type>", "run"),
        ("<type>trail_running</type>", "run"),
        ("", "run"),
        ("<type>cycling</type>", "ride"),
        ("<type>Hike</type>", "hike"),
        ("<type>yoga</type>", "other"),
    ],
)
def test_what_the_file_calls_it_is_its_sport(said: str, sport: str) -> None:
    assert read_workout(gpx(point(0) + point(1), type=said)).sport == sport


def test_gpx_in_another_encoding_and_with_a_mark_is_read() -> None:
    text = gpx(point(0) + point(1)).decode().replace("Morning", "Frühling")
    for file in (b"\xef\xbb\xbf" + text.encode(), text.replace("UTF-8", "UTF-16").encode("utf-16")):
        assert read_workout(file).name == "Frühling"


def test_rows_of_one_moment_are_merged_and_a_step_back_is_left_out() -> None:
    rows = [point(i) for i in range(40)]
    workout = read_workout(gpx("".join([*rows, point(39, extra="<ele>7</ele>"), point(5), point(40)])))
    assert list(workout.streams.seconds) == list(range(41))
    assert workout.streams.altitude_m[39] == 7


TCX_PLAN = b"<TrainingCenterDatabase><Courses><Course><Name>x</Name></Course></Courses></TrainingCenterDatabase>"
ONE = b'<Activity Sport="Running"/>'
TWO = b"<TrainingCenterDatabase><Activities>" + 2 * ONE + b"</Activities></TrainingCenterDatabase>"
# Doubled thirty times this is a thousand million of them; the first declaration is enough to refuse it.
BOMB = b'<!DOCTYPE gpx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><gpx><trk><name>&b;</name></trk></gpx>'
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>'
ENTITY = b'<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY x SYSTEM "file:///etc/passwd">]><gpx><trk><name>&x;</name></trk></gpx>'


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (b"", "empty_file"),
        (b"\0" * 400, "empty_file"),
        (b"time,heart rate\n0,120\n", "unknown_format"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 90, "unknown_format"),
        (b"<html><body>Not found</body></html>", "unknown_format"),
        (content("runpandas-run")[:30_000], "truncated_file"),
        (content("invalid-activity-filecrc"), "checksum_mismatch"),
        (content("garmin-fenix-5")[:-40] + b"x" + content("garmin-fenix-5")[-39:], "checksum_mismatch"),
        (gzip.compress(content("garmin-fenix-5"))[:-300], "truncated_file"),
        (b"\x1f\x8b\x08\x00" + b"x" * 60, "broken_file"),
        (gzip.compress(gzip.compress(b"x")), "unsafe_archive"),
        (gzip.compress(b"\0" * (51 << 20), 1), "too_large"),
        (gpx(point(0) + point(1))[:-60], "truncated_file"),
        (gpx(point(0) + "\n</wrong>\n" + point(1)), "broken_file"),
        (gpx('<trkpt lat="48" lon="11"/>'), "not_an_activity"),
        (gpx(""), "no_samples"),
        (gpx('<trkpt lat="48" lon="11"><time>1970-01-01T00:00:05Z</time></trkpt>'), "bad_clock"),
        (gpx(point(0) + point(60 * 86_400)), "bad_clock"),
        (gpx("".join(point(i % 10) for i in range(100))), "bad_clock"),
        (gpx("<a>" * 70 + "</a>" * 70), "unsafe_xml"),
        (gpx(f"<desc>{'x' * 70_000}</desc>"), "unsafe_xml"),
        (BOMB, "unsafe_xml"),
        (OUTSIDE, "unsafe_xml"),
        (ENTITY, "unsafe_xml"),
        (TCX_PLAN, "not_an_activity"),
        (TWO, "not_an_activity"),
        (b'{"private": "words"}', "unknown_format"),
        (b'{"startedAt": "2024-01-01T00:00:00Z", "streams": {"time": [0, 1], "distance": [0]}}', "invalid_streams"),
        (b'{"startedAt": "2024-01-01T00:00:00Z", "streams": {"time": [5, 1]}}', "invalid_streams"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_workout_is_refused_with_its_reason(file: bytes, code: str) -> None:
    error = refused(file)
    assert error.code == code
    assert error.message
    assert "private" not in error.message or "words" not in error.message


def test_a_settings_file_of_a_watch_is_no_activity() -> None:
    # A definition of file_id with its field `type` alone, and that message: settings (2).
    body = b"\x40\0\0\0\0\x01\0\x01\0" + b"\0\x02"
    header = b"\x0e\x10\x54\x08" + len(body).to_bytes(4, "little") + b".FIT\0\0"
    error = refused(sealed(header + body + b"\0\0"))
    assert error.code == "not_an_activity"
    assert "settings" in error.message


def test_a_file_of_endless_messages_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "MOST_MESSAGES", 20)
    assert refused(content("garmin-fenix-5")).code == "too_large"


def test_a_recording_of_weeks_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "MOST_SAMPLES", 100)
    assert refused(content("be72d594")).code == "too_large"


@settings(max_examples=25, deadline=None)
@given(place=st.integers(14, 3_000), value=st.integers(0, 255))
def test_a_damaged_fit_file_is_read_or_refused_and_nothing_else(place: int, value: int) -> None:
    fit = bytearray(content("garmin-fenix-5"))
    fit[place] = value
    with suppress(WorkoutRefused):
        assert len(read_workout(sealed(bytes(fit))).streams) > 0


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\x1f\x8b\x08", b"<gpx>", b"{", b"\x0e\x10\x00\x00\0\0\0\0.FIT"])
)
def test_noise_is_refused(noise: bytes, start: bytes) -> None:
    refused(start + noise)


def test_json_is_a_format_like_the_others() -> None:
    told = {
        "name": "Track",
        "startedAt": "2024-01-01T08:00:00+01:00",
        "streams": {"time": [0, 1, 2], "distance": [0, 3, 6], "heartRate": [120, None, 122]},
        "laps": [{"startSeconds": 0, "distanceMeters": 6}],
    }
    workout = read_workout(json.dumps(told).encode(), "file.json")
    assert (workout.source, workout.name, workout.started_at) == ("json", "Track", datetime(2024, 1, 1, 7, tzinfo=UTC))
    assert list(workout.streams.distance_m) == [0, 3, 6]
    assert math.isnan(workout.streams.heart_rate_bpm[1])
