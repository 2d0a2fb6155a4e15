"""What the Makefile's targets do once everything is installed."""

import os
import subprocess
import sys

from local.live import say
from local.temporal_cli import TemporalMissingError, find_cli

CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("pyright",),
)
# Most tests of whole stacks wait for something. Files begin in the order of tests/conftest.py: that of the number of
# their tests would begin with the shortest, and start anew what neighbours share.
WHOLE = ("--numprocesses", "3", "--dist", "loadfile", "--no-loadscope-reorder")
# Its command line has no module of its own.
CONTRACTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
# Universal, with hashes and without index addresses: the same files serve every machine and mirror.
COMPILE = "uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header"
QUALITY = ("bench.quality", "bench.tools", "bench.quality_interviews", "bench.speech")
LOCKS = (
    ("-o", "requirements.lock"),
    ("--all-extras", "-o", "requirements-offline.lock"),
    ("--all-extras", "--group", "dev", "-o", "requirements-dev.lock"),
)


def test(arguments: list[str]) -> int:
    """The whole suite, three files at a time on servers of their own; or what the arguments of pytest say."""
    try:
        # Before pytest, which would hide that it is being built.
        os.environ["LONGRUN_TEMPORAL_CLI"] = str(find_cli())
    except TemporalMissingError as error:
        say(str(error))
        return 1
    # What one process of so many has compiled, all use.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return _python("-m", "pytest", *(arguments or WHOLE))


def check(_: list[str]) -> int:
    """Lint, format, types and import contracts; all are run, whatever fails."""
    failed = [_python("-m", *command) for command in CHECKS]
    failed.append(_python("-c", CONTRACTS))
    return max(failed)


def quality(arguments: list[str]) -> int:
    """How good briefings are, how often models call the right tools, how interviews are judged and recordings heard."""
    return max(_python("-m", part, *arguments) for part in QUALITY)


def bench(arguments: list[str]) -> int:
    """How fast it is on this machine."""
    return _python("-m", "bench", *arguments)


def chaos(arguments: list[str]) -> int:
    """Whether ledger and engine agree whatever happens: random sequences on real processes."""
    return _python("-m", "tests.chaos", *arguments)


def lock(_: list[str]) -> int:
    """Write the lock files anew from pyproject.toml."""
    return max(_python("-m", *COMPILE.split(), "--no-emit-index-url", "pyproject.toml", *target) for target in LOCKS)


def _python(*command: str) -> int:
    return subprocess.run([sys.executable, *command], check=False).returncode


TASKS = {"test": test, "check": check, "quality": quality, "bench": bench, "chaos": chaos, "lock": lock}

if __name__ == "__main__":
    sys.exit(TASKS[sys.argv[1]](sys.argv[2:]))
