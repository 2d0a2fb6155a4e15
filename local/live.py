"""Say what is done and that it is alive. Standard library only: the bootstrap runs before anything is installed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

QUIET_SECONDS = 20.0  # between two signs of life where no terminal can be redrawn


class CommandError(Exception):
    """A long command ended badly; `status` is its exit status, the message the last lines it wrote."""

    def __init__(self, status: int, output: str) -> None:
        super().__init__(output)
        self.status = status


def say(text: str) -> None:
    """One line for the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, or nothing where there is none."""
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    return ""


class Alive:
    """A line with the time gone by: redrawn each second on a terminal, repeated now and then elsewhere."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self.started = time.monotonic()
        self.drawn = self.started
        self.terminal = sys.stdout.isatty()
        if not self.terminal:
            say(f"{doing} …")

    def tick(self) -> None:
        now = time.monotonic()
        if now - self.drawn < (1.0 if self.terminal else QUIET_SECONDS):
            return
        self.drawn = now
        minutes, seconds = divmod(int(now - self.started), 60)
        if self.terminal:
            sys.stdout.write(f"\r{self.doing} … {minutes}:{seconds:02d} ")
            sys.stdout.flush()
        else:
            say(f"{self.doing} … {minutes}:{seconds:02d}")

    def done(self) -> None:
        if self.terminal:
            sys.stdout.write("\r\033[K")
        say(f"{self.doing}: done in {time.monotonic() - self.started:.0f} s")

    def failed(self) -> None:
        if self.terminal:
            sys.stdout.write("\n")


def run(
    command: Sequence[str],
    doing: str,
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float | None = None,
) -> None:
    """Run a long command with its output in `log`; raise CommandError with the log's end when it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, cwd=cwd)
        try:
            wait(process.poll, doing, timeout)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode:
        raise CommandError(process.returncode, tail(log))


def wait(ended: Callable[[], object | None], doing: str, timeout: float | None = None) -> None:
    """Show that we are alive until `ended` answers something; raise TimeoutError after `timeout` seconds."""
    line = Alive(doing)
    while ended() is None:
        if timeout is not None and time.monotonic() - line.started > timeout:
            line.failed()
            raise TimeoutError(f"{doing}: no end after {timeout:.0f} s")
        time.sleep(0.05)
        line.tick()
    line.done()
