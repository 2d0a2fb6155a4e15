"""An owner's feed: what is open first, then everything that happens to any of the owner's jobs, once."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from api import events
from domain.job import Outcome, Status
from tests.api.conftest import Api
from tests.api.test_events import step

Said = tuple[str, str, UUID]


class Following:
    """An open feed; `last` is the id that a browser would keep."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines: AsyncIterator[str] = response.aiter_lines()
        self.last: str | None = None

    async def next(self) -> tuple[str, Any]:
        """(event, data) of the next event."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    self.last = fields.get("id", self.last)
                elif "data" in fields:
                    return fields["event"], json.loads(fields["data"])
        raise EOFError

    async def position(self) -> str:
        """The id once there is one: a comment or an empty event brings it."""
        async with asyncio.timeout(20):
            while self.last is None:
                line = await anext(self._lines)
                if line.startswith("id: "):
                    self.last = line.removeprefix("id: ")
        return self.last

    async def some(self, number: int) -> list[Said]:
        """(event, what it says, job) of so many events."""
        return [said(*await self.next()) for _ in range(number)]


def said(event: str, data: Any) -> Said:
    what = data["name"] + " " + data["status"] if event == "step" else data.get("status") or data["text"]
    return event, what, UUID(data["jobId"])


@asynccontextmanager
async def follow(client: httpx.AsyncClient, owner: str = "ann", last: str | None = None) -> AsyncGenerator[Following]:
    headers = {} if last is None else {"Last-Event-ID": last}
    async with client.stream("GET", f"/api/jobs/events?owner={owner}", headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield Following(response)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "REREAD_SECONDS", 0.1)


def told(job_id: UUID) -> list[Said]:
    """What is told of `life` after the job was opened."""
    return [
        ("job", "running", job_id),
        ("step", "scrape_website running", job_id),
        ("step", "scrape_website completed", job_id),
        ("progress", "1/4", job_id),
        ("done", "completed", job_id),
    ]


async def life(api: Api, job_id: UUID) -> None:
    await api.steps.start(step(job_id, "scrape_website"))
    await api.steps.end(step(job_id, "scrape_website"), "completed", output="{}")
    await api.jobs.finish(Outcome(job_id=job_id, status=Status.COMPLETED, result={"x": 1}, answered_by="offline"))


async def test_a_feed_tells_what_is_open_and_whatever_happens(api: Api, server: httpx.AsyncClient) -> None:
    ended = await api.opened(owner="ann")
    await life(api, ended)
    older, newer = await api.opened(owner="ann"), await api.opened(owner="ann")
    await api.opened(owner="bob")
    async with follow(server) as feed:
        assert await feed.some(2) == [("job", "queued", newer), ("job", "queued", older)]
        await feed.position()
        await life(api, older)
        assert await feed.some(5) == told(older)
        fresh = await api.opened(owner="ann", tags=["a"])
        event, data = await feed.next()
        job = (await server.get(f"/api/jobs/{fresh}")).json()
        assert (event, data | {"updatedAt": 0}) == ("job", job | {"updatedAt": 0})
        await server.patch(f"/api/jobs/{fresh}", json={"metadata": {"set": {"n": 1}}})
        assert (await feed.next())[1]["metadata"] == {"n": 1}
        await api.jobs.finish(Outcome(job_id=fresh, status=Status.CANCELED), canceled_by="somebody")
        event, data = await feed.next()
        assert (event, data) == ("done", (await server.get(f"/api/jobs/{fresh}")).json())


async def test_a_feed_is_taken_up_after_any_event(api: Api, server: httpx.AsyncClient) -> None:
    async with follow(server) as feed:
        positions = [await feed.position()]
        one, two = await api.opened(owner="ann"), await api.opened(owner="ann")
        await life(api, one)
        await life(api, two)
        whole: list[Said] = []
        for _ in range(12):
            whole += await feed.some(1)
            assert feed.last
            positions.append(feed.last)
    assert whole == [("job", "queued", one), ("job", "queued", two), *told(one), *told(two)]
    for number, position in enumerate(positions):
        if whole[number - 1][0] == "step" and number < len(whole) and whole[number][0] == "progress":
            continue  # a step's progress is told with it
        async with follow(server, last=position) as feed:
            assert await feed.some(len(whole) - number) == whole[number:]


async def test_nothing_is_lost_or_told_twice_when_transactions_overlap(api: Api, server: httpx.AsyncClient) -> None:
    slow, quick = await api.opened(owner="ann"), await api.opened(owner="ann")
    async with follow(server) as feed:
        await feed.some(2)
        await feed.position()
        async with api.database.acquire() as connection, connection.transaction():
            await connection.execute(
                """WITH bumped AS (UPDATE jobs SET event_seq = event_seq + 1, status = 'running', started_at = now()
                    WHERE id = $1 RETURNING id, event_seq)
                INSERT INTO job_events (job_id, seq, type, data)
                SELECT id, event_seq, 'job', '{"status": "running"}' FROM bumped""",
                slow,
            )
            await api.jobs.finish(Outcome(job_id=quick, status=Status.COMPLETED, result={}))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.4):
                    await feed.next()
    async with follow(server, last=feed.last) as feed:
        assert await feed.some(2) == [("job", "running", slow), ("done", "completed", quick)]
        last = feed.last
    async with follow(server, last=last) as feed:
        await api.jobs.finish(Outcome(job_id=slow, status=Status.COMPLETED, result={}))
        assert await feed.some(1) == [("done", "completed", slow)]


@pytest.mark.parametrize("last", ["nonsense", "12", f"ffffffffff-{UUID(int=0).hex}-0"])
async def test_an_id_that_is_none_of_ours_begins_anew(api: Api, server: httpx.AsyncClient, last: str) -> None:
    job_id = await api.opened(owner="ann")
    async with follow(server, last=last) as feed:
        assert await feed.some(1) == [("job", "queued", job_id)]


async def test_a_silent_feed_is_kept_alive_and_its_comments_move_its_place(
    api: Api, server: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "COMMENT_SECONDS", 0.05)
    async with server.stream("GET", "/api/jobs/events?owner=nobody") as response:
        lines = response.aiter_lines()
        first = await anext(lines)
        await life(api, await api.opened(owner="ann"))
        async with asyncio.timeout(20):
            comments, last = 0, first
            while comments < 3 or last == first:
                line = await anext(lines)
                comments += line.startswith(":")
                last = line if line.startswith("id: ") else last


async def test_a_feed_is_the_owners_and_the_servers(api: Api, server: httpx.AsyncClient) -> None:
    assert (await server.get("/api/jobs/events")).status_code == 404
    token = await api.token("read:owner:ann", owner="ann")
    nobody = await api.client(None)
    for owner, status in (("bob", 404), ("", 404)):
        refused = await nobody.get(f"/api/jobs/events?owner={owner}&token={token}")
        assert refused.status_code == status
    assert (await nobody.get("/api/jobs/events?owner=ann")).status_code == 401
    job_id = await api.opened(owner="ann")
    async with nobody.stream("GET", f"/api/jobs/events?token={token}") as response:
        assert await Following(response).some(1) == [("job", "queued", job_id)]
