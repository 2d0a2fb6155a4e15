"""What the benchmarks stand on: PostgreSQL and Temporal as `make up` runs them, and real processes beside them."""

import os
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Self

import asyncpg
import httpx
import psutil
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from bench.load import Ask, Landing, Volley
from engine.connect import connect
from engine.plugin import plugin
from ledger.migrate import migrate
from local import ports, postgres, temporal
from local.process import Process, wait_until
from local.stack import ROOT, WORKER_NICENESS

TOKEN = "a key that lives as long as a benchmark"
SCHEMA = "longrun"
READY_SECONDS = 60.0
UVICORN = ["-m", "uvicorn", "--factory", "--host", ports.LOOPBACK, "--no-access-log", "--log-level", "warning"]
BARE_TABLE = "CREATE TABLE bench_rows (id uuid PRIMARY KEY, body jsonb NOT NULL, at timestamptz NOT NULL DEFAULT now())"
ENTRY_POINT = "[longrun.kinds]\nfour-empty-steps = bench.kind:KIND\n"


@dataclass(frozen=True)
class Program:
    """API (listening on `port`) and worker of one program; `client` is connected to its namespace."""

    name: str
    env: Mapping[str, str]
    client: Client
    port: int = field(default_factory=ports.free)
    pids: list[int] = field(default_factory=list[int])

    @property
    def url(self) -> str:
        return f"http://{ports.LOOPBACK}:{self.port}"

    @asynccontextmanager
    async def sql(self) -> AsyncGenerator[asyncpg.Connection]:
        """A connection to its ledger."""
        connection = await asyncpg.connect(self.env["DATABASE_URL"], server_settings={"search_path": SCHEMA})
        try:
            yield connection
        finally:
            await connection.close()


class Ground:
    """A context manager; inside the block the servers answer. Its processes end with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self._kinds = self._folder / "kinds"
            installed = self._kinds / "bench_kinds-1.dist-info"
            installed.mkdir(parents=True)
            (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: bench-kinds\nVersion: 1\n")
            (installed / "entry_points.txt").write_text(ENTRY_POINT)
            self._postgres_url = opened.enter_context(postgres.serve(self._folder / "postgres"))
            self._temporal_address = opened.enter_context(temporal.serve(self._folder / "temporal"))
            self.standin = opened.enter_context(self._standin())
            self._gun = opened.enter_context(_load_generator())
            self._opened = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def logs(self) -> Path:
        return self._folder / "logs"

    def fire(self, program: Program, concurrency: int, requests: Sequence[Ask]) -> Landing:
        """Have the load generator send the requests, and wait until all are answered."""
        volley = Volley(port=program.port, token=TOKEN, concurrency=concurrency, requests=list(requests))
        assert self._gun.stdin
        assert self._gun.stdout
        self._gun.stdin.write(volley.model_dump_json() + "\n")
        self._gun.stdin.flush()
        return Landing.model_validate_json(self._gun.stdout.readline())

    async def plot(self, name: str, **extra: str) -> dict[str, str]:
        """A migrated database and a namespace of that name: an environment for the processes that use them."""
        admin = await asyncpg.connect(self._postgres_url)
        await admin.execute(f"CREATE DATABASE {name}")
        await admin.close()
        database_url = self._postgres_url.rsplit("/", 1)[0] + f"/{name}"
        await migrate(database_url, SCHEMA)
        client = await Client.connect(self._temporal_address)
        request = RegisterNamespaceRequest(namespace=name)
        request.workflow_execution_retention_period.FromTimedelta(timedelta(days=1))
        await client.workflow_service.register_namespace(request)
        ours = ("LONGRUN_", "TEMPORAL_", "ANTHROPIC_", "OPENAI_", "GITHUB_", "SEARCH_", "WEB_", "DATABASE_")
        return {key: value for key, value in os.environ.items() if not key.startswith(ours)} | {
            "DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": self._temporal_address,
            "TEMPORAL_NAMESPACE": name,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "LONGRUN_API_KEYS": TOKEN,
            "GITHUB_API_URL": f"{self.standin}/github",
            "LONGRUN_FETCH_ALLOW": self.standin.removeprefix("http://"),
            "PYTHONPATH": str(self._kinds),
            **extra,
        }

    @asynccontextmanager
    async def longrun(
        self, env: Mapping[str, str], *, worker: Sequence[str] = ("cli", "worker")
    ) -> AsyncGenerator[Program]:
        """Longrun's API with the bare routes beside its own, and its worker as it is, or another one."""
        program = Program("longrun", env, await connect(env, plugin(), lazy=False))
        async with program.sql() as ledger:
            await ledger.execute(BARE_TABLE)
        with self._running(program, "bench.app:create", worker, "/readyz", '"workers":1'):
            yield program

    @asynccontextmanager
    async def plain(self, env: Mapping[str, str]) -> AsyncGenerator[Program]:
        """The plain program."""
        program = Program("plain", env, await connect(env, plugin(), lazy=False))
        with self._running(program, "bench.plain:create", ["bench.plain"], "/openapi.json", '"/start"'):
            yield program

    def cpu(self, program: Program, *servers: str) -> float:
        """Seconds of CPU used so far by the program's own processes and by the servers named (temporal, postgres)."""
        spent = 0.0
        for process in psutil.Process().children(recursive=True):
            try:
                name, used = process.name(), process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            if process.pid in program.pids or name in servers:
                # what ended meanwhile (PostgreSQL's own helpers) is counted by its parent
                spent += used.user + used.system + used.children_user + used.children_system
        return spent

    @contextmanager
    def _running(self, program: Program, app: str, worker: Sequence[str], path: str, ready: str) -> Generator[None]:
        api = [sys.executable, *UVICORN, "--port", str(program.port), app]
        work = [sys.executable, "-m", *worker]
        with ExitStack() as opened:
            processes: list[Process] = []
            for part, command, niceness in (("api", api, 0), ("worker", work, WORKER_NICENESS)):
                name = f"{program.env['TEMPORAL_NAMESPACE']}-{program.name}-{part}"
                process = Process(
                    name, command, log=self.logs / f"{name}.log", env=program.env, cwd=ROOT, niceness=niceness
                )
                opened.callback(process.stop, 5.0)
                processes.append(process)
                program.pids.append(process.pid)
            wait_until(lambda: ready in _get(f"{program.url}{path}"), processes, READY_SECONDS)
            yield

    @contextmanager
    def _standin(self) -> Generator[str]:
        port = ports.free()
        command = [sys.executable, "-m", "bench.standin", "--port", str(port)]
        process = Process("The stand-in", command, log=self._folder / "standin.log", cwd=ROOT)
        try:
            wait_until(lambda: "harbours" in _get(f"http://{ports.LOOPBACK}:{port}/"), [process], READY_SECONDS)
            yield f"http://{ports.LOOPBACK}:{port}"
        finally:
            process.stop()


@contextmanager
def _load_generator() -> Generator[Popen[str]]:
    with Popen([sys.executable, "-m", "bench.load"], stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT) as process:
        yield process
        assert process.stdin
        process.stdin.close()


def _get(url: str) -> str:
    try:
        return httpx.get(url, timeout=5.0, trust_env=False).text
    except httpx.TransportError:
        return ""
