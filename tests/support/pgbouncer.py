"""A real pgbouncer in transaction mode: the installed one, or the distribution's package unpacked once, root or not."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from local import ports
from local.postgres_home import own, place, run_as, unprivileged
from local.process import Process, wait_until

SERVER_CONNECTIONS = 4
START_SECONDS = 20.0
APT_SECONDS = 120.0
LIBRARIES = re.compile(r"lib(?:event|c-?ares)[\w.+-]*")
CONFIG = """[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 300
"""


class NoPoolerError(Exception):
    """There is no pgbouncer here and none could be had; the message says why."""


@contextmanager
def transaction_pooler(folder: Path, server_url: str) -> Generator[str]:
    """A pooler before that server for as long as the block; yields the URL by way of it. Raises NoPoolerError."""
    user, server = unprivileged(), urlsplit(server_url)
    home = place(folder.resolve(), user)
    own(home, user)
    try:
        program = home / "program"
        shutil.copytree(_found(), program)
        program.chmod(0o755)
        listen, users, config = ports.free(), home / "users.txt", home / "pgbouncer.ini"
        users.write_text(f'"{server.username}" "{server.password}"\n')
        config.write_text(
            CONFIG.format(host=server.hostname, port=server.port, listen=listen, users=users, size=SERVER_CONNECTIONS)
        )
        for path in (users, config):
            path.chmod(0o600)
            own(path, user)
        process = Process(
            "pgbouncer",
            [str(program / "pgbouncer"), str(config)],
            log=folder / "pgbouncer.log",
            env={"LD_LIBRARY_PATH": str(program)},
            cwd=Path("/"),
            user=user,
        )
        try:
            wait_until(lambda: ports.taken(listen), [process], START_SECONDS)
            yield urlunsplit(server._replace(netloc=f"{server.username}:{server.password}@{ports.LOOPBACK}:{listen}"))
        finally:
            process.stop()
    finally:
        if home != folder.resolve():
            shutil.rmtree(home, ignore_errors=True)


def _found() -> Path:
    """A folder with the program and the libraries that it brings."""
    cache = Path(os.environ.get("LONGRUN_CACHE", "").strip() or "~/.cache/longrun").expanduser() / "pgbouncer"
    if _runs(cache):
        return cache
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.parent) as scratch:
        fresh = Path(scratch) / "pgbouncer"
        fresh.mkdir()
        if installed := shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"):
            shutil.copy(installed, fresh)
        else:
            _unpack(Path(scratch), fresh)
        if not _runs(fresh):
            raise NoPoolerError("the pgbouncer that was had does not run here")
        shutil.rmtree(cache, ignore_errors=True)
        fresh.rename(cache)
    return cache


def _runs(folder: Path) -> bool:
    program = folder / "pgbouncer"
    if not program.exists():
        return False
    return run_as(None, ["env", f"LD_LIBRARY_PATH={folder}", str(program), "--version"]).returncode == 0


def _unpack(scratch: Path, folder: Path) -> None:
    """What `apt-get` downloads for anybody, not installed: the program and the libraries not found everywhere."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise NoPoolerError("pgbouncer is not installed, and there is no apt-get to get it with")
    try:
        package = _download(scratch, "pgbouncer")
    except NoPoolerError:
        _run(scratch, "apt-get", *_own_lists(scratch), "update")
        package = _download(scratch, "pgbouncer")
    needed = LIBRARIES.findall(_run(scratch, "dpkg-deb", "--field", str(package), "Depends"))
    for one in [package, *(_download(scratch, name) for name in needed)]:
        _run(scratch, "dpkg-deb", "--extract", str(one), str(scratch / "tree"))
    for found in (scratch / "tree").rglob("*"):
        if found.is_file() and ((found.name == "pgbouncer" and found.parent.name == "sbin") or ".so." in found.name):
            shutil.copy(found, folder)


def _own_lists(scratch: Path) -> list[str]:
    """Options for package lists of our own, which need no root."""
    for name in ("lists/partial", "archives/partial"):
        (scratch / "apt" / name).mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State::lists": scratch / "apt" / "lists",
        "Dir::Cache": scratch / "apt",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "",
    }
    return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]


def _download(scratch: Path, name: str) -> Path:
    own_lists = _own_lists(scratch) if (scratch / "apt" / "lists").exists() else ["-o", "APT::Sandbox::User="]
    _run(scratch, "apt-get", *own_lists, "download", name)
    return next(scratch.glob(f"{name}_*.deb"))


def _run(folder: Path, *command: str) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=APT_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPoolerError(f"pgbouncer is not installed and cannot be had: {command[0]} failed") from error
    return done.stdout
