"""The API as a process of its own: it starts without an engine, logs no secrets, and stops in good order."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from subprocess import Popen

import httpx
import pytest

from local import ports
from tests.api.conftest import KEY, RESEARCH

ROOT = Path(__file__).parents[2]


@pytest.fixture
def process(database_url: str, tmp_path: Path) -> Generator[tuple[Popen[bytes], httpx.Client, Path]]:
    port, log = ports.free(), tmp_path / "api.log"
    environ = {"DATABASE_URL": database_url, "LONGRUN_API_KEYS": KEY, "LONGRUN_PORT": str(port)}
    environ |= {"TEMPORAL_ADDRESS": "127.0.0.1:1", "LONGRUN_LOG_LEVEL": "debug"}
    with log.open("wb") as sink:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli", "api"], cwd=ROOT, env={**os.environ, **environ}, stdout=sink, stderr=sink
        )
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
        try:
            while not _answers(client):
                assert child.poll() is None, log.read_text()
                time.sleep(0.05)
            yield child, client, log
        finally:
            child.kill()
            child.wait()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").is_success
    except httpx.TransportError:
        return False


def test_a_stream_ends_in_good_order_when_the_process_is_told_to_stop(
    process: tuple[Popen[bytes], httpx.Client, Path],
) -> None:
    child, client, log = process
    payload = {**RESEARCH, "role": "m4rker"}
    asked = {"jobType": "research", "payload": payload, "options": {"owner": "ann"}}
    started = client.post("/api/jobs", json=asked).json()
    token = client.post("/api/tokens", json={"scopes": ["read:owner:ann"]}).json()["token"]

    with httpx.stream("GET", f"{client.base_url}{started['eventsUrl']}?token={token}", timeout=30) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "id: 1"
        child.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert sum(line.startswith("id:") for line in lines) == 0
    assert time.monotonic() - began < 8
    child.wait(60)

    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"POST", "GET"} <= {line.get("method") for line in said}
    assert [line for line in said if line["level"] == "error"] == []
    for secret in ("m4rker", token, KEY):
        assert secret not in log.read_text()
