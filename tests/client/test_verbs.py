"""The newer verbs against the real API and a real ledger, blocking and not; the engine is down, as it may be."""

from datetime import UTC, datetime, timedelta

import pytest

from api import events
from longrun import AsyncClient, Client, Debounce, LongrunError, Options, Retry
from tests.client import test_real_api

RESEARCH = {"companyName": "Stripe", "role": "SRE"}
api = test_real_api.api


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "REREAD_SECONDS", 0.1)


def test_a_job_is_asked_for_in_the_words_of_a_job_layer(api: Client) -> None:
    retry = Retry(max_attempts=5, min_timeout_in_ms=1000, max_timeout_in_ms=10000, factor=2)
    options = Options(tags=("b",), metadata={"n": 1})
    started = api.schedule_job("research", RESEARCH, tag="a", user_id=7, retry=retry, options=options)
    job = api.get(started.job_id)
    assert (job.owner, job.tags, job.metadata) == ("7", ("a", "b"), {"n": 1})
    assert [step.max_attempts for step in job.steps] == [5] * 4
    assert api.get(api.schedule_job("research", RESEARCH).job_id).owner is None
    assert api.cancel_job(started.job_id, "not needed").is_canceled


def test_a_waiting_job_is_moved_and_any_job_is_changed(api: Client) -> None:
    waiting = Options(debounce=Debounce(key="k", delay="5m"))
    job_id = api.start("research", RESEARCH, waiting).job_id
    assert api.start("research", RESEARCH, waiting).job_id == job_id
    assert api.reschedule(job_id, "1h").status == "delayed"
    assert api.reschedule(job_id, datetime.now(UTC) + timedelta(hours=2)).status == "delayed"
    changed = api.patch(job_id, tags=["a"], metadata={"set": {"k": 1}, "append": {"l": "x"}, "increment": {"k": 2}})
    assert (changed.tags, changed.metadata) == (("a",), {"k": 3, "l": ["x"]})
    assert api.patch(job_id, metadata={"remove": ["l"]}).metadata == {"k": 3}
    api.cancel(job_id)
    with pytest.raises(LongrunError) as caught:
        api.reschedule(job_id, "1h")
    assert caught.value.code == "not_delayed"


def test_users_are_told_of_and_erased(api: Client) -> None:
    told = api.put_user("a/b", tier="premium", timezone="Europe/Berlin", heart_rate={"max": 190}, auto_generate=True)
    assert (told.id, told.tier, told.email, told.auto_generate) == ("a/b", "premium", None, True)
    assert told.heart_rate
    assert told.heart_rate.max == 190
    assert api.get_user("a/b") == told
    assert api.delete_user("a/b").job_type == "erase-user"
    with pytest.raises(LongrunError) as caught:
        api.get_user("a/b")
    assert caught.value.code == "not_found"


def test_an_owners_jobs_are_followed(api: Client) -> None:
    options = Options(owner="a&b")
    first = api.start("research", RESEARCH, options).job_id
    feed = api.stream_owner("a&b")
    assert (told := next(feed)).data["jobId"] == first
    api.cancel(first)
    told = next(feed)
    assert (told.event, told.data["jobId"]) == ("done", first)
    second = api.start("research", RESEARCH, options).job_id
    third = api.start("research", RESEARCH, options).job_id
    assert [next(feed).data["jobId"] for _ in range(2)] == [second, third]
    again = api.stream_owner("a&b", told.id)
    assert [next(again).data["jobId"] for _ in range(2)] == [second, third]


async def test_the_same_without_blocking(api: Client) -> None:
    async with AsyncClient(api.target.url, api.target.key) as client:
        job_id = (await client.schedule_job("research", RESEARCH, user_id="ann", tag="a")).job_id
        feed = client.stream_owner("ann")
        assert (await anext(feed)).data["jobId"] == job_id
        assert (await client.patch(job_id, metadata={"set": {"k": 1}})).metadata == {"k": 1}
        assert (await anext(feed)).data["metadata"] == {"k": 1}
        with pytest.raises(LongrunError):
            await client.reschedule(job_id, "1h")
        assert (await client.cancel_job(job_id)).is_canceled
        assert (await anext(feed)).event == "done"
        assert (await client.put_user("ann", email="ann@example.com")).email == "ann@example.com"
        assert (await client.get_user("ann")).tier == "free"
        assert (await client.delete_user("ann")).status == "queued"
