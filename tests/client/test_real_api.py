"""The client against the real API and a real ledger; the engine is down, as it may be."""

from collections.abc import Generator

import pytest

from api.app import create_app
from longrun import Client, LongrunError, Options
from settings import Settings
from tests.support.served import served

KEY = "client-key-of-more-than-thirty-two-characters"


@pytest.fixture
def api(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Generator[Client]:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    # No job is handed to the engine, so that a cancel needs nobody's answer.
    app = create_app(Settings(database_url=database_url, api_keys=(KEY,), in_flight=0))
    with served(app) as url, Client(url, KEY, patience=30) as client:
        yield client


def test_a_job_is_started_found_canceled_and_told_to_its_end(api: Client) -> None:
    options = Options(owner="user_1", tags=("a",), metadata={"n": 1}, idempotency_key="k")
    started = api.research("Stripe", "SRE", "https://stripe.com", options=options)
    assert api.research("Stripe", "SRE", "https://stripe.com", options=options).is_cached
    other = api.start("research", {"companyName": "Other", "role": "SRE"})

    job = api.get(started.job_id)
    assert (job.status, job.owner, job.tags, job.metadata) == ("queued", "user_1", ("a",), {"n": 1})
    assert [step.status for step in job.steps] == ["pending"] * 4
    assert [found.job_id for found in api.list(page_size=1)] == [other.job_id, started.job_id]
    assert [found.job_id for found in api.list(owner="user_1", job_type="research")] == [started.job_id]

    events = api.stream(started.job_id)
    first = next(events)
    assert (first.event, first.data["status"]) == ("job", "queued")
    api.cancel(started.job_id, "changed my mind")
    last = list(events)[-1]
    assert (last.event, last.data["status"]) == ("done", "canceled")
    assert list(api.stream(started.job_id, last.id)) == []
    [again] = api.stream(started.job_id, first.id)
    assert again == last

    assert api.wait(started.job_id, timeout=5).is_canceled
    assert [entry.seq for entry in api.audit(started.job_id)] == list(range(1, int(last.id) + 1))
    with pytest.raises(LongrunError) as caught:
        api.cancel(started.job_id)
    assert (caught.value.status, caught.value.code) == (409, "not_cancelable")
    assert api.get(api.replay(started.job_id).job_id).payload == job.payload


def test_refusals_and_absences_are_told(api: Client) -> None:
    with pytest.raises(LongrunError) as caught:
        api.start("research", {"companyName": "Stripe"})
    assert caught.value.code == "invalid_payload"
    assert caught.value.errors[0].pointer == "/payload/role"
    with pytest.raises(LongrunError) as caught:
        api.progress(api.research("Stripe", "SRE").job_id)
    assert caught.value.code == "engine_unavailable"
    with Client(api.target.url, "another-key") as stranger, pytest.raises(LongrunError) as caught:
        stranger.kinds()
    assert caught.value.status == 401


def test_kinds_are_read(api: Client) -> None:
    [kind] = [kind for kind in api.kinds() if kind.name == "company-research"]
    assert [step.name for step in kind.steps] == ["scrape_website", "search_github", "analyze", "store"]
    assert {"companyName", "role"} <= set(kind.payload["properties"])
