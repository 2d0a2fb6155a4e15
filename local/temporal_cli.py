"""Find the Temporal CLI, or get it: named, on PATH, cached, downloaded by the SDK, built by Go; in that order."""

import asyncio
import fcntl
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local import live, ports

VERSION = "1.5.1"  # the newest that `go install` can build: later ones have a replace directive
MODULE = f"github.com/temporalio/cli/cmd/temporal@v{VERSION}"
DOWNLOADS = ("temporal.download", 443)
DOWNLOAD_SECONDS = 120.0
BUILD_SECONDS = 1800.0
NEXT = (
    "Do one of these and run it again: install Go (https://go.dev/dl); or install the Temporal CLI"
    " (https://docs.temporal.io/cli) so that `temporal` is on PATH; or name its file in LONGRUN_TEMPORAL_CLI;"
    " or name a running server in TEMPORAL_ADDRESS."
)


class TemporalMissingError(Exception):
    """There is no Temporal CLI and none could be had; the message says why and what to do next."""


def find_cli(environ: Mapping[str, str] = os.environ, cache: Path | None = None) -> Path:
    """The CLI's file. May take minutes the first time, and says so. Raises TemporalMissingError."""
    named = environ.get("LONGRUN_TEMPORAL_CLI", "").strip()
    if named:
        return _named(Path(named).expanduser())
    on_path = shutil.which("temporal", path=environ.get("PATH"))
    if on_path:
        return Path(on_path)
    folder = (cache or _cache(environ)) / "temporal"
    cached = _cached(folder)
    if cached:
        return cached
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        # Another checkout may have brought it while we waited.
        return _cached(folder) or _get(folder, environ)


def _named(cli: Path) -> Path:
    if not os.access(cli, os.X_OK) or cli.is_dir():
        raise TemporalMissingError(f"LONGRUN_TEMPORAL_CLI names {cli}, which is not a program. Correct it or unset it.")
    return cli.resolve()


def _cache(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("LONGRUN_CACHE", "").strip() or "~/.cache/longrun").expanduser()


def _cached(folder: Path) -> Path | None:
    built = folder / VERSION / "temporal"
    downloaded = sorted(folder.glob("sdk-*/temporal"), reverse=True)
    return next((cli for cli in (built, *downloaded) if os.access(cli, os.X_OK)), None)


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            live.wait(lambda: _locked(lock.fileno()), "Waiting for another checkout that is getting the Temporal CLI")
        yield


def _locked(file: int) -> bool | None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return True


def _get(folder: Path, environ: Mapping[str, str]) -> Path:
    reasons: list[str] = []
    for way in (_download, _build):
        try:
            return way(folder, environ)
        except TemporalMissingError as error:
            reasons.append(str(error))
    raise TemporalMissingError("There is no Temporal CLI here. " + " ".join(reasons) + "\n" + NEXT)


def _download(folder: Path, environ: Mapping[str, str]) -> Path:
    """The dev server that the SDK downloads by itself, kept."""
    if not ports.reachable(DOWNLOADS):
        raise TemporalMissingError(f"It cannot be downloaded: {DOWNLOADS[0]} cannot be reached.")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        fetch = [sys.executable, "-m", "local.temporal_cli", place]
        log, root = folder / "download.log", Path(__file__).resolve().parent.parent
        try:
            doing = "Downloading the Temporal dev server (once, about a minute)"
            live.run(fetch, doing, log, env=environ, cwd=root, timeout=DOWNLOAD_SECONDS)
        except (live.CommandError, TimeoutError) as error:
            raise TemporalMissingError(f"Its download failed (log: {log}).") from error
        brought = next((path for path in Path(place).iterdir() if os.access(path, os.X_OK)), None)
        if brought is None:
            raise TemporalMissingError(f"Its download brought no program (log: {log}).")
        return _keep(brought, folder / f"sdk-{importlib.metadata.version('temporalio')}")


def _build(folder: Path, environ: Mapping[str, str]) -> Path:
    go = shutil.which("go", path=environ.get("PATH"))
    if go is None:
        raise TemporalMissingError("It cannot be built: Go is not installed.")
    log = folder / "build.log"
    with tempfile.TemporaryDirectory(dir=folder) as place:
        install = [go, "install", "-ldflags=-s -w", MODULE]
        try:
            doing = f"Building the Temporal CLI {VERSION} with Go (once, 3 to 10 minutes)"
            live.run(install, doing, log, env={**environ, "GOBIN": place}, cwd=Path(place), timeout=BUILD_SECONDS)
        except (live.CommandError, TimeoutError) as error:
            raise TemporalMissingError(f"Its build by Go failed (log: {log}):\n{error}") from error
        return _keep(Path(place) / "temporal", folder / VERSION)


def _keep(program: Path, folder: Path) -> Path:
    try:
        subprocess.run([str(program), "--version"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise TemporalMissingError(f"What was got does not run on this machine ({error}).") from error
    folder.mkdir(parents=True, exist_ok=True)
    return program.replace(folder / "temporal")


async def _fetch(place: str) -> None:
    from temporalio.testing import WorkflowEnvironment

    async with await WorkflowEnvironment.start_local(download_dest_dir=place):
        pass


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(_fetch(sys.argv[1]))
    else:
        try:
            live.say(f"Temporal CLI: {find_cli()}")
        except TemporalMissingError as missing:
            sys.exit(str(missing))
