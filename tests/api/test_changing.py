"""What may be changed of a job: its start while it waits, its tags and metadata."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain.job import Outcome, Status
from tests.api.conftest import RESEARCH, Api


async def waiting(api: Api, seconds: float = 600, **options: Any) -> UUID:
    """A job that is delayed by so many seconds, from the first: the API's own dispatcher never finds it due."""
    return await api.opened(delay=datetime.now(UTC) + timedelta(seconds=seconds), **options)


async def starts_in(api: Api, job_id: UUID, column: str = "not_before") -> float:
    row = await api.database.row(
        f"SELECT extract(epoch FROM {column} - now())::float8 AS left FROM jobs WHERE id = $1", job_id
    )
    assert row
    return row["left"]


async def last_event(server: httpx.AsyncClient, job_id: UUID) -> dict[str, Any]:
    return (await server.get(f"/api/jobs/{job_id}/audit")).json()["events"][-1]


async def test_a_delayed_job_is_given_another_start(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await waiting(api, owner="ann")
    await api.database.execute("UPDATE jobs SET start_by = not_before + interval '1 minute' WHERE id = $1", job_id)

    later = await server.post(f"/api/jobs/{job_id}/reschedule", json={"delay": "2h"})
    assert (later.status_code, later.json()["status"]) == (200, "delayed")
    assert 7100 < await starts_in(api, job_id) <= 7200
    assert 7160 < await starts_in(api, job_id, "start_by") <= 7260, "the time to start in goes along"

    writer = await api.bearer("write:owner:ann", owner="ann")
    at = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    assert (await writer.post(f"/api/jobs/{job_id}/reschedule", json={"delay": at})).status_code == 200
    told = await last_event(server, job_id)
    assert (told["type"], told["by"]) == ("rescheduled", "owner:ann")
    assert datetime.fromisoformat(told["notBefore"]) == datetime.fromisoformat(at)


async def test_only_a_delayed_job_is_rescheduled(api: Api, server: httpx.AsyncClient) -> None:
    for change in (
        "status = 'queued', claimed_until = now() + interval '1 hour'",
        "claimed_until = now() + interval '1 hour'",
        "status = 'running', started_at = now(), engine_started_at = now()",
        "status = 'canceled', finished_at = now()",
    ):
        job_id = await waiting(api)
        await api.database.execute(f"UPDATE jobs SET {change} WHERE id = $1", job_id)
        refused = await server.post(f"/api/jobs/{job_id}/reschedule", json={"delay": "1h"})
        assert (refused.status_code, refused.json()["code"]) == (409, "not_delayed"), change


@pytest.mark.parametrize("delay", ["1x", "", None, 5, "999999999d", "2026-13-01T00:00:00Z", "2026-03-01T00:00:00"])
async def test_a_delay_that_is_none_is_refused(api: Api, server: httpx.AsyncClient, delay: object) -> None:
    job_id = await waiting(api)
    refused = await server.post(f"/api/jobs/{job_id}/reschedule", json={"delay": delay})
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"].startswith("/delay")
    assert 500 < await starts_in(api, job_id) <= 600


async def test_tags_and_metadata_are_changed(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened(owner="ann", tags=["old"], metadata={"n": 1, "list": [1], "word": "a", "gone": True})
    change = {
        "tags": ["new", "newer"],
        "metadata": {
            "set": {"k": {"a": None}, "n": 5},
            "append": {"list": {"x": 2}, "word": "b", "fresh": 1},
            "increment": {"n": 0.5, "m": -2},
            "remove": ["gone", "never there"],
        },
    }
    answer = await server.patch(f"/api/jobs/{job_id}", json=change)

    assert answer.status_code == 200, answer.text
    assert answer.json() == (await server.get(f"/api/jobs/{job_id}")).json()
    assert answer.json()["tags"] == ["new", "newer"]
    assert answer.json()["metadata"] == {
        "k": {"a": None}, "n": 5.5, "m": -2, "list": [1, {"x": 2}], "word": ["a", "b"], "fresh": [1],
    }  # fmt: skip
    told = await last_event(server, job_id)
    assert (told["type"], told["seq"], told["tags"]) == ("changed", 2, ["new", "newer"])
    assert told["metadata"] == ["fresh", "gone", "k", "list", "m", "n", "never there", "word"]
    assert told["by"]


async def test_what_is_left_out_stays_and_an_ended_job_can_be_noted_on(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened(tags=["a"], metadata={"n": 1})
    await api.jobs.finish(Outcome(job_id=job_id, status=Status.COMPLETED, result={}))
    assert (await server.patch(f"/api/jobs/{job_id}", json={"metadata": {"set": {"seen": True}}})).status_code == 200
    noted = (await server.patch(f"/api/jobs/{job_id}", json={"tags": []})).json()
    assert (noted["tags"], noted["metadata"], noted["status"]) == ([], {"n": 1, "seen": True}, "completed")


async def test_changes_that_race_are_all_kept(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened()
    ask = {"increment": {"n": 1}, "append": {"list": "x"}}
    answers = await asyncio.gather(*(server.patch(f"/api/jobs/{job_id}", json={"metadata": ask}) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await server.get(f"/api/jobs/{job_id}")).json()["metadata"] == {"n": 20, "list": ["x"] * 20}


async def test_a_change_that_does_not_fit_changes_nothing(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened(metadata={"a/b": "word", "list": []})
    before = (await server.get(f"/api/jobs/{job_id}")).json()
    for change, status, pointer in (
        ({"metadata": {"set": {"k": 1}, "increment": {"a/b": 1}}}, 422, "/metadata/increment/a~1b"),
        ({"tags": ["a"], "metadata": {"append": {"list": "x" * 263_000}}}, 413, "/metadata"),
        ({"tags": ["a"] * 11}, 422, "/tags"),
        ({"tags": [""]}, 422, "/tags/0"),
        ({"metadata": {"increment": {"n": "1a"}}}, 422, "/metadata/increment/n/float"),
        ({"metadata": {"nope": {}}}, 422, "/metadata/nope"),
        ({"status": "completed"}, 422, "/status"),
    ):
        refused = await server.patch(f"/api/jobs/{job_id}", json=change)
        assert refused.status_code == status, refused.text
        assert refused.json()["errors"][0]["pointer"] == pointer
    assert (await server.get(f"/api/jobs/{job_id}")).json() == before


async def test_only_the_owner_and_servers_change_a_job(api: Api) -> None:
    job_id = await waiting(api, owner="ann", tags=["shared"])
    for scopes, status in (
        (["write:owner:ann"], 200),
        (["read:owner:ann"], 404),
        (["write:owner:bob"], 404),
        ([f"read:jobs:{job_id}"], 404),
        (["read:tags:shared"], 404),
    ):
        caller = await api.bearer(*scopes)
        patched = await caller.patch(f"/api/jobs/{job_id}", json={"metadata": {"set": {"k": 1}}})
        moved = await caller.post(f"/api/jobs/{job_id}/reschedule", json={"delay": "1h"})
        assert [patched.status_code, moved.status_code] == [status, status], scopes
    server = await api.client()
    for unknown in (uuid4(), "nonsense"):
        assert (await server.patch(f"/api/jobs/{unknown}", json={})).status_code == 404
        assert (await server.post(f"/api/jobs/{unknown}/reschedule", json={"delay": "1h"})).status_code == 404


async def test_debounced_calls_answer_the_waiting_job(server: httpx.AsyncClient) -> None:
    def asked(role: str, **debounce: Any) -> dict[str, Any]:
        options = {"owner": "ann", "debounce": {"key": "k", "delay": "5m", **debounce}}
        return {"jobType": "company-research", "payload": {**RESEARCH, "role": role}, "options": options}

    first = await server.post("/api/jobs", json=asked("one"))
    again = await server.post("/api/jobs", json=asked("two", mode="trailing"))
    batch = await server.post("/api/jobs/batch", json={"items": [asked("three"), asked("four", key="other")]})

    assert (first.status_code, first.json()["status"]) == (202, "delayed")
    assert (again.status_code, again.json()) == (202, first.json())
    joined, other = batch.json()["jobIds"]
    assert joined == first.json()["jobId"] != other
    assert (await server.get(f"/api/jobs/{joined}")).json()["payload"]["role"] == "two", "the batch's mode was leading"


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"debounce": {"key": "k", "delay": "0s"}}, "/options/debounce/delay"),
        ({"debounce": {"key": "k", "delay": "2d"}}, "/options/debounce/delay"),
        ({"debounce": {"key": "", "delay": "1s"}}, "/options/debounce/key"),
        ({"debounce": {"key": "k"}}, "/options/debounce/delay"),
        ({"debounce": {"key": "k", "delay": "1s", "mode": "both"}}, "/options/debounce/mode"),
        ({"debounce": {"key": "k", "delay": "1s"}, "delay": "1m"}, "/options/delay"),
        ({"debounce": {"key": "k", "delay": "1s"}, "skipIfActive": True}, "/options/debounce"),
    ],
)
async def test_a_debounce_that_does_not_fit_is_refused(
    server: httpx.AsyncClient, options: dict[str, Any], pointer: str
) -> None:
    refused = await server.post("/api/jobs", json={"jobType": "research", "payload": RESEARCH, "options": options})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
