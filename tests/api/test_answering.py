"""The page where people answer: it shows what is asked, changes nothing by being looked at, and takes one answer."""

import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import httpx
import pytest
from lxml import html

from domain.keyring import Keyring
from domain.waiting import waitpoint_of
from ledger.plans import Call, Plans
from ledger.steps import Delivery
from ledger.waitpoints import StepWait, Waitpoints
from tests.api.conftest import KEY, Api
from tests.ledger.book import EPOCH

QUESTION = "May we go on with <b>Müller & Söhne</b>?\n$title: 5 > 3"


@pytest.fixture
async def browser(api: Api) -> httpx.AsyncClient:
    return await api.client(None)


async def asked(server: httpx.AsyncClient, about: str = QUESTION, timeout: str = "3d") -> str:
    """The address of a question."""
    point = (await server.post("/api/waitpoints", json={"about": about, "timeout": timeout})).json()
    return point["url"].removeprefix("http://127.0.0.1:8000")


def page(answer: httpx.Response) -> Any:
    """What is shown, after a look at what every page keeps to."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    tree = html.document_fromstring(answer.content)
    style = b64encode(sha256(tree.findtext(".//style").encode()).digest()).decode()
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[:2] == ["default-src 'none'", f"style-src 'sha256-{style}'"]
    assert not tree.xpath("//script | //img | //link | //iframe | //@onclick | //@style | //@src")
    assert tree.xpath("string(/html/@lang)") == "en"
    assert len(tree.xpath("//main/h1")) == 1
    for field in tree.xpath("//textarea"):
        assert tree.xpath("//label[@for=$id]", id=field.get("id"))
    return tree


def told(answer: httpx.Response) -> str:
    return " ".join(page(answer).xpath("//main//*[@role]/text()"))


async def send(browser: httpx.AsyncClient, path: str, choice: str = "completed", **fields: str) -> httpx.Response:
    """Fill in the form and press one of its buttons, as a browser would."""
    [form] = page(await browser.get(path)).forms
    [button] = form.xpath(".//button[@value=$choice]", choice=choice)
    return await browser.post(
        urljoin(path, form.action), data={**dict(form.fields), **fields, button.get("name"): choice}
    )


async def test_what_is_asked_is_shown_and_to_look_changes_nothing(
    server: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    path = await asked(server)
    for _ in range(2):
        tree = page(await browser.get(path))
        assert tree.xpath("string(//*[@class='asked'])") == QUESTION
    assert (await server.get(path.split("/complete")[0])).json()["status"] == "waiting"


async def test_an_answer_is_taken_once(server: httpx.AsyncClient, browser: httpx.AsyncClient) -> None:
    path = await asked(server)
    answer = await send(browser, path, answer="Yes,\r\nby all means\0 ")
    assert (answer.status_code, urljoin(path, answer.headers["location"])) == (303, path)
    stands = (await server.get(path.split("/complete")[0])).json()
    assert (stands["status"], stands["output"]) == ("completed", "Yes,\nby all means")
    shown = await browser.get(path)
    assert "this is answered" in told(shown)
    assert not page(shown).forms
    late = await browser.post(path.replace("/complete", "/answer"), data={"answer": "No"})
    assert (late.status_code, "too late" in told(late)) == (409, True)
    again = await browser.post(path.replace("/complete", "/answer"), data={"answer": "Yes,\nby all means"})
    assert again.status_code == 303
    assert (await server.get(path.split("/complete")[0])).json() == stands


async def test_a_person_who_cannot_answer_says_so(server: httpx.AsyncClient, browser: httpx.AsyncClient) -> None:
    path = await asked(server)
    empty = await send(browser, path, answer="  ")
    assert (empty.status_code, "write an answer" in told(empty), len(page(empty).forms)) == (422, True, 1)
    assert (await send(browser, path, "failed", answer="ask Bob")).status_code == 303
    stands = (await server.get(path.split("/complete")[0])).json()
    assert (stands["status"], stands["error"]["message"]) == ("failed", "ask Bob")
    assert "will not be answered" in told(await browser.get(path))


async def test_who_does_not_hold_the_address_sees_nothing(
    server: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    path, other = await asked(server), await asked(server)
    wrong = path.split("=")[0] + "=" + other.split("=")[1]
    for at in (wrong, path.split("?")[0], re.sub(r"[0-9a-f-]{36}", "nothing", path)):
        for answer in (
            await browser.get(at),
            await browser.post(at.replace("/complete", "/answer"), data={"answer": "x"}),
        ):
            assert answer.status_code == 404
            assert "Müller" not in page(answer).text_content()
    assert (await server.get(path.split("/complete")[0])).json()["status"] == "waiting"


async def test_the_question_is_that_of_the_step(
    api: Api, server: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    steps = [{"name": "Approve", "tool": "ask_person", "input": {"question": QUESTION}}]
    payload = {"workflowName": "Ship", "workflowDescription": "", "modelId": "gpt-4o", "steps": steps}
    answer = await server.post("/api/jobs", json={"jobType": "workflow", "payload": payload})
    job_id = UUID(answer.raise_for_status().json()["jobId"])
    await api.steps.start(Delivery(job_id, "Approve", EPOCH, 1))
    await Plans(api.database).begin(
        Call(job_id, "Approve"), tool="ask_person", given={"question": "Really?"}, once=True
    )
    point, points = waitpoint_of(job_id, "Approve"), Waitpoints(api.database)
    token = Keyring([KEY]).wait_token(point)
    await points.open(point, token=token, about="x", within=timedelta(days=3), wait=StepWait(job_id, "Approve", EPOCH))
    path = f"/api/waitpoints/{point}/complete?token={token}"
    tree = page(await browser.get(path))
    assert (tree.findtext(".//h1"), tree.xpath("string(//*[@class='asked'])")) == ("Approve", "Really?")
    await server.post(f"/api/jobs/{job_id}/cancel", json={})
    await api.database.execute("UPDATE jobs SET finished_at = now(), status = 'canceled' WHERE id = $1", job_id)
    assert "Nobody waits" in told(await browser.get(path))
    late = await browser.post(path.replace("/complete", "/answer"), data={"answer": "x"})
    assert (late.status_code, "too late" in told(late)) == (409, True)


async def test_after_its_time_nobody_is_asked(api: Api, server: httpx.AsyncClient, browser: httpx.AsyncClient) -> None:
    path = await asked(server)
    await api.database.execute("UPDATE waitpoints SET expires_at = now() - interval '1 second'")
    assert "time to answer is over" in told(await browser.get(path))
