"""Files that something works on are gone with it, however it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from activities.scratch import scratch

WORKS = """
import sys, time
from activities.scratch import scratch

with scratch() as folder:
    (folder / "recording").write_bytes(b"said by somebody")
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def test_a_folder_goes_with_its_block(place: Path) -> None:
    with scratch() as first, scratch() as second:
        (first / "recording").write_bytes(b"x")
        assert first != second
        assert {first, second} == set(place.iterdir())
    assert not list(place.iterdir())
    with pytest.raises(ZeroDivisionError), scratch():
        _ = 1 / 0
    assert not list(place.iterdir())


def test_what_a_killed_process_left_goes_with_the_next_one_and_what_is_worked_on_stays() -> None:
    works = [subprocess.Popen([sys.executable, "-c", WORKS], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        killed, alive = (Path(one.stdout.readline().strip()) for one in works if one.stdout)
        works[0].kill()
        works[0].wait()
        assert (killed / "recording").exists()
        with scratch():
            assert not killed.exists()
            assert (alive / "recording").exists()
    finally:
        for one in works:
            one.kill()
            one.wait()
            if one.stdout:
                one.stdout.close()
