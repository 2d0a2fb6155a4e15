"""The event stream: snapshot first, everything after it once, taken up anywhere, over when the job is."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from api import events
from domain.job import Failure, Outcome, Status
from ledger.steps import Delivery
from tests.api.conftest import Api

SHOWN = ("name", "status", "attempt", "maxAttempts")


class Stream:
    """The events of an open stream, as (id, event, data)."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self._lines: AsyncIterator[str] = response.aiter_lines()
        self.comments = 0

    async def next(self) -> tuple[int | None, str, Any]:
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    number = int(fields["id"]) if "id" in fields else None
                    return number, fields["event"], json.loads(fields["data"])
        raise EOFError

    async def rest(self) -> list[tuple[int | None, str, Any]]:
        """Everything until the server ends the stream."""
        found: list[tuple[int | None, str, Any]] = []
        with suppress(EOFError):
            while True:
                found.append(await self.next())
        return found


@asynccontextmanager
async def follow(client: httpx.AsyncClient, job_id: UUID, last: int | None = None) -> AsyncGenerator[Stream]:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    async with client.stream("GET", f"/api/jobs/{job_id}/events", headers=headers) as response:
        yield Stream(response)


def step(job_id: UUID, name: str, number: int = 1) -> Delivery:
    return Delivery(job_id, name, datetime(2026, 1, 1, tzinfo=UTC), number)


async def work(api: Api, job_id: UUID) -> None:
    """A job's life: one step that is tried twice, one that a stand-in answers for, and the end. Events 2 to 9."""
    await api.steps.start(step(job_id, "scrape_website"))
    broken = Failure(code="timeout", message="the site did not answer", step="scrape_website", retryable=True)
    await api.steps.end(step(job_id, "scrape_website"), "failure", error=broken)
    await api.steps.start(step(job_id, "scrape_website", 2))
    await api.steps.end(step(job_id, "scrape_website", 2), "completed", output="{}")
    await api.steps.start(step(job_id, "analyze#otherwise"))
    await api.steps.end(step(job_id, "analyze#otherwise"), "completed", output="{}")
    await api.jobs.finish(Outcome(job_id=job_id, status=Status.COMPLETED, result={"x": 1}, answered_by="offline"))


TOLD = [(2, "job"), (3, "step"), (4, "step"), (5, "step"), (6, "step"), (None, "progress"), (9, "done")]


async def test_a_stream_tells_a_jobs_life(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened()
    async with follow(server, job_id) as stream:
        first = await stream.next()
        assert first[:2] == (1, "job")
        assert first[2] == (await server.get(f"/api/jobs/{job_id}")).json()

        await work(api, job_id)
        told = await stream.rest()

    assert [event[:2] for event in told] == TOLD
    assert (told[0][2]["status"], told[0][2]["isComplete"]) == ("running", False)
    assert told[0][2]["startedAt"]
    steps = [data for _, event, data in told if event == "step"]
    assert [tuple(data[name] for name in SHOWN) for data in steps] == [
        ("scrape_website", "running", 1, 3),
        ("scrape_website", "retrying", 2, 3),
        ("scrape_website", "running", 2, 3),
        ("scrape_website", "completed", 2, 3),
    ]
    assert steps[1]["error"]["code"] == "timeout"
    assert [data["progress"]["text"] for data in steps] == ["0/4", "0/4", "0/4", "1/4"]
    assert told[5][2]["text"] == "1/4"
    assert told[-1][2] == (await server.get(f"/api/jobs/{job_id}")).json()


@pytest.mark.parametrize("last", range(10))
async def test_a_stream_is_taken_up_after_any_event(api: Api, server: httpx.AsyncClient, last: int) -> None:
    job_id = await api.opened()
    async with follow(server, job_id, last=0) as whole:
        first = await whole.next()
        assert (first[:2], first[2]["status"]) == ((1, "job"), "queued")
        await work(api, job_id)
        told = [first, *await whole.rest()]

    async with follow(server, job_id, last) as stream:
        if last == 9:
            assert stream.status == 204, "a browser stops asking"
        else:
            at = next(n for n, event in enumerate(told) if event[0] and event[0] > last)
            rest = await stream.rest()
            assert [event[:2] for event in rest] == [event[:2] for event in told[at:]]
            assert [_steady(data) for *_, data in rest] == [_steady(data) for *_, data in told[at:]]


def _steady(data: dict[str, Any]) -> dict[str, Any]:
    """Without the moment of the last write, which grows on."""
    return {name: value for name, value in data.items() if name != "updatedAt"}


async def test_an_ended_job_is_told_whole(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened()
    await work(api, job_id)
    async with follow(server, job_id) as stream:
        told = await stream.rest()
    assert [event[:2] for event in told] == [(8, "job"), (9, "done")]
    assert told[0][2] == told[1][2] == (await server.get(f"/api/jobs/{job_id}")).json()


async def test_a_canceled_job_ends_its_stream(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened()
    async with follow(server, job_id) as stream:
        await stream.next()
        await api.jobs.finish(Outcome(job_id=job_id, status=Status.CANCELED), canceled_by="temporal cli")
        told = await stream.rest()
    assert [(number, event) for number, event, _ in told] == [(3, "done")]
    assert told[0][2]["isCanceled"]


@pytest.mark.parametrize("last", ["nonsense", "-1", "99"])
async def test_a_number_that_is_none_of_ours_begins_anew(api: Api, server: httpx.AsyncClient, last: str) -> None:
    job_id = await api.opened()
    headers = {"Last-Event-ID": last}
    async with server.stream("GET", f"/api/jobs/{job_id}/events", headers=headers) as response:
        assert (await Stream(response).next())[:2] == (1, "job")


async def test_many_streams_share_few_connections_and_need_no_notice(
    api: Api, server: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty streams on a pool of ten; the one listening connection is killed, rereading does it."""
    monkeypatch.setattr(events, "REREAD_SECONDS", 0.2)
    job_id = await api.opened()

    async def watch() -> list[tuple[int | None, str, Any]]:
        async with follow(server, job_id) as stream:
            first = await stream.next()
            started.release()
            return [first, *await stream.rest()]

    started = asyncio.Semaphore(0)
    watching = [asyncio.create_task(watch()) for _ in range(30)]
    for _ in watching:
        await started.acquire()
    count = """SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
    row = await api.database.row(count)
    assert row
    assert row["count"] <= 12
    await api.database.execute(
        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN%'"""
    )
    await work(api, job_id)

    for told in await asyncio.gather(*watching):
        assert [event[:2] for event in told] == [(1, "job"), *TOLD]


async def test_a_silent_stream_is_kept_alive(
    api: Api, server: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "COMMENT_SECONDS", 0.05)
    job_id = await api.opened()
    async with follow(server, job_id) as stream:
        await stream.next()
        waiting = asyncio.create_task(stream.rest())
        async with asyncio.timeout(20):
            while stream.comments < 3:
                await asyncio.sleep(0.01)
        await api.jobs.finish(Outcome(job_id=job_id, status=Status.COMPLETED, result={}))
        assert [event[:2] for event in await waiting] == [(2, "done")]


async def test_browsers_may_pass_the_token_in_the_address(api: Api) -> None:
    job_id = await api.opened(owner="ann")
    nobody = await api.client(None)
    async with nobody.stream("GET", f"/api/jobs/{job_id}/events?token={await api.token('read:owner:ann')}") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert (await Stream(response).next())[:2] == (1, "job")
    token = await api.token("read:owner:ann")
    assert (await nobody.get(f"/api/jobs/{job_id}?token={token}")).status_code == 401, "on streams alone"
