"""What a stack keeps in its folder: who is using it, the API key, stack.json and the logs."""

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.process import StartError


class Folder:
    """`home` is made if it is not there; relative paths count from the current directory."""

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().resolve()
        self.postgres = self.home / "postgres"
        self.temporal = self.home / "temporal"
        self.key_file = self.home / "api-key"
        self.stack_file = self.home / "stack.json"

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold the folder; raises StartError when another stack does."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StartError(
                    f"A stack already runs in {self.home}: stop it, or set LONGRUN_HOME to another folder."
                ) from None
            yield

    def log(self, part: str) -> Path:
        """Where a part logs."""
        return self.home / "logs" / f"{part}.log"

    def begin_logs(self) -> None:
        """Put the logs of the last run aside, so that they cannot grow for ever."""
        logs = self.home / "logs"
        logs.mkdir(exist_ok=True)
        for log in logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def api_key(self, given: tuple[str, ...]) -> str:
        """The key for people on this machine: the first that is given, else the folder's own, made once."""
        if given:
            key = given[0]
        elif self.key_file.exists() and (kept := self.key_file.read_text().strip()):
            key = kept
        else:
            key = f"sk_{secrets.token_urlsafe(24)}"
        _write_private(self.key_file, key + "\n")
        return key

    def write_stack(self, described: Mapping[str, Any]) -> None:
        _write_private(self.stack_file, json.dumps(described, indent=2) + "\n")

    def forget_stack(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.stack_file.unlink()


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
