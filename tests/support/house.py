"""The product with every part in the hands of who runs it: PostgreSQL, Temporal, worker and API, to be killed."""

import os
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import psutil

from ledger.migrate import migrate
from local import ports, temporal
from local.postgres import Postgres
from local.process import Process, wait_until
from tests.support.processes import Service, Stack, until
from tests.support.stand_ins import Background

SERVER_SECONDS = 60.0
ERRAND = Path(__file__).resolve().parents[1] / "acceptance" / "errand"


class Database:
    """A PostgreSQL server to be killed."""

    def __init__(self, folder: Path) -> None:
        self.server = Postgres(folder, fsync=False)
        self.server.prepare()
        self._log = folder / "postgres.log"
        self.start()
        self.server.create_database("longrun")

    def launch(self) -> None:
        """Start it; does not wait."""
        self.process = self.server.launch(self._log)

    def ready(self) -> None:
        """Wait until it answers."""
        wait_until(self.server.answers, [self.process], SERVER_SECONDS)

    def start(self) -> None:
        self.launch()
        self.ready()

    def kill(self) -> None:
        """Returns when its last backend has ended: until then one may still commit what it was told to."""
        # stopped it begins no other
        os.kill(self.process.pid, signal.SIGSTOP)
        serving = psutil.Process(self.process.pid).children()
        self.process.kill()
        until(lambda: not self.process.running and not any(map(alive, serving)), what="the end of PostgreSQL")


def alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Engine:
    """A Temporal dev server to be killed."""

    def __init__(self, folder: Path) -> None:
        self._cli, self._port = temporal.find_cli(), ports.free()
        folder.mkdir(exist_ok=True)
        self._log, self._file = folder / "temporal.log", folder / "temporal.db"
        self.address = f"127.0.0.1:{self._port}"
        self.start()

    def launch(self) -> None:
        """Start it; does not wait."""
        line = temporal.command(self._cli, port=self._port, ui_port=None, database=self._file, test_timers=True)
        self.process = Process("The Temporal dev server", line, log=self._log)

    def ready(self) -> None:
        """Wait until it answers."""
        wait_until(lambda: temporal.healthy(self._cli, self.address), [self.process], SERVER_SECONDS)

    def start(self) -> None:
        self.launch()
        self.ready()

    def kill(self) -> None:
        self.process.kill()
        until(lambda: not self.process.running, what="the end of the Temporal server")


Part = Database | Engine | Service


@dataclass
class House:
    """Every part of the product. By name: "ledger", "engine", "worker", "api"."""

    database: Database
    engine: Engine
    stack: Stack
    worker: Service
    api: Service

    def part(self, name: str) -> Part:
        return {"worker": self.worker, "engine": self.engine, "ledger": self.database, "api": self.api}[name]

    def kill(self, part: str) -> None:
        self.part(part).kill()

    def start(self, part: str) -> None:
        self.part(part).start()

    def mend(self) -> None:
        """Start whatever has been left dead, and wait until all do their work."""
        parts = (self.database, self.engine, self.worker, self.api)
        for part in parts:
            if not part.process.running:
                part.launch()
        for part in parts:
            part.ready()


@contextmanager
def build(folder: Path, background: Background, env: Mapping[str, str]) -> Generator[House]:
    """A house that stands as long as the block, with a ledger of its own; `env` is for worker and API."""
    database, engine = Database(folder / "postgres"), Engine(folder / "temporal")
    url = database.server.url()
    background.run(migrate(url, "longrun"))
    place = {"DATABASE_URL": url, "TEMPORAL_ADDRESS": engine.address, "TEMPORAL_NAMESPACE": temporal.NAMESPACE}
    stack = Stack(folder, background, {**place, **env})
    worker, api = stack.worker(), stack.api()
    try:
        for service in (worker, api):
            service.launch()
        for service in (worker, api):
            service.ready()
        yield House(database, engine, stack, worker, api)
    finally:
        stack.stop()
        engine.process.stop()
        database.process.stop()
        database.server.remove_moved()


def install_errand(folder: Path) -> Path:
    """Lay the errand's package into a folder for PYTHONPATH, as an installer would; answers with that folder."""
    copytree(ERRAND, folder / "errand")
    about = folder / "errand-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: errand\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[longrun.kinds]\nerrand = errand.kind:KIND\n")
    return folder
