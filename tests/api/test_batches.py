"""Cancel of a whole batch: in one statement where nobody has begun, through the engine where somebody has."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx

from domain.job import Outcome, Status
from tests.api.conftest import RESEARCH, Api


async def batch(server: httpx.AsyncClient, size: int = 3, **options: Any) -> tuple[str, list[UUID]]:
    """The batch's own address and its jobs, for which no dispatcher comes yet."""
    options = {"delay": "1h", **options}
    items = [
        {"jobType": "research", "payload": {**RESEARCH, "role": f"role {n}"}, "options": options} for n in range(size)
    ]
    answer = await server.post("/api/jobs/batch", json={"items": items})
    assert answer.status_code == 202, answer.text
    return f"/api/batches/{answer.json()['batchId']}", [UUID(job_id) for job_id in answer.json()["jobIds"]]


async def hold(api: Api, *job_ids: UUID) -> None:
    """As if somebody were taking them to the engine."""
    await api.database.execute(
        "UPDATE jobs SET claimed_until = now() + interval '1 hour' WHERE id = ANY($1)", list(job_ids)
    )


async def test_a_batch_that_nobody_has_begun_ends_at_once(api: Api, server: httpx.AsyncClient) -> None:
    url, ids = await batch(server, 1000)
    answer = await server.post(f"{url}/cancel", json={"reason": "not needed"})
    assert answer.status_code == 202
    view = answer.json()
    assert (view["status"], view["progress"]["text"]) == ("canceled", "1000/1000")
    rows = await api.database.fetch(
        """SELECT j.status, j.cancel_reason, count(*) FROM jobs j JOIN job_events e ON e.job_id = j.id
        WHERE e.type = 'cancel_requested' GROUP BY 1, 2"""
    )
    assert sum(row["count"] for row in rows) == len(ids)
    assert {row["cancel_reason"] for row in rows} == {"not needed"}


async def test_what_has_begun_is_carried_to_the_engine_and_what_has_ended_stays(
    api: Api, server: httpx.AsyncClient
) -> None:
    url, [untouched, taken, done] = await batch(server)
    await hold(api, taken, done)
    await api.jobs.finish(Outcome(job_id=done, status=Status.COMPLETED, result={}))
    view = (await server.post(f"{url}/cancel")).json()
    shown = {UUID(job["jobId"]): job["status"] for job in view["jobs"]}
    assert shown == {untouched: "canceled", taken: "delayed", done: "completed"}
    again = await server.post(f"{url}/cancel")
    assert again.status_code == 202
    row = await api.database.row("SELECT cancel_requested_at IS NOT NULL AS asked FROM jobs WHERE id = $1", taken)
    assert row
    assert row["asked"]
    await api.jobs.finish(Outcome(job_id=taken, status=Status.CANCELED))
    late = await server.post(f"{url}/cancel")
    assert (late.status_code, late.json()["code"]) == (409, "not_cancelable")
    assert (await server.get(url)).json()["status"] == "canceled"


async def test_a_job_in_somebodys_hands_holds_up_no_other(api: Api, server: httpx.AsyncClient) -> None:
    """Who holds several rows may have locked them in another order: they are asked one by one."""
    url, ids = await batch(server)
    async with api.database.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM jobs WHERE id = $1 FOR NO KEY UPDATE", ids[1])
        asked = asyncio.ensure_future(server.post(f"{url}/cancel"))
        async with asyncio.timeout(20):
            while (await statuses(api, ids)).count("asked") < 2:
                await asyncio.sleep(0.02)
        assert not asked.done()
    assert (await asked).status_code == 202
    assert await statuses(api, ids) == ["asked"] * 3


async def statuses(api: Api, ids: list[UUID]) -> list[str]:
    rows = await api.database.fetch(
        """SELECT CASE WHEN cancel_requested_at IS NULL THEN 'open' ELSE 'asked' END AS status
        FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, n) JOIN jobs USING (id) ORDER BY n""",
        ids,
    )
    return [row["status"] for row in rows]


async def test_a_token_cancels_its_own_jobs_alone(api: Api, server: httpx.AsyncClient) -> None:
    anns, _ = await batch(server, 2, owner="ann")
    bobs, _ = await batch(server, 2, owner="bob")
    ann = await api.bearer("write:owner:ann", owner="ann")
    reader = await api.bearer("read:owner:ann", owner="ann")
    for caller, url in ((ann, bobs), (reader, anns), (ann, f"/api/batches/{uuid4()}"), (ann, "/api/batches/nonsense")):
        assert (await caller.post(f"{url}/cancel")).status_code == 404
    view = (await ann.post(f"{anns}/cancel")).json()
    rows = await api.database.fetch(
        "SELECT DISTINCT cancel_requested_by AS by FROM jobs WHERE batch_id = $1", UUID(view["batchId"])
    )
    assert [row["by"] for row in rows] == ["owner:ann"]
