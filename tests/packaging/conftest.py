import fcntl
import importlib.util
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.files import build_commands, context

UV = f"{shlex.quote(sys.executable)} -m uv" if importlib.util.find_spec("uv") else "uv"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the final image holds under /opt/longrun, made by the Dockerfile's own commands in folders of ours: once,
    by whichever of the processes that test side by side needs it first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "image"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            _make(folder)
            (folder / "made").touch()
    return folder / "longrun"


def _make(folder: Path) -> None:
    source = context(folder / "src")
    for command in build_commands():
        here = command.replace("/opt/longrun", str(folder / "longrun")).replace("/dist", str(folder / "dist"))
        line = here.replace("uv ", f"{UV} ", 1)
        # Hard links from the cache: the copies that the image needs cost seconds here.
        env = os.environ | {"UV_LINK_MODE": "hardlink", "UV_PYTHON": sys.executable}
        done = subprocess.run(line, shell=True, cwd=source, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{here}\n{done.stderr}"
