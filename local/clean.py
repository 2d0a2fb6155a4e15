"""`make clean`: remove the stack's state and the tools' caches; .venv and the Temporal CLI stay.

Standard library only.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from local.folder import Folder
from local.live import say
from local.postgres_home import place, unprivileged
from local.process import StartError

CACHES = (".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache", "dist")


def clean(environ: Mapping[str, str]) -> int:
    """Remove it all unless a stack uses it; returns the exit status."""
    home = Path(environ.get("LONGRUN_HOME", "").strip() or ".longrun")
    homes = [Folder(home / "demo"), Folder(home)]
    for folder in homes:
        if folder.home.exists():
            try:
                with folder.held():
                    _remove(place(folder.postgres, unprivileged()))
            except StartError as error:
                say(str(error))
                return 1
            _remove(folder.home)
    for name in CACHES:
        _remove(Path(name))
    return 0


def _remove(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
        say(f"Removed {path}")
