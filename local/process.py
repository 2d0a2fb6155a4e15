"""A child process in a session of its own, logging to a file, that ends with us."""

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.live import tail

TETHER = Path(__file__).with_name("tether.py")


class StartError(Exception):
    """Something did not come up; the message names the cause and the next thing to try."""


class Process:
    """Start `command` with its output appended to `log`.

    It gets its own session, so a Ctrl-C meant for us does not reach it and we end it in our own order. On Linux it
    receives `stop_signal` when the thread that started it is gone: start it from one that lives as long as it should.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: pwd.struct_passwd | None = None,
        niceness: int = 0,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        log.parent.mkdir(parents=True, exist_ok=True)
        owner = f"{user.pw_uid}:{user.pw_gid}" if user else "-"
        tether = [
            sys.executable,
            "-I",
            "-S",
            str(TETHER),
            str(os.getpid()),
            str(int(stop_signal)),
            str(niceness),
            owner,
        ]
        with log.open("ab") as sink:
            self._child = subprocess.Popen(
                [*tether, *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._child.poll()

    @property
    def running(self) -> bool:
        return self.exit_code is None

    def ask_to_stop(self) -> None:
        if self.running:
            self._child.send_signal(self.stop_signal)

    def stop(self, grace: float = 10.0) -> None:
        """Ask it to end, wait `grace` seconds, then kill it."""
        self.ask_to_stop()
        try:
            self._child.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            self._child.wait()

    def kill(self) -> None:
        """SIGKILL for it and what it started; does not wait, so a signal handler may call it."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def wait_until(ready: Callable[[], bool], processes: Sequence[Process], seconds: float, every: float = 0.03) -> None:
    """Poll until `ready`; raise StartError with the end of the log when a process dies first or the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        for process in processes:
            if not process.running:
                raise StartError(f"{process.name} {ending(process)} while starting:\n{_evidence(process)}")
        if time.monotonic() > deadline:
            names = " and ".join(process.name for process in processes)
            evidence = "\n".join(map(_evidence, processes))
            raise StartError(f"{names} did not answer within {seconds:.0f} s:\n{evidence}")
        time.sleep(every)


def ending(process: Process) -> str:
    """How it ended, in words."""
    code = process.exit_code or 0
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


def _evidence(process: Process) -> str:
    return f"{tail(process.log)}\n(the whole log: {process.log})"
