"""What people typed, what pages said, what a model answered and every key stay out of all logs of a run."""

import os
from pathlib import Path

import httpx
import pytest

from longrun import Options
from tests.support.model_server import answers, babbles
from tests.support.processes import KEY, Stack
from tests.support.site_server import page
from tests.support.stand_ins import SECRETS, Outside

TYPED, READ, OWNER = "Quixotic Zeppelin Engineer", "zanzibarine marmalade", "owner@zebra-mail.example"


def run(stack: Stack, outside: Outside, **changed: str) -> str:
    options = Options(owner=OWNER, metadata={"note": TYPED}, tags=(TYPED,), idempotency_key=f"{TYPED} {changed}")
    client = stack.client()
    job = client.wait(client.start("research", outside.payload(role=TYPED, **changed), options).job_id, 60)
    assert job.is_complete
    return job.job_id


def test_no_log_of_a_run_repeats_what_was_said(
    running: Stack, outside: Outside, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = f"<main><h1>Acme Widgets</h1><p>Acme Widgets makes {READ} for {OWNER} in Portland, Oregon.</p></main>"
    outside.site.routes["/"] = page(text, title=f"Acme Widgets {READ}")
    outside.model.mode = answers()
    job_id = run(running, outside)
    outside.model.mode = babbles
    run(running, outside, companyUrl=f"{outside.site.url}/?q={READ.split()[0]}")
    outside.site.routes["/"] = page(text, status=500)
    run(running, outside, companyUrl=f"{outside.site.url}/?down={READ.split()[0]}")

    token = running.post("/api/tokens", {"owner": OWNER, "scopes": [f"read:owner:{OWNER}"]})["token"]
    told = httpx.get(f"{running.url}/api/jobs/{job_id}/events", params={"token": token}, timeout=20)
    assert READ in told.text
    wrong = {"jobType": "research", "payload": {"companyName": TYPED, "surprise": READ}}
    headers = {"authorization": f"Bearer {KEY}"}
    assert httpx.post(f"{running.url}/api/jobs", json=wrong, headers=headers, timeout=20).status_code == 422
    assert httpx.get(f"{running.url}/api/jobs?cursor={READ}", headers=headers, timeout=20).status_code == 422

    logs = {path: path.read_text(errors="replace") for path in logs_of(tmp_path_factory.getbasetemp())}
    own = [path for path in logs if path.is_relative_to(running.folder)]
    assert {path.name.split(".")[0] for path in own} == {"worker", "api"}
    assert any(job_id in logs[path] for path in own), "the run is in the logs"
    said = [TYPED, *READ.split(), OWNER, "rather sing", token, KEY, *SECRETS.values()]
    found = {(path.name, word) for path, text in logs.items() for word in said if word.lower() in text.lower()}
    assert not found


def logs_of(folder: Path) -> list[Path]:
    """The logs of all processes that this run of the tests has started: API, worker, PostgreSQL, Temporal."""
    # unlike Path.rglob it passes over folders that go meanwhile
    walked = [Path(place, name) for place, _, names in os.walk(folder) for name in names if name.endswith(".log")]
    logs = [path for path in walked if "pg_wal" not in path.parts]
    assert {"postgres.log", "temporal.log"} <= {path.name for path in logs}
    return logs
