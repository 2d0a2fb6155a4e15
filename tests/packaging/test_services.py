"""Each of our services starts by its exact command from the clean install, and its health check tells the truth."""

import os
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from local import ports, samples
from local.sample_pages import NAME
from longrun import Client
from tests.packaging.files import compose, dockerfile
from tests.support.databases import sibling

KEY = "packaging-key-of-more-than-thirty-two-characters"
SECONDS = 120.0


class Services:
    """docker-compose.yml on this machine: the container's addresses become those of the tests' servers."""

    def __init__(self, image: Path, folder: Path, database_url: str, moved: dict[str, str]) -> None:
        self.described: dict[str, Any] = compose({"POSTGRES_PASSWORD": "pw", "LONGRUN_API_KEYS": KEY})["services"]
        self.folder, self.port = folder, ports.free()
        self.path = f"{image / 'bin'}:{os.environ['PATH']}"
        self.moved = {"DATABASE_URL": database_url, "LONGRUN_PORT": str(self.port), **moved}

    def environment(self, name: str) -> dict[str, str]:
        said = {key: str(value) for key, value in self.described[name]["environment"].items()}
        return {"PATH": self.path, "HOME": str(self.folder)} | said | self.moved

    def command(self, name: str) -> list[str]:
        [entrypoint] = dockerfile()[-1].of("ENTRYPOINT")
        assert entrypoint == '["longrun"]'
        return ["longrun", *self.described[name]["command"]]

    def run(self, name: str) -> subprocess.CompletedProcess[str]:
        env = self.environment(name)
        return subprocess.run(self.command(name), env=env, cwd=self.folder, capture_output=True, text=True, check=False)

    def healthy(self, name: str) -> bool:
        how, *check = self.described[name]["healthcheck"]["test"]
        assert how == "CMD"
        here = [word.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}") for word in check]
        env = self.environment(name)
        return subprocess.run(here, env=env, cwd=self.folder, capture_output=True, check=False).returncode == 0

    @contextmanager
    def running(self, *names: str) -> Generator[None]:
        """Started together, then healthy; stopped as Docker stops them, which they obey within their grace period."""
        logs = {name: self.folder / f"{name}.log" for name in names}
        processes = {name: self._start(name, log) for name, log in logs.items()}
        end = time.monotonic() + SECONDS
        try:
            for name, process in processes.items():
                while not self.healthy(name):
                    assert process.poll() is None, logs[name].read_text()
                    assert time.monotonic() < end, logs[name].read_text()
                    time.sleep(0.2)
            yield
            for process in processes.values():
                process.terminate()
            for name, process in processes.items():
                assert process.wait(timeout=35) in (0, -signal.SIGTERM), logs[name].read_text()
        finally:
            for process in processes.values():
                process.kill()
                process.wait()

    def _start(self, name: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as sink:
            env = self.environment(name)
            return subprocess.Popen(self.command(name), env=env, cwd=self.folder, stdout=sink, stderr=sink)


@pytest.fixture
async def empty_database(postgres_url: str) -> str:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE DATABASE packaged")
    await connection.close()
    return sibling(postgres_url, "packaged")


def test_migrate_api_and_worker_come_up_and_do_a_job(
    image: Path, tmp_path: Path, empty_database: str, engine_env: dict[str, str]
) -> None:
    up = ExitStack()
    site = up.enter_context(samples.serve())
    # Nobody answers for GitHub, no key is set for a model: the packaged service goes on without them and says so.
    world = {"LONGRUN_FETCH_ALLOW": urlsplit(site).netloc, "GITHUB_API_URL": "http://127.0.0.1:1"}
    services = Services(image, tmp_path, empty_database, engine_env | world)
    first, second = services.run("migrate"), services.run("migrate")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout.startswith("applied 0001_")
    assert second.stdout == "nothing to do: the schema is up to date\n"
    assert not services.healthy("api")
    assert not services.healthy("worker")

    with up:
        up.enter_context(services.running("api", "worker"))
        client = up.enter_context(Client(f"http://127.0.0.1:{services.port}", KEY))
        started = client.research(NAME, "Engineer", site)
        ended = client.wait(started.job_id, timeout=SECONDS)

    assert (ended.status, ended.answered_by) == ("completed", "offline"), ended
    statuses = {step.name: step.status for step in ended.steps}
    assert statuses == {
        "scrape_website": "completed",
        "search_github": "failed",
        "analyze": "completed",
        "store": "completed",
    }


def test_the_api_refuses_to_be_open_without_a_key(
    image: Path, tmp_path: Path, postgres_url: str, temporal_address: str
) -> None:
    services = Services(image, tmp_path, postgres_url, {"TEMPORAL_ADDRESS": temporal_address})
    services.described["api"]["environment"]["LONGRUN_API_KEYS"] = ""
    refused = services.run("api")
    assert refused.returncode == 2
    assert "LONGRUN_API_KEYS" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
