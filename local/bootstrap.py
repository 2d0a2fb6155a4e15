"""From a bare Python and this checkout to a command: make .venv, install what is locked, become the command.

Standard library only, and readable by a Python that is too old, which it then says or replaces by a newer one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.live import CommandError, run, say

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed"
OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")
UV = "uv==0.13.9"
RUNTIME, DEV = "requirements.lock", "requirements-dev.lock"
NEEDS_DEV = ("test", "check", "quality", "bench", "chaos", "install", "lock")

SCRIPT = """#!{python}
import sys

sys.path.insert(0, {root!r})
from cli import app

app()
"""


def main(target: str, arguments: list[str]) -> None:
    """Install what `target` needs, then become it."""
    if sys.version_info < OLDEST:
        use_newer_python()
    os.chdir(ROOT)
    if target == "clean":
        from local.clean import clean

        sys.exit(clean(os.environ))
    install(dev=target in NEEDS_DEV)
    if target == "install":
        say(f"Installed in {VENV}. The command is {VENV / 'bin' / 'longrun'}.")
        return
    command = ["cli", target, *wishes()] if target in ("up", "demo") else ["local.tasks", target, *arguments]
    os.execv(PYTHON, [str(PYTHON), "-m", *command])  # noqa: S606


def wishes() -> list[str]:
    """What `make demo COMPANY=… ROLE=… URL=…` asks for; make puts these into the environment."""
    asked = {"--company": "COMPANY", "--role": "ROLE", "--url": "URL"}
    given = {option: os.environ.get(variable, "").strip() for option, variable in asked.items()}
    return [word for option, value in given.items() if value for word in (option, value)]


def install(dev: bool) -> None:
    """Bring .venv to the locked set; a fraction of a second when it is there."""
    if installed() in wanted(dev):
        return
    # Two commands in one checkout take turns; the lock file itself is only read.
    with (ROOT / RUNTIME).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed() in wanted(dev):
            return
        # What a developer installed is not taken away by a command that needs less.
        dev = dev or installed().startswith(DEV)
        with explained():
            make_venv()
            lockfile = DEV if dev else RUNTIME
            count = sum("==" in line for line in (ROOT / lockfile).read_text().splitlines())
            sync = [str(PYTHON), "-m", "uv", "pip", "sync", "--python", str(PYTHON), "--require-hashes", lockfile]
            run(sync, f"Installing {count} packages (once, about a minute)", VENV / "install.log", cwd=ROOT)
        script = VENV / "bin" / "longrun"
        script.write_text(SCRIPT.format(python=PYTHON, root=str(ROOT)))
        script.chmod(0o755)
        STAMP.write_text(stamp(lockfile))


def make_venv() -> None:
    """Make .venv with this Python, anew if it belongs to another one, and bring its installer."""
    if not runs(PYTHON):
        if VENV.exists():
            shutil.rmtree(VENV)
        # The log cannot lie in a folder that is being made.
        run([sys.executable, "-m", "venv", str(VENV)], "Making .venv", ROOT / ".longrun" / "venv.log")
    log = VENV / "install.log"
    if not runs(PYTHON, "import pip"):
        run([str(PYTHON), "-m", "ensurepip"], "Adding pip to .venv", log)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV]
    run(pip, "Getting the installer (uv)", log)


@contextlib.contextmanager
def explained() -> Generator[None, None, None]:
    """End with the cause and the next thing to try."""
    try:
        yield
    except CommandError as error:
        say(str(error))
        if "ensurepip" in str(error):
            sys.exit("This Python cannot make virtual environments: install its venv module (Debian: python3-venv).")
        sys.exit("Installing failed. Is the package index reachable (a proxy needs HTTPS_PROXY)? Then run it again.")


def runs(python: Path, first: str = "") -> bool:
    """Whether it is there, works, and is the version that runs this; `first` is a statement that must succeed."""
    ask = [str(python), "-c", f"{first}\nimport sys; print(*sys.version_info[:2])"]
    with contextlib.suppress(OSError):
        done = subprocess.run(ask, capture_output=True, text=True, check=False)
        return done.stdout.split() == [str(part) for part in sys.version_info[:2]]
    return False


def stamp(lockfile: str) -> str:
    """What `installed` says once this lock is installed for this Python."""
    digest = hashlib.sha256((ROOT / lockfile).read_bytes()).hexdigest()
    return f"{lockfile} {digest} {sys.version_info[0]}.{sys.version_info[1]} {ROOT}"


def installed() -> str:
    """The stamp of the last complete installation."""
    return STAMP.read_text() if STAMP.exists() and PYTHON.exists() else ""


def wanted(dev: bool) -> list[str]:
    """The stamps that serve: the development set contains the runtime's."""
    return [stamp(DEV)] if dev else [stamp(RUNTIME), stamp(DEV)]


def use_newer_python() -> None:
    """Go on with a newer Python from PATH, or say what is missing."""
    for name in NEWER:
        python = shutil.which(name)
        if python:
            os.execv(python, [python, "-m", "local.bootstrap", *sys.argv[1:]])  # noqa: S606
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"Python 3.11 or later is needed, this is {version}. Name one: make PYTHON=/path/to/python3.11 …")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Say what to do: demo, up, test, check, quality, bench, chaos, install, lock or clean.")
    main(sys.argv[1], sys.argv[2:])
