"""The one-machine stack: PostgreSQL, Temporal, API and worker as processes of ours, kept alive."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx2

from local import postgres, temporal
from local.folder import Folder
from local.interrupts import interruptible
from local.live import say, tail
from local.part import KeepsDyingError, Part, Tail
from local.process import Process, StartError, wait_until
from local.wiring import Wiring
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SERVING = ("api", "worker")
READY_SECONDS = 60.0
WORKER_NICENESS = 5  # a POST must not wait for jobs that run on the same cores


class Stack:
    """A context manager: everything answers inside the block, and all that it started is stopped behind it.

    `extra` is added to the environment of API and worker. Raises StartError or TemporalMissingError.
    """

    def __init__(
        self, settings: Settings, environ: Mapping[str, str] = os.environ, extra: Mapping[str, str] | None = None
    ) -> None:
        self.settings = settings
        self.environ = environ
        self.extra = dict(extra or {})
        self.wiring = Wiring(settings, environ)
        self.folder = Folder(settings.home)
        self.parts: dict[str, Part] = {}
        self.cli: Path | None = None
        self.key = ""
        self._closing = threading.Event()
        self._held = self.folder.held()

    def __enter__(self) -> Self:
        self._held.__enter__()
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        try:
            self._stop()
        finally:
            self.folder.forget_stack()
            self._held.__exit__(None, None, None)

    def tend(self) -> None:
        """Start again what died. Raises KeepsDyingError."""
        restarted = [part for part in self.parts.values() if part.tend()]
        if restarted:
            self._describe()

    def watch(self, tails: Sequence[Tail] = ()) -> None:
        """Tend and say what the tails show until the block is left. Raises KeepsDyingError."""
        while not self._closing.is_set():
            self.tend()
            for log in tails:
                log.follow()
            self._closing.wait(0.1)

    def close(self) -> None:
        """End `watch`."""
        self._closing.set()

    def kill(self) -> None:
        """SIGKILL for every part; a signal handler may call it."""
        for part in self.parts.values():
            part.process.kill()

    def _start(self) -> None:
        self.wiring.check_ports()
        self.folder.begin_logs()
        self.key = self.folder.api_key(self.settings.api_keys)
        if self.wiring.own_temporal:
            self._launch_temporal()
        if self.wiring.own_postgres:
            self._start_postgres()
        serving = [name for name in SERVING if name in self.settings.stack]
        if serving:
            self._migrate()
        if self.cli is not None:
            cli = self.cli
            process = self.parts["temporal"].process
            wait_until(lambda: temporal.healthy(cli, self.wiring.temporal_address), [process], temporal.START_SECONDS)
        for name in serving:
            self._add(name, lambda name=name: self._command(name))
        if "api" in serving:
            with httpx2.Client(trust_env=False, timeout=2.0) as http:
                processes = [self.parts[name].process for name in serving]
                wait_until(lambda: self._ready(http), processes, READY_SECONDS, every=0.2)
        self._describe()

    def _launch_temporal(self) -> None:
        cli = temporal.find_cli(self.environ, self.settings.cache.expanduser())
        self.cli = cli
        self.folder.temporal.mkdir(parents=True, exist_ok=True)
        line = temporal.command(
            cli,
            port=self.settings.temporal_port,
            ui_port=self.settings.ui_port,
            database=self.folder.temporal / "temporal.db",
        )
        self._add("temporal", lambda: Process("The Temporal dev server", line, log=self.folder.log("temporal")))

    def _start_postgres(self) -> None:
        server = postgres.Postgres(self.folder.postgres)
        if server.moved and server.user:
            say(f"PostgreSQL keeps its data in {server.folder}: run by root it works as {server.user.pw_name}, who")
            say(f"cannot enter {self.folder.home}. `make clean` removes both.")
        server.prepare()
        self._add("postgres", lambda: server.launch(self.folder.log("postgres")))
        wait_until(server.answers, [self.parts["postgres"].process], postgres.START_SECONDS)
        server.create_database("longrun")
        self.wiring.database_url = server.url("longrun")

    def _migrate(self) -> None:
        log = self.folder.log("migrate")
        with log.open("wb") as sink:
            command = [sys.executable, "-m", "cli", "migrate"]
            done = subprocess.run(command, env=self._environment(), cwd=ROOT, stdout=sink, stderr=sink, check=False)
        if done.returncode:
            raise StartError(f"The ledger could not be migrated:\n{tail(log)}\n(the whole log: {log})")

    def _command(self, name: str) -> Process:
        return Process(
            "The API" if name == "api" else "The worker",
            [sys.executable, "-m", "cli", name],
            log=self.folder.log(name),
            env=self._environment(),
            cwd=ROOT,
            niceness=WORKER_NICENESS if name == "worker" else 0,
        )

    def _environment(self) -> dict[str, str]:
        return self.wiring.environment(self.key) | self.extra

    def _ready(self, http: httpx2.Client) -> bool:
        try:
            answer = http.get(f"{self.wiring.api_url}/readyz")
        except httpx2.TransportError:
            return False
        if not answer.is_success:
            return False
        said: dict[str, Any] = answer.json()
        return "worker" not in self.parts or (said["engine"] == "up" and said["workers"] >= 1)

    def _add(self, name: str, launch: Callable[[], Process]) -> None:
        self.parts[name] = Part(launch)

    def _describe(self) -> None:
        self.folder.write_stack(
            {
                "apiUrl": self.wiring.api_url,
                "uiUrl": self.wiring.ui_url,
                "databaseUrl": self.wiring.database_url,
                "temporalAddress": self.wiring.temporal_address,
                "temporalCli": str(self.cli) if self.cli else None,
                "namespace": self.wiring.namespace,
                "pids": {name: part.process.pid for name, part in self.parts.items()},
                "logs": {name: str(part.process.log) for name, part in self.parts.items()},
            }
        )

    def _stop(self) -> None:
        """Those who use the servers first, side by side."""
        running = {name: part.process for name, part in self.parts.items()}
        for name in SERVING:
            if name in running:
                running[name].ask_to_stop()
        for name in (*SERVING, "temporal", "postgres"):
            if name in running:
                running[name].stop(self.settings.graceful_seconds + 5 if name == "worker" else 10)


def up(settings: Settings) -> int:
    """Run the stack in the foreground until it is interrupted; returns the exit status."""
    started = time.monotonic()
    try:
        stack = Stack(settings)
        with interruptible(stack.kill):
            say(f"Starting {', '.join(settings.stack)} …")
            with stack:
                _announce(stack, time.monotonic() - started)
                stack.watch([Tail(name, stack.parts[name].process.log) for name in SERVING if name in stack.parts])
    except KeyboardInterrupt:
        say("Stopped.")
    except (StartError, KeepsDyingError, temporal.TemporalMissingError) as error:
        say(str(error))
        return 1
    return 0


def _announce(stack: Stack, seconds: float) -> None:
    say(f"Longrun is up ({seconds:.1f} s).")
    if "api" in stack.parts:
        say(f"  API             {stack.wiring.api_url}  (its description: {stack.wiring.api_url}/docs)")
        say(f"  API key         {stack.key}  (also in {stack.folder.key_file})")
    if stack.wiring.ui_url:
        say(f"  Temporal Web UI {stack.wiring.ui_url}")
    say(f"  Everything else {stack.folder.stack_file}")
    say("Ctrl-C stops it.")
