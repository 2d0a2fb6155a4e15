"""One company research through the whole product: worker and API as processes, the outside world on loopback."""

import json
import os
import subprocess
import sys

import pytest

from longrun import Options
from tests.acceptance.asking import broken, claims, run, standing, start
from tests.acceptance.conftest import StackMaker
from tests.support.github_server import limited
from tests.support.model_server import Held, answers, babbles, hangs, lies, refuses
from tests.support.processes import KEY, ROOT, Stack, until
from tests.support.site_server import Answer, Asked
from tests.support.stand_ins import Outside, Turnstile
from workflows.catalog import installed

MODEL = "claude-haiku-5-5"


def cli(*arguments: str, **env: str) -> str:
    """The product's own command line."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **env},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_a_model_answers_and_every_claim_cites(running: Stack, outside: Outside) -> None:
    held = outside.model.mode = Held()
    client, job_id = start(running, outside, "happy")
    until(lambda: outside.model.requests, what="the question to the model")

    live = running.progress(job_id)
    assert live.progress.text == "2/4"
    assert {step.name: step.status for step in live.steps} == {
        "scrape_website": "completed",
        "search_github": "completed",
        "analyze": "running",
        "store": "pending",
    }

    outside.background.call(held.open)
    job = client.wait(job_id, 60)
    assert (job.status, job.progress.text, job.answered_by) == ("completed", "4/4", "anthropic")
    assert set(standing(job).values()) == {"completed"}
    assert [step.attempt for step in job.steps] == [1, 1, 1, 1]

    assert job.usage
    [spent] = job.usage.by_model
    assert (spent["vendor"], spent["model"]) == ("anthropic", MODEL)
    assert job.usage.input_tokens > 100
    assert job.usage.output_tokens > 100
    assert job.usage.cost_usd
    assert job.usage.cost_usd > 0

    briefing = job.result
    known = {shown["id"] for shown in briefing["evidence"]}
    said = list(claims(briefing))
    assert len(said) > 10
    assert all(claim["evidence"] and set(claim["evidence"]) <= known for claim in said)
    assert {"Python", "Django"} <= {found["name"] for found in briefing["stack"]}
    assert all(shown["url"].startswith(("http://127.0.0.1", "https://github.com")) for shown in briefing["evidence"])

    assert running.rows("SELECT count(*) FROM research_briefings WHERE owner = 'happy'")[0]["count"] == 1
    shown = cli("jobs", "get", job_id, LONGRUN_URL=running.url, LONGRUN_API_KEY=KEY)
    assert job_id in shown
    assert "completed" in shown


def test_a_stream_tells_every_step_and_ends_with_the_result(running: Stack, outside: Outside) -> None:
    client = running.client()
    # who comes when a step has ended is told of it in the first event only
    later = Options(owner="stream", delay="1h")
    job_id = client.start("company-research", outside.payload(), later).job_id
    stream = client.stream(job_id)
    events = [next(stream)]
    client.reschedule(job_id, "0s")
    events += stream
    assert events[0].event == "job"
    assert events[-1].event == "done"
    assert events[-1].data["status"] == "completed"
    ids = [int(event.id) for event in events]
    assert ids == sorted(ids)
    finished = [e.data["name"] for e in events if e.event == "step" and e.data["status"] == "completed"]
    assert sorted(finished[:2]) == ["scrape_website", "search_github"]
    assert finished[2:] == ["analyze", "store"]


def test_site_and_github_are_read_at_the_same_time(running: Stack, outside: Outside) -> None:
    site, github = Turnstile(outside.background), Turnstile(outside.background)
    home = outside.site.routes["/"]
    assert isinstance(home, Answer)

    async def late(asked: Asked) -> Answer:
        await site(asked)
        return home

    outside.site.routes["/"], outside.github.before = late, github
    client, job_id = start(running, outside, "parallel")
    until(lambda: site.arrived and github.arrived, what="questions to both, of which none is answered")
    github.open("go on")
    site.open("go on")
    job = client.wait(job_id, 60)
    assert (job.status, job.answered_by) == ("completed", "anthropic")


def test_a_website_that_is_down_leaves_a_briefing_from_the_code(running: Stack, outside: Outside) -> None:
    job = run(running, outside, "site-down", companyUrl=f"http://{outside.nowhere}/")
    assert (job.status, job.progress.text, job.answered_by) == ("completed", "4/4", "anthropic")
    assert broken(job) == {"scrape_website": ("site_down", 3)}
    assert {shown["kind"] for shown in job.result["evidence"]} == {"repository"}
    assert job.result["stack"]


def test_a_github_limit_far_away_leaves_a_briefing_from_the_site(running: Stack, outside: Outside) -> None:
    outside.github.fail(".*", limited(403, reset_in=3600))
    job = run(running, outside, "github-limited")
    assert (job.status, job.progress.text, job.answered_by) == ("completed", "4/4", "anthropic")
    assert broken(job) == {"search_github": ("github_rate_limited", 1)}
    assert {shown["kind"] for shown in job.result["evidence"]} == {"page"}
    assert outside.github.hits.total() == 1


def test_without_any_evidence_the_job_fails_and_says_so(running: Stack, outside: Outside) -> None:
    outside.github.fail(".*", limited(403, reset_in=3600))
    outside.site.routes = {"/": Answer(404, body="gone")}
    job = run(running, outside, "no-evidence")
    assert (job.status, job.is_failed, job.result) == ("failed", True, None)
    assert job.error
    assert job.error.code == "no_evidence"
    assert broken(job) == {"scrape_website": ("site_not_found", 1), "search_github": ("github_rate_limited", 1)}
    assert outside.model.requests == 0


USELESS = {
    "nonsense": (babbles, "bad_answer", 2),
    "lying": (lies, "bad_answer", 2),
    "dead": (refuses(500), "http_500", 2),
    "no-entry": (refuses(401), "unauthorized", 1),
}


@pytest.mark.parametrize("kind", USELESS)
def test_a_model_of_no_use_is_stood_in_for(running: Stack, outside: Outside, kind: str) -> None:
    outside.model.mode, code, asked = USELESS[kind]
    job = run(running, outside, kind)
    assert (job.status, job.progress.text, job.answered_by) == ("completed", "4/4", "offline")
    assert broken(job) == {"analyze": (code, asked)}
    assert outside.model.requests == asked
    assert job.result["answeredBy"] == "offline"
    assert job.result["reason"]
    assert all(claim["evidence"] for claim in claims(job.result))
    assert not any(lie in json.dumps(job.result) for lie in ("Globex", "4,711", "77 billion", "moon"))


def test_a_model_at_its_limit_is_waited_for_and_not_blamed(running: Stack, outside: Outside) -> None:
    outside.model.mode = refuses(429, retry_after="1")
    client, job_id = start(running, outside, "model-limited")
    until(lambda: outside.model.requests, what="the question to the model")
    until(lambda: standing(client.get(job_id))["analyze"] == "retrying", what="the wait")
    outside.model.mode = answers()
    job = client.wait(job_id, 30)
    assert (job.status, job.answered_by) == ("completed", "anthropic")
    assert [step.attempt for step in job.steps if step.name == "analyze"] == [1]


def test_a_model_that_times_out_is_stood_in_for(make_stack: StackMaker, outside: Outside) -> None:
    stack = make_stack(LONGRUN_MODEL_TIMEOUT_SECONDS="1", **outside.env)
    outside.model.mode = hangs
    stack.worker().start()
    research = installed()["company-research"]
    job_id = stack.submit(research, outside.payload())
    job = stack.ended(job_id)
    assert (job["status"], job["answered_by"]) == ("completed", "offline")
    assert outside.model.requests == 2
    step = stack.step(job_id, "analyze")
    assert (step["status"], json.loads(step["error"])["code"], step["failures"]) == ("failed", "timeout", 2)
    assert stack.step(job_id, "store")["status"] == "completed"
