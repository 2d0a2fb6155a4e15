"""Children log, are stopped in good order or by force, end with their parent, and are started again when they die."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.part import KeepsDyingError, Part, Tail
from local.process import Process, StartError, ending, wait_until

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def python(code: str, log: Path) -> Process:
    return Process("The test", [sys.executable, "-c", code], log=log)


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "part.log"


def test_it_logs_and_leads_a_session_of_its_own(log: Path) -> None:
    process = python("import os; print(os.getpid(), os.getsid(0), os.getpriority(os.PRIO_PROCESS, 0))", log)
    until(lambda: not process.running)
    assert log.read_text().split() == [str(process.pid), str(process.pid), str(os.nice(0))]
    assert process.exit_code == 0


def test_it_may_run_at_a_lower_priority(log: Path) -> None:
    show = [sys.executable, "-c", "import os; print(os.nice(0))"]
    process = Process("The test", show, log=log, niceness=5)
    until(lambda: not process.running)
    assert log.read_text().strip() == str(os.nice(0) + 5)


def test_stop_waits_for_a_good_end_and_kills_after_the_grace(log: Path) -> None:
    process = python(STUBBORN, log)
    until(lambda: log.read_text() == "up\n")
    process.stop(grace=0.2)
    assert process.exit_code == -signal.SIGKILL
    assert ending(process) == "was killed by SIGKILL"


def test_one_that_dies_while_starting_shows_its_log(log: Path) -> None:
    process = python("import sys; sys.exit('the disk is full')", log)
    with pytest.raises(StartError, match=r"(?s)The test ended with status 1.*the disk is full"):
        wait_until(lambda: False, [process], 60)


def test_one_that_does_not_answer_in_time_is_named(log: Path) -> None:
    process = python(STUBBORN, log)
    with pytest.raises(StartError, match="The test did not answer within 0 s"):
        wait_until(lambda: False, [process], 0.2)
    process.kill()
    until(lambda: not process.running)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_it_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import time; from pathlib import Path; from local.process import Process
child = Process("The test", ["sleep", "60"], log=Path({str(tmp_path / "log")!r}))
print(child.pid, flush=True); time.sleep(60)
"""
    root = Path(__file__).parents[2]
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    until(lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n")
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: ended(child))


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sleeper(log: Path) -> Iterator[tuple[Part, Clock]]:
    clock = Clock()
    part = Part(lambda: Process("The sleeper", ["sleep", "60"], log=log), clock)
    yield part, clock
    part.process.kill()
    until(lambda: not part.process.running)


def die(part: Part) -> None:
    os.kill(part.process.pid, signal.SIGKILL)
    until(lambda: not part.process.running)


def test_a_part_is_started_again_after_1_2_4_8_and_16_seconds_and_not_a_sixth_time(
    sleeper: tuple[Part, Clock], capsys: pytest.CaptureFixture[str]
) -> None:
    part, clock = sleeper
    for pause in (1, 2, 4, 8, 16):
        before = part.process.pid
        die(part)
        assert not part.tend()
        assert capsys.readouterr().out == f"The sleeper was killed by SIGKILL: starting it again in {pause} s\n"
        clock.now += pause - 0.1
        assert not part.tend()
        clock.now += 0.2
        assert part.tend()
        assert part.process.running
        assert part.process.pid != before
    die(part)
    with pytest.raises(KeepsDyingError, match="The sleeper was killed by SIGKILL, for the 6th time within a minute"):
        part.tend()


def test_deaths_far_apart_are_forgiven(sleeper: tuple[Part, Clock], capsys: pytest.CaptureFixture[str]) -> None:
    part, clock = sleeper
    for _ in range(7):
        die(part)
        part.tend()
        assert "again in 1 s" in capsys.readouterr().out
        clock.now += 61
        assert part.tend()


def test_a_log_is_followed_line_by_line(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.parent.mkdir()
    log.write_text("before\n")
    tail = Tail("api", log)
    for text in ("one\ntw", "o\nthree"):
        with log.open("a") as more:
            more.write(text)
        tail.follow()
    assert capsys.readouterr().out == "api    | one\napi    | two\n"
