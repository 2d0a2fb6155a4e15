"""Job positions through the whole product: from the door to the row, by way of the real client of a model's vendor."""

from collections.abc import Generator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.agent_vendor import DONE, AgentVendor, note
from tests.support.model_server import babbles
from tests.support.posting_parts import ANSWER, TEXT
from tests.support.processes import KEY, Stack, until
from tests.support.site_server import Answer, Asked, page
from tests.support.stand_ins import Outside, Turnstile

ENDS = ("completed", "failed")
DOES = "Acme Rockets builds small rockets that carry satellites of universities into orbit."
ABOUT = page(f"<main><h1>Acme Rockets</h1><p>{DOES}</p></main>", title="Acme Rockets")


@pytest.fixture
def vendors(outside: Outside) -> Generator[tuple[AgentVendor, AgentVendor]]:
    """Two scripts for the model's vendor: the second is for postings that say m4rk-2."""
    first, second = made = AgentVendor(), AgentVendor()
    before = outside.model.routes["/v1/messages"]

    async def answer(asked: Asked) -> Answer:
        return await (second if b"m4rk-2" in asked.body else first).anthropic(asked)

    for vendor in made:
        vendor.forget(ANSWER)
    outside.model.routes["/v1/messages"] = answer
    yield made
    outside.model.routes["/v1/messages"] = before


def position(stack: Stack, position_id: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx.get(f"{stack.url}/api/job-positions/{position_id}", headers=headers, timeout=20)
    return answer.raise_for_status().json()


def read(stack: Stack, **asked: str) -> dict[str, Any]:
    given = stack.post("/api/job-positions", {"userId": uuid4().hex, **asked})
    assert given["processingStatus"] in ("pending", "processing", *ENDS)
    until(lambda: position(stack, given["id"])["processingStatus"] in ENDS, 60)
    return position(stack, given["id"])


def test_a_text_is_read_by_programs_and_by_a_model(running: Stack, vendors: tuple[AgentVendor, AgentVendor]) -> None:
    found = read(running, description=TEXT.replace("Python", "Python m4rk3r"))
    assert (found["processingStatus"], found["answeredBy"], found["error"]) == ("completed", "anthropic", None)
    assert (found["title"], found["company"]["name"]) == ("Senior Data Engineer", "Acme Rockets")
    assert (found["skills"]["required"], found["evidence"]["skills.required"]["source"]) == (["Python"], "model")
    assert (found["company"]["size"], found["company"]["industry"]) == (None, None), "no words of the text say so"
    job = running.client().wait(found["jobId"], 60)
    assert job.status == "completed"
    assert [step.name for step in job.steps] == ["load", "extract", "enrich", "store"]
    assert job.usage
    assert job.result["agent"]["stopped"] == "done"
    assert vendors[0].of_jobs == {0: 1, 1: 1}, "to read it, and to look up the rest"
    assert b"m4rk3r" not in b"".join(service.log for service in running.services)


@pytest.mark.parametrize("path", ["/careers/17", "/careers/none"])
def test_an_address_is_read_or_says_why_not(running: Stack, outside: Outside, path: str) -> None:
    outside.model.mode = babbles
    lines = "".join(f"<p>{line}</p>" for line in TEXT.replace("# ", "").replace("**", "").splitlines() if line)
    body = f"<html><head><title>Jobs</title></head><body><main>{lines}</main></body></html>"
    outside.site.routes["/careers/17"] = Answer(200, {"content-type": "text/html"}, body)
    found = read(running, url=f"{outside.site.url}{path}?{uuid4().hex}=1")
    if path.endswith("none"):
        assert (found["processingStatus"], found["error"]["code"]) == ("failed", "gone")
    else:
        assert (found["processingStatus"], found["answeredBy"]) == ("completed", "offline"), "the model only babbled"
        assert found["reason"]
        assert found["salary"] == {"min": 70000, "max": 85000, "currency": "EUR", "period": "year"}


def test_a_killed_worker_has_what_was_in_flight_done_again_and_nothing_else(
    running: Stack, outside: Outside, vendors: tuple[AgentVendor, AgentVendor]
) -> None:
    """One job is inside a turn, the other between two of them: a tool that it asked for has not answered."""
    (inside, between), place = vendors, f"/{uuid4().hex}"
    about, slow = f"{outside.site.url}{place}/about", f"{outside.site.url}{place}/slow"
    held = Turnstile(outside.background)
    outside.site.routes |= {f"{place}/about": ABOUT, f"{place}/slow": held}
    described = [note("description", DOES, DOES)]
    inside.looks = [[("fetch_page", {"url": about})], None]
    between.looks = [[("fetch_page", {"url": about}), ("fetch_page", {"url": slow})], described, DONE]
    ids = [
        running.post("/api/job-positions", {"userId": uuid4().hex, "description": f"{TEXT}\n{about} {slow} m4rk-{n}"})
        for n in (1, 2)
    ]
    until(lambda: inside.turns[2] and held.arrived, 60)
    worker = next(service for service in running.services if service.name == "worker")
    worker.kill()
    inside.looks = [*inside.looks[:1], described, DONE]
    held.open("<html><body><main><p>Nothing that anybody would want to know stands here.</p></main></body></html>")
    worker.start()
    until(lambda: all(position(running, one["id"])["processingStatus"] in ENDS for one in ids), 90)
    for one in ids:
        found = position(running, one["id"])
        assert (found["processingStatus"], found["company"]["description"]) == ("completed", DOES)
        assert found["evidence"]["company.description"]["source"] == "agent"
    assert inside.of_jobs == {0: 1, 1: 1, 2: 2, 3: 1}
    assert between.of_jobs == {0: 1, 1: 1, 2: 1, 3: 1}
    assert held.arrived == 2
    # what was called beside the call that is held may have been in flight still
    assert outside.site.hits[f"{place}/about"] in (2, 3)
