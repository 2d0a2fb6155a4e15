"""The product as it runs: worker and API as processes of their own, to be killed, stopped, frozen and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
from temporalio.client import Client as Engine
from temporalio.client import WorkflowExecutionDescription

from domain.options import Options
from engine.submit import Submission, Submitter
from ledger.database import Database
from ledger.jobs import Jobs
from local import ports
from local.process import Process, wait_until
from local.temporal import find_cli
from longrun import Client, Live, LongrunError
from tests.support.proxy import TcpProxy
from tests.support.stand_ins import Background
from workflows.kind import Catalog, Kind

T = TypeVar("T")
# a connection that ended while nobody used it
GONE = (asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.AdminShutdownError, ConnectionError)
ROOT = Path(__file__).resolve().parents[2]
KEY = "acceptance-key-of-thirty-two-letters"
START_SECONDS = 100.0
UP = b"worker is up"
SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 0.15


def until(holds: Callable[[], T | None], seconds: float = 30.0, what: str = "it") -> T:
    """The first truthy answer of `holds`; fails when none comes in time.

    Who waits long asks less often: to ask takes CPU from what is waited for.
    """
    deadline, pause = time.monotonic() + seconds, SHORTEST_PAUSE
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"{what} did not come about within {seconds:.0f} s"
        time.sleep(pause)
        pause = min(pause * 1.2, LONGEST_PAUSE)
    return answer


class Service:
    """A process that can be started again; each start logs to a file of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        up: Callable[["Service"], bool],
        *,
        env: Mapping[str, str],
        cwd: Path,
        logs: Path,
    ) -> None:
        self.name = name
        self._command, self._env, self._cwd, self._logs, self._up = command, env, cwd, logs, up
        self._starts = 0
        self.process: Process

    def launch(self) -> None:
        """Start it; does not wait."""
        self._starts += 1
        log = self._logs / f"{self.name}.{self._starts}.log"
        self.process = Process(self.name, self._command, log=log, env=self._env, cwd=self._cwd)

    def ready(self) -> None:
        """Wait until it does its work."""
        wait_until(lambda: self._up(self), [self.process], START_SECONDS)

    def start(self) -> None:
        self.launch()
        self.ready()

    @property
    def started(self) -> bool:
        return self._starts > 0

    @property
    def log(self) -> bytes:
        return self.process.log.read_bytes()

    def kill(self) -> None:
        """SIGKILL, and wait for it."""
        self.process.kill()
        self.gone()

    def gone(self, seconds: float = 30.0) -> int:
        """Wait until it has ended; its exit status."""
        until(lambda: not self.process.running, seconds, f"the end of {self.name}")
        code = self.process.exit_code
        assert code is not None
        return code

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)


class Stack:
    """Workers and one API on a ledger and an engine that are there. `source` is the tree whose code runs."""

    def __init__(self, folder: Path, background: Background, env: Mapping[str, str], source: Path = ROOT) -> None:
        self.folder, self.source = folder, source
        self.background = background
        self.env = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "LONGRUN_API_KEYS": KEY,
            "LONGRUN_GRACEFUL_SECONDS": "2",
            "LONGRUN_AUDIO_DIR": str(folder / "audio"),
            **env,
        }
        self.port = ports.free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.services: list[Service] = []
        self._clients: dict[str, Client] = {}
        self._connection: asyncpg.Connection | None = None

    def api(self, **env: str) -> Service:
        """The API, not started yet."""
        command, port = ["-m", "cli", "api"], str(self.port)
        return self._service("api", command, lambda _: _answers(self.url), LONGRUN_PORT=port, **env)

    def worker(self, name: str = "worker", **env: str) -> Service:
        """A worker, not started yet."""
        return self._service(name, ["worker.py"], lambda service: UP in service.log, **env)

    def client(self, key: str = KEY) -> Client:
        """The API's client, one a key."""
        if key not in self._clients:
            self._clients[key] = Client(self.url, key, timeout=20, patience=20)
        return self._clients[key]

    def post(self, path: str, body: Any) -> Any:
        """What the API answers, 2xx or not at all."""
        headers = {"authorization": f"Bearer {KEY}"}
        return httpx.post(f"{self.url}{path}", json=body, headers=headers, timeout=20).raise_for_status().json()

    def rows(self, query: str, *args: Any) -> list[dict[str, Any]]:
        """Ask the ledger behind the product's back."""

        async def fetch() -> list[dict[str, Any]]:
            connection = await self._connected()
            return [dict(row) for row in await connection.fetch(query, *args)]

        try:
            return self.background.run(fetch())
        except GONE:
            # the ledger was killed and is there again
            self._connection = None
            return self.background.run(fetch())

    async def _connected(self) -> asyncpg.Connection:
        """One for all questions: to open one costs ten times as much as to ask, and `until` asks often."""
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = self._connection = await asyncpg.connect(
                self.env["DATABASE_URL"], server_settings={"search_path": "longrun"}, statement_cache_size=0
            )
        return connection

    def submit(self, kind: Kind, payload: Mapping[str, Any], **options: Any) -> str:
        """Commit a job without an API; the worker's dispatcher starts it."""

        async def opening() -> str:
            database = Database(self.env["DATABASE_URL"])
            try:
                asked = Submission(kind.name, dict(payload), Options.model_validate(options))
                [opened] = await Submitter(Jobs(database), Catalog([kind])).submit([asked])
            finally:
                await database.close()
            return str(opened.id)

        return self.background.run(opening())

    def job(self, job_id: str) -> dict[str, Any]:
        """The job's row."""
        [row] = self.rows("SELECT * FROM jobs WHERE id = $1", job_id)
        return row

    def step(self, job_id: str, name: str) -> dict[str, Any]:
        """The step's row."""
        [row] = self.rows("SELECT * FROM job_steps WHERE job_id = $1 AND activity_id = $2", job_id, name)
        return row

    def ended(self, job_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """The job's row once its status is terminal."""
        until(lambda: self.job(job_id)["finished_at"], seconds, "the end of the job")
        return self.job(job_id)

    def progress(self, job_id: str) -> Live:
        """The running workflow's own answer; a worker with much to do is not waited for, but may be asked again."""

        def asked() -> Live | None:
            try:
                return self.client().progress(job_id)
            except LongrunError as error:
                if error.code != "engine_unavailable":
                    raise
                return None

        return until(asked, what="the workflow's answer")

    def execution(self, job_id: str) -> WorkflowExecutionDescription:
        """The job's execution as the engine has it; raises RPCError while it knows none."""

        async def ask() -> WorkflowExecutionDescription:
            engine = await Engine.connect(self.env["TEMPORAL_ADDRESS"], namespace=self.env["TEMPORAL_NAMESPACE"])
            return await engine.get_workflow_handle(job_id).describe()

        return self.background.run(ask())

    def engine_proxy(self) -> TcpProxy:
        """A way to the engine that can be closed; not open yet."""
        host, port = self.env["TEMPORAL_ADDRESS"].split(":")
        return TcpProxy(host, int(port))

    def temporal(self, *arguments: str) -> str:
        """The engine's own command line."""
        place = ["--address", self.env["TEMPORAL_ADDRESS"], "--namespace", self.env["TEMPORAL_NAMESPACE"]]
        line = [str(find_cli()), *arguments, *place]
        return subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout

    def stop(self) -> None:
        """End everything, frozen or not; there is nothing to save."""
        for client in self._clients.values():
            client.close()
        if self._connection is not None:
            self.background.call(self._connection.terminate)
            self._connection = None
        for service in self.services:
            if service.started:
                service.kill()

    def _service(self, name: str, command: list[str], up: Callable[[Service], bool], **env: str) -> Service:
        line = [sys.executable, *command]
        service = Service(name, line, up, env=self.env | env, cwd=self.source, logs=self.folder)
        self.services.append(service)
        return service


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/livez", timeout=2).is_success
    except httpx.TransportError:
        return False
