"""Job positions through the whole product: from the door to the row, by way of the real client of a model's vendor."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.model_server import Mode, babbles, message
from tests.support.posting_parts import ANSWER, TEXT
from tests.support.processes import KEY, Stack, until
from tests.support.site_server import Answer
from tests.support.stand_ins import Outside

ENDS = ("completed", "failed")


def says(answer: dict[str, Any]) -> Mode:
    async def mode(prompt: str) -> Answer:
        return message(json.dumps(answer), prompt)

    return mode


def position(stack: Stack, position_id: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx.get(f"{stack.url}/api/job-positions/{position_id}", headers=headers, timeout=20)
    return answer.raise_for_status().json()


def read(stack: Stack, **asked: str) -> dict[str, Any]:
    given = stack.post("/api/job-positions", {"userId": uuid4().hex, **asked})
    assert given["processingStatus"] in ("pending", "processing", *ENDS)
    until(lambda: position(stack, given["id"])["processingStatus"] in ENDS, 60)
    return position(stack, given["id"])


def test_a_text_is_read_by_programs_and_by_a_model(running: Stack, outside: Outside) -> None:
    outside.model.mode = says(ANSWER)
    found = read(running, description=TEXT.replace("Python", "Python m4rk3r"))
    assert (found["processingStatus"], found["answeredBy"], found["error"]) == ("completed", "anthropic", None)
    assert (found["title"], found["company"]["name"]) == ("Senior Data Engineer", "Acme Rockets")
    assert (found["skills"]["required"], found["evidence"]["skills.required"]["source"]) == (["Python"], "model")
    assert (found["company"]["size"], found["company"]["industry"]) == (None, None), "no words of the text say so"
    job = running.client().get(found["jobId"])
    assert job.status == "completed"
    assert [step.name for step in job.steps] == ["load", "extract", "enrich", "store"]
    assert job.usage
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
