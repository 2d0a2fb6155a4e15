"""Telling the world on a real ledger, a real engine and real sockets: back-off, ends, resends, lost executions."""

import json
from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest
import pytest_asyncio
from temporalio.client import WorkflowExecutionStatus
from temporalio.worker import Replayer

from domain.job import Status
from domain.telling import EVENTS, new_secret
from engine.plugin import plugin
from tests.support.site_server import Answer, redirect
from tests.support.stack_parts import until
from tests.support.telling import OF_JOBS, RETRY, TIMEOUT, World, made, verified
from workflows import telling as flows


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(postgres_url: str, template: str, temporal_address: str) -> AsyncGenerator[World]:
    async with made(postgres_url, template, temporal_address) as world:
        yield world


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_job_is_told_as_it_began_and_as_it_ended(world: World) -> None:
    owner = uuid4().hex
    endpoint = await world.endpoint(owner=owner, events=EVENTS)
    job_id = await world.completed(owner=owner, payload={"secret": "payload"})
    [began, ended] = await endpoint.settled()
    assert (began.event, ended.event) == ("job.started", "job.completed")
    told = {body["type"]: body for body in endpoint.told()}
    assert set(told) == {"job.started", "job.completed"}
    for body in told.values():
        assert body["data"]["jobId"] == str(job_id)
        assert "payload" not in body["data"]
        assert body["timestamp"].endswith("Z")
    first, last = told["job.started"]["data"], told["job.completed"]["data"]
    assert (first["status"], first["isComplete"], first["result"], first["finishedAt"]) == (
        "running",
        False,
        None,
        None,
    )
    assert (last["status"], last["isSuccess"], last["result"]) == ("completed", True, {"said": "yes"})
    assert {asked.headers["webhook-id"] for asked in endpoint.asked} == {began.event_id, ended.event_id}


async def test_what_fails_is_tried_again_under_the_same_id(world: World) -> None:
    endpoint = await world.endpoint(Answer(500), redirect("/elsewhere"))
    await world.completed()
    [delivery] = await endpoint.settled()
    assert delivery.status == "delivered"
    assert [attempt["statusCode"] for attempt in delivery.log] == [500, 302, 204]
    assert [attempt["error"] for attempt in delivery.log] == ["http_500", "http_302", None]
    assert {asked.headers["webhook-id"] for asked in endpoint.asked} == {delivery.event_id}
    assert world.site.hits["/elsewhere"] == 0, "redirects are not followed"
    assert len(endpoint.told()) == 3
    assert len({asked.body for asked in endpoint.asked}) == 1, "every attempt says the same"


async def test_who_hangs_is_tried_again(world: World) -> None:
    endpoint = await world.endpoint(Answer(delay=20))
    await world.completed()
    [delivery] = await endpoint.settled()
    assert [(attempt["statusCode"], attempt["error"]) for attempt in delivery.log] == [(None, "timeout"), (204, None)]
    assert 0.8 * TIMEOUT < delivery.log[0]["durationMs"] / 1000 < 20


async def test_when_the_schedule_is_used_up_it_has_failed(world: World) -> None:
    endpoint = await world.endpoint(*[Answer(404)] * 9)
    await world.completed()
    [delivery] = await endpoint.settled()
    assert (delivery.status, len(delivery.log)) == ("failed", 1 + len(RETRY))
    again = await world.deliveries.resend(endpoint.id, delivery.id)
    assert again is not None
    [resent] = await endpoint.settled()
    assert len(resent.log) == 2 * len(delivery.log), "a resend has the whole schedule again"
    assert {asked.headers["webhook-id"] for asked in endpoint.asked} == {delivery.event_id}


async def test_gone_disables_the_endpoint(world: World) -> None:
    endpoint = await world.endpoint(Answer(410))
    await world.completed()
    [delivery] = await endpoint.settled()
    assert (delivery.status, len(delivery.log)) == ("failed", 1)
    made = await world.webhooks.get(endpoint.id)
    assert made is not None
    assert (made.status, made.disabled_reason) == ("disabled", "the receiver answered 410 (gone)")
    await world.completed()
    assert len(await endpoint.settled()) == 1, "what happens later is not kept for it"

    assert await world.deliveries.resend(endpoint.id, delivery.id)
    [refused] = await endpoint.settled()
    assert (refused.status, refused.log[-1]["error"]) == ("failed", "endpoint_disabled")
    await world.webhooks.change(endpoint.id, active=True)
    assert await world.deliveries.resend(endpoint.id, delivery.id)
    [delivered] = await endpoint.settled()
    assert (delivered.status, len(endpoint.asked)) == ("delivered", 2)


async def test_retry_after_is_kept_and_a_resend_does_not_wait_for_it(world: World) -> None:
    endpoint = await world.endpoint(Answer(503, {"retry-after": "3600"}))
    await world.completed()
    waiting = await endpoint.tried(1)
    assert waiting.status == "pending"
    assert waiting.next_attempt_at is not None
    assert 3500 < (waiting.next_attempt_at - waiting.created_at).total_seconds() < 3700
    assert await world.deliveries.resend(endpoint.id, waiting.id)
    [delivered] = await endpoint.settled()
    assert delivered.status == "delivered"
    assert len(endpoint.told()) == 2


async def test_both_secrets_sign_after_a_rotation(world: World) -> None:
    endpoint, newer = await world.endpoint(), new_secret()
    await world.webhooks.rotate(endpoint.id, newer)
    await world.completed()
    await endpoint.settled()
    assert endpoint.told() == endpoint.told(newer)
    await world.book.database.execute("UPDATE webhooks SET previous_until = now() WHERE id = $1", endpoint.id)
    await world.completed()
    await endpoint.settled()
    assert len(endpoint.asked[-1].headers["webhook-signature"].split()) == 1
    verified(endpoint.asked[-1], newer)


async def test_a_jobs_own_webhook_is_signed_by_the_services_secret(world: World) -> None:
    path = f"/{uuid4().hex}"
    world.site.routes[path] = Answer(200)
    job_id = await world.book.running(webhook=world.site.url + path)
    await world.book.end(job_id, Status.TIMED_OUT)

    async def settled() -> bool:
        found = await world.deliveries.of_job(job_id)
        return all(one.status == "delivered" for one in found) and len(found) == 2

    await until(settled)
    told = [verified(asked, OF_JOBS) for asked in world.site.asked if asked.path == path]
    assert sorted((body["type"], body["data"]["status"]) for body in told) == [
        ("job.failed", "timed_out"),
        ("job.started", "running"),
    ]


async def test_a_private_address_is_not_told_and_not_tried_again(world: World) -> None:
    made = await world.webhooks.create("", "http://127.0.0.1:9/x", ("job.completed",), new_secret())
    await world.completed()

    async def settled() -> bool:
        return (await world.deliveries.list(made.id, limit=1))[0].status == "failed"

    await until(settled)
    [delivery] = await world.deliveries.list(made.id, limit=1)
    assert [attempt["error"] for attempt in delivery.log] == ["address_refused"]
    await world.webhooks.delete(made.id)


async def test_an_execution_that_was_lost_is_begun_anew_where_it_stood(world: World) -> None:
    endpoint = await world.endpoint(Answer(503, {"retry-after": "60"}))
    await world.completed()
    waiting = await endpoint.tried(1)
    handle = world.client.get_workflow_handle(f"webhook-{waiting.id}")
    await handle.terminate()
    await world.book.database.execute("UPDATE deliveries SET due_at = now(), look_at = now() WHERE id = $1", waiting.id)
    [delivered] = await endpoint.settled()
    assert (delivered.status, len(delivered.log)) == ("delivered", 2)
    assert {asked.headers["webhook-id"] for asked in endpoint.asked} == {waiting.event_id}


async def test_what_is_not_due_yet_is_not_told_by_who_looks_again(world: World) -> None:
    endpoint = await world.endpoint(Answer(503, {"retry-after": "3600"}))
    await world.completed()
    waiting = await endpoint.tried(1)
    await world.book.database.execute("UPDATE deliveries SET look_at = now() WHERE id = $1", waiting.id)
    handle = world.client.get_workflow_handle(f"webhook-{waiting.id}")

    async def looked() -> bool:
        history = await handle.fetch_history()
        return sum(event.HasField("activity_task_completed_event_attributes") for event in history.events) == 2

    await until(looked)
    assert len(endpoint.asked) == 1
    await handle.terminate()


async def test_histories_hold_an_id_and_nothing_else_and_replay(world: World) -> None:
    endpoint = await world.endpoint(Answer(500))
    await world.completed(payload={"word": "a-word-of-the-payload"})
    [delivery] = await endpoint.settled()
    handle = world.client.get_workflow_handle(f"webhook-{delivery.id}")

    async def over() -> bool:
        return (await handle.describe()).status == WorkflowExecutionStatus.COMPLETED

    await until(over)
    history = await handle.fetch_history()
    text = json.dumps(history.to_json_dict())
    for hidden in (endpoint.path, endpoint.secret, "a-word-of-the-payload"):
        assert hidden not in text
    await Replayer(workflows=[flows.DeliverWebhook], plugins=[plugin()]).replay_workflow(history)
