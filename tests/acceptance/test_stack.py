"""`longrun up`, as a person runs it: it comes up, keeps its parts alive, and takes all of them with it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import ports
from local.clean import clean

ROOT = Path(__file__).parents[2]
SECONDS = 100.0


def until(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Up:
    """One `longrun up` in a folder of its own, on free ports."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.home = home
        self.said = home.with_suffix(".said")
        self.port = ports.free()
        numbers = {"LONGRUN_PORT": self.port, "LONGRUN_UI_PORT": ports.free(), "LONGRUN_TEMPORAL_PORT": ports.free()}
        own = {"LONGRUN_HOME": str(home)} | {name: str(port) for name, port in numbers.items()}
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli", "up"],
                cwd=ROOT,
                env={**os.environ, **own, **environ},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def described(self) -> dict[str, Any]:
        return json.loads((self.home / "stack.json").read_text())

    def wait(self) -> dict[str, Any]:
        until(lambda: (self.home / "stack.json").exists() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said.read_text()
        return self.described()

    def ready(self) -> bool:
        try:
            said = httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).json()
        except httpx.TransportError:
            return False
        return (said["ledger"], said["engine"]) == ("up", "up") and said["workers"] >= 1

    def ups(self) -> int:
        """How often its worker has come up."""
        return Path(self.described()["logs"]["worker"]).read_bytes().count(b"worker is up")

    def end(self) -> int:
        """SIGTERM to the process group, as a service manager or a terminal would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        return self.process.wait(SECONDS)


@contextmanager
def running(home: Path, **environ: str) -> Generator[Up]:
    up = Up(home, **environ)
    try:
        yield up
    finally:
        up.end()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    home = tmp_path_factory.mktemp("stack") / "home"
    yield home
    clean({"LONGRUN_HOME": str(home)})


@pytest.fixture(scope="module")
def stack(home: Path) -> Generator[Up]:
    with running(home) as up:
        yield up


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_once_it_is_up_everything_answers_and_is_described(stack: Up) -> None:
    described = stack.wait()
    until(stack.ready)
    assert described["apiUrl"] == f"http://127.0.0.1:{stack.port}"
    assert set(described["pids"]) == set(described["logs"]) == {"api", "worker", "temporal", "postgres"}
    assert all(alive(pid) for pid in described["pids"].values())
    assert all(Path(log).is_file() for log in described["logs"].values())
    assert Path(described["temporalCli"]).is_file()
    assert described["namespace"] == "default"
    assert httpx.get(described["uiUrl"], follow_redirects=True, timeout=20).status_code == 200
    key = (stack.home / "api-key").read_text().strip()
    assert stack.said.read_text().count(key) == 1
    jobs = f"{described['apiUrl']}/api/jobs"
    assert httpx.get(jobs, timeout=20).status_code == 401
    assert httpx.get(jobs, headers={"Authorization": f"Bearer {key}"}, timeout=20).status_code == 200


@pytest.mark.parametrize("part", ["worker", "api", "temporal", "postgres"])
def test_a_part_that_is_killed_comes_back(stack: Up, part: str) -> None:
    before, ups = stack.wait()["pids"], stack.ups()
    os.kill(before[part], signal.SIGKILL)
    until(lambda: stack.described()["pids"][part] != before[part])
    until(stack.ready)
    # a worker that is killed is counted for a moment longer
    until(lambda: part != "worker" or stack.ups() > ups)
    after = stack.described()["pids"]
    assert {name for name in after if after[name] != before[name]} == {part}
    assert "was killed by SIGKILL: starting it again in 1 s" in stack.said.read_text()


def test_one_folder_holds_one_stack(stack: Up) -> None:
    stack.wait()
    second = Up(stack.home)
    assert second.process.wait(SECONDS) == 1
    assert "LONGRUN_HOME" in second.said.read_text()
    until(stack.ready)


def test_some_parts_alone_use_servers_that_run_elsewhere_and_leave_them_alone(stack: Up, tmp_path: Path) -> None:
    described = stack.wait()
    elsewhere = {"DATABASE_URL": described["databaseUrl"], "TEMPORAL_ADDRESS": described["temporalAddress"]}
    with running(tmp_path / "home", LONGRUN_STACK="api,worker", **elsewhere) as second:
        assert set(second.wait()["pids"]) == {"api", "worker"}
        until(second.ready)
        assert second.end() == 0
    until(stack.ready)
    assert stack.described()["pids"] == described["pids"]


def test_sigterm_ends_all_that_it_started(stack: Up) -> None:
    pids = stack.wait()["pids"].values()
    assert stack.end() == 0
    assert [pid for pid in pids if alive(pid)] == []
    assert not (stack.home / "stack.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_even_killed_it_takes_its_parts_with_it_and_what_it_kept_is_there_again(home: Path) -> None:
    with running(home) as up:
        pids = up.wait()["pids"].values()
        key = (home / "api-key").read_text()
        up.process.kill()
        until(lambda: not any(map(alive, pids)))
    (home / "stack.json").unlink()
    with running(home) as up:
        up.wait()
        until(up.ready)
        assert (home / "api-key").read_text() == key


def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    with running(tmp_path / "home", LONGRUN_STACK="api,redis") as up:
        assert up.process.wait(SECONDS) == 1
        assert "LONGRUN_STACK names redis" in up.said.read_text()
