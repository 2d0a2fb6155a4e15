"""A receiver that fails, hangs and goes away while every part of the product is killed: each change is told once."""

import json
import re
from base64 import b64decode
from collections import defaultdict
from collections.abc import Generator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from standardwebhooks import Webhook

from domain.telling import EVENTS, webhook_secret
from ledger.migrate import migrate
from tests.acceptance.conftest import Errands
from tests.support.house import Database, Engine, House
from tests.support.mail_server import PASSWORD, USER, MailServer
from tests.support.processes import KEY, until
from tests.support.processes import Stack as Processes
from tests.support.site_server import Answer, Asked, SiteServer
from tests.support.stand_ins import Background

NOWHERE = "http://127.0.0.1:1/"
TOLD = {
    "running": "job.started",
    "completed": "job.completed",
    "failed": "job.failed",
    "canceled": "job.canceled",
}


class Receiver:
    """Answers as its script says, then as `mood` says; remembers what it said."""

    def __init__(self, *script: Answer, mood: Answer) -> None:
        self.script, self.mood = list(script), mood
        self.heard: list[tuple[Asked, int]] = []

    def __call__(self, asked: Asked) -> Answer:
        answer = self.script.pop(0) if self.script else self.mood
        self.heard.append((asked, 0 if answer.delay else answer.status))
        return answer

    def ids(self, secret: str, *, taken: bool = False) -> dict[tuple[str, str], set[str]]:
        """The ids by (job, event) of all that came, or of what was taken; each verified by the spec's own library."""
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for asked, status in self.heard:
            body: Any = Webhook(secret).verify(asked.body, dict(asked.headers))
            if not taken or 200 <= status < 300:
                found[body["data"]["jobId"], body["type"]].add(asked.headers["webhook-id"])
        return dict(found)


@pytest.fixture(scope="module")
def receivers(background: Background) -> Generator[SiteServer]:
    opened = AsyncExitStack()
    yield background.run(opened.enter_async_context(SiteServer()))
    background.run(opened.aclose())


@pytest.fixture(scope="module")
def mail(background: Background) -> Generator[MailServer]:
    opened = AsyncExitStack()
    yield background.run(opened.enter_async_context(MailServer(login=True)))
    background.run(opened.aclose())


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory,
    background: Background,
    receivers: SiteServer,
    mail: MailServer,
    words: SiteServer,
    installed: Path,
) -> Generator[House]:
    folder = tmp_path_factory.mktemp("house")
    database, engine = Database(folder / "postgres"), Engine(folder / "temporal")
    url = database.server.url()
    background.run(migrate(url, "longrun"))
    env = {
        "DATABASE_URL": url,
        "TEMPORAL_ADDRESS": engine.address,
        "TEMPORAL_NAMESPACE": "default",
        "PYTHONPATH": str(installed),
        "LONGRUN_FETCH_ALLOW": f"{receivers.authority},{words.authority}",
        "LONGRUN_WEBHOOK_RETRY": ",".join(["0.2"] * 60),
        "LONGRUN_WEBHOOK_TIMEOUT_SECONDS": "3",
        "SMTP_URL": f"smtp://{USER}:{quote(PASSWORD, safe='')}@{mail.authority}",
        "LONGRUN_EMAIL_FROM": "Jobs <jobs@service.example>",
    }
    stack = Processes(folder, background, env)
    worker, api = stack.worker(), stack.api()
    try:
        for service in (worker, api):
            service.launch()
        for service in (worker, api):
            service.ready()
        yield House(database, engine, stack, worker, api)
    finally:
        stack.stop()
        engine.process.stop()
        database.process.stop()
        database.server.remove_moved()


def pending(house: House) -> int:
    return house.stack.rows("SELECT count(*) AS n FROM deliveries WHERE status = 'pending'")[0]["n"]


def changes(house: House) -> set[tuple[str, str]]:
    """(job, event) for each change of a job that somebody is to be told of."""
    rows = house.stack.rows("SELECT job_id, data ->> 'status' AS status FROM job_events WHERE type = 'job'")
    return {(str(row["job_id"]), TOLD[row["status"]]) for row in rows if row["status"] in TOLD}


def start(house: House, payload: dict[str, str], **options: Any) -> str:
    asked = {"jobType": "errand", "payload": payload, "options": options}
    return house.stack.post("/api/jobs", asked)["jobId"]


def test_each_change_is_told_under_one_id_whatever_dies(
    house: House, receivers: SiteServer, words: SiteServer, errands: Errands
) -> None:
    hangs = Answer(delay=30)
    steady = Receiver(Answer(500), Answer(503), hangs, mood=hangs)
    gone, own = Receiver(mood=Answer(410)), Receiver(Answer(500), mood=Answer(204))
    receivers.routes |= {"/steady": steady, "/gone": gone, "/own": own}
    made = [
        house.stack.post("/api/webhooks", {"url": f"{receivers.url}{path}", "events": EVENTS})
        for path in ("/steady", "/gone")
    ]
    steadys, gones = (one["secret"] for one in made)

    errands.first.open("one")
    errands.then.open("two")
    completed = start(house, errands.payload, webhook=f"{receivers.url}/own")
    failed = start(house, {"first": NOWHERE, "then": NOWHERE}, retry={"maxAttempts": 1})
    house.stack.ended(completed)
    house.stack.ended(failed)
    until(lambda: len(steady.heard) > 3, what="a receiver that hangs")
    until(
        lambda: house.stack.rows("SELECT FROM webhooks WHERE status = 'disabled'"),
        what="the end of the one that is gone",
    )

    house.worker.kill()
    canceled = start(house, errands.payload)
    house.stack.post(f"/api/jobs/{canceled}/cancel", {})
    house.api.kill()
    house.kill("engine")
    house.kill("ledger")
    steady.mood = Answer(200)
    house.start("ledger")
    house.start("engine")
    for service in (house.worker, house.api):
        service.launch()
    for service in (house.worker, house.api):
        service.ready()
    assert house.stack.ended(canceled)["status"] == "canceled"
    until(lambda: not pending(house), 60, "the end of all deliveries")

    wanted = changes(house)
    assert {(completed, "job.completed"), (failed, "job.failed"), (canceled, "job.canceled")} < wanted
    heard, taken = steady.ids(steadys), steady.ids(steadys, taken=True)
    assert set(taken) == wanted, "none is lost"
    assert heard == taken, "each has one id, whether it was taken or not"
    assert [len(ids) for ids in heard.values()] == [1] * len(wanted)
    assert len({one for ids in heard.values() for one in ids}) == len(wanted), "and no two have the same"
    assert set(own.ids(webhook_secret(KEY), taken=True)) == {change for change in wanted if change[0] == completed}

    assert set(gone.ids(gones)) <= wanted
    assert (
        max(sum(asked.headers["webhook-id"] == one for asked, _ in gone.heard) for [one] in gone.ids(gones).values())
        == 1
    )
    gone.mood = Answer(200)
    place = f"/api/webhooks/{made[1]['id']}"
    active = httpx.patch(
        f"{house.stack.url}{place}", json={"status": "active"}, headers={"authorization": f"Bearer {KEY}"}, timeout=20
    )
    assert active.json()["disabledReason"] is None
    missed = house.stack.rows("SELECT id FROM deliveries WHERE webhook_id = $1::uuid", made[1]["id"])
    for row in missed:
        house.stack.post(f"{place}/deliveries/{row['id']}/resend", {})
    until(lambda: not pending(house), what="the end of what was sent again")
    assert len(gone.ids(gones, taken=True)) == len(missed)
    assert all(ids == heard[change] for change, ids in gone.ids(gones).items()), "all receivers know a change by one id"


def test_a_letter_says_how_a_job_ended(house: House, mail: MailServer, errands: Errands) -> None:
    errands.first.open("one")
    errands.then.open("two")
    mail.refusals.append("451 4.7.1 come back later")
    good = start(house, errands.payload, email="ann@example.com")
    bad = start(house, {"first": NOWHERE, "then": NOWHERE}, retry={"maxAttempts": 1}, email="bob@example.com")
    until(lambda: len(mail.letters) == 2, what="both letters")
    until(lambda: not pending(house), what="the end of all deliveries")
    letters = {letter.to[0]: letter for letter in mail.letters}
    said = {to: letter.message["Subject"] for to, letter in letters.items()}
    assert said == {"ann@example.com": "Completed: Run an errand", "bob@example.com": "Failed: Run an errand"}
    assert letters["ann@example.com"].sender == "jobs@service.example"
    for to, job_id in (("ann@example.com", good), ("bob@example.com", bad)):
        for part in ("plain", "html"):
            body = letters[to].message.get_body((part,))
            assert body is not None
            assert job_id in body.get_content()
    why = letters["bob@example.com"].message.get_body(("plain",))
    assert why is not None
    assert "internal_error in the step ask" in why.get_content()

    lines = [dict(line) for job_id in (good, bad) for line in house.stack.client().audit(job_id)]
    tries = [line["error"] for line in lines if line["type"] == "delivery" and line["channel"] == "email"]
    assert sorted(tries, key=str) == [None, None, "smtp_451"]
    [told] = house.stack.rows("SELECT id FROM deliveries WHERE job_id = $1::uuid AND channel = 'email'", good)
    shown = house.stack.temporal("workflow", "show", "--workflow-id", f"email-{told['id']}", "--output", "json")
    history = shown + "".join(b64decode(data).decode() for data in re.findall(r'"data": "([^"]+)"', shown))
    assert f'"{told["id"]}"' in history, "what it was started with"
    for place in (history, house.worker.log.decode(), house.api.log.decode()):
        assert "example.com" not in place


def test_the_logs_name_no_address_and_no_secret(house: House, receivers: SiteServer, errands: Errands) -> None:
    receiver = Receiver(Answer(500), mood=Answer(200))
    receivers.routes["/token-of-the-address"] = receiver
    secret = house.stack.post("/api/webhooks", {"url": f"{receivers.url}/token-of-the-address", "events": EVENTS})[
        "secret"
    ]
    errands.first.open("one")
    errands.then.open("two")
    house.stack.ended(start(house, errands.payload))
    until(lambda: receiver.heard and not pending(house), what="the end of all deliveries")
    until(lambda: b'"told"' in house.worker.log + house.api.log, what="a word in the logs")
    logs = house.worker.log + house.api.log
    assert b"token-of-the-address" not in logs
    assert secret.encode() not in logs
    assert json.loads(receiver.heard[0][0].body)["data"]["owner"] is None
