"""The Temporal dev server of the one-machine stack and of the tests."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local import ports
from local.process import Process, wait_until
from local.temporal_cli import TemporalMissingError, find_cli

__all__ = ["NAMESPACE", "TemporalMissingError", "command", "find_cli", "healthy", "serve"]

NAMESPACE = "default"
START_SECONDS = 60.0

# The dev server has one history shard, whose queues load at most 20 times a second: without the rates each hop of a
# job waits for a 50 ms tick. One partition: five pollers over four leave some starts waiting 2 s. Fairness between
# owners is off by default, and so is what lets an activity start with the answer that scheduled it.
DYNAMIC = {
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    "history.visibilityProcessorMaxPollRPS": "2000",
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "matching.enableFairness": "true",
    "system.enableActivityEagerExecution": "true",
}
# As on a real cluster timers below a second fire at a second, and what is deleted goes once a queue has noted its
# place, each half minute; tests alone may not wait for that.
TEST_DYNAMIC = {
    "history.timerProcessorMaxTimeShift": '"10ms"',
    "history.transferProcessorUpdateAckInterval": '"1s"',
    "history.visibilityProcessorUpdateAckInterval": '"1s"',
}
# A crash of the process loses nothing; a power failure may lose the last moments.
PRAGMAS = {"journal_mode": "WAL", "synchronous": "NORMAL"}


def command(
    cli: Path, *, port: int, ui_port: int | None, database: Path, test_timers: bool = False, host: str = ports.LOOPBACK
) -> list[str]:
    """The dev server's command line; `database` is its SQLite file, no `ui_port` no web page."""
    line = [str(cli), "server", "start-dev", "--ip", host, "--port", str(port), "--namespace", NAMESPACE]
    line += ["--headless"] if ui_port is None else ["--ui-ip", host, "--ui-port", str(ui_port)]
    line += ["--db-filename", str(database), "--log-level", "warn", "--log-format", "json"]
    for pragma, value in PRAGMAS.items():
        line += ["--sqlite-pragma", f"{pragma}={value}"]
    for key, value in (DYNAMIC | (TEST_DYNAMIC if test_timers else {})).items():
        line += ["--dynamic-config-value", f"{key}={value}"]
    return line


def healthy(cli: Path, address: str) -> bool:
    """Whether the server answers for its namespace."""
    ask = [str(cli), "operator", "namespace", "describe", "--namespace", NAMESPACE, "--address", address]
    try:
        done = subprocess.run(ask, capture_output=True, check=False, timeout=5)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@contextmanager
def serve(
    folder: Path, *, cli: Path | None = None, port: int | None = None, test_timers: bool = False
) -> Generator[str]:
    """Run a server for the length of the block; yields its address."""
    cli = cli or find_cli()
    port = port or ports.free()
    folder.mkdir(parents=True, exist_ok=True)
    line = command(cli, port=port, ui_port=None, database=folder / "temporal.db", test_timers=test_timers)
    process = Process("The Temporal dev server", line, log=folder / "temporal.log")
    address = f"{ports.LOOPBACK}:{port}"
    try:
        wait_until(lambda: healthy(cli, address), [process], START_SECONDS)
        yield address
    finally:
        process.stop()
