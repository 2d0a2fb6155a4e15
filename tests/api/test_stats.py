"""Figures over HTTP: for servers of everyone, for tokens of their own owner."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from api.stats import StatsView
from domain.job import Failure, Outcome, Status
from tests.api.conftest import Api


def today() -> date:
    return datetime.now(UTC).date()


async def ended(api: Api, status: Status, owner: str) -> None:
    error = Failure(code="vendor_error", message="no answer") if status == Status.FAILED else None
    await api.jobs.finish(Outcome(job_id=await api.opened(owner=owner), status=status, error=error))


async def test_a_server_sees_all_and_a_token_its_own_owner(api: Api, server: httpx.AsyncClient) -> None:
    for owner, status in (("ann", Status.COMPLETED), ("ann", Status.FAILED), ("bob", Status.COMPLETED)):
        await ended(api, status, owner)
    # a day that midnight does not come into
    day = today() - timedelta(days=3)
    await api.database.execute("UPDATE job_ends SET day = $1", day)

    to = {"to": day.isoformat()}
    all_: dict[str, Any] = (await server.get("/api/stats", params={"type": "research", **to})).json()
    assert (all_["to"], all_["from"]) == (day.isoformat(), (day - timedelta(days=29)).isoformat())
    assert (all_["total"]["jobs"], all_["total"]["failed"]) == (3, 1)
    assert (all_["total"]["p50Seconds"], all_["total"]["costUsd"]) == (None, 0), "none of them ran"
    assert [(found["kind"], found["completed"]) for found in all_["byKind"]] == [("company-research", 2)]
    assert [(found["day"], found["jobs"]) for found in all_["byDay"]] == [(day.isoformat(), 3)]
    assert [(found["owner"], found["successRate"]) for found in all_["byOwner"]] == [("ann", 0.5), ("bob", 1.0)]
    assert StatsView.model_validate(all_).model_dump(mode="json", by_alias=True) == all_, "as it is described"
    before = today()
    usual = (await server.get("/api/stats", params={"top": 1})).json()
    assert len(usual["byOwner"]) == 1
    assert before <= date.fromisoformat(usual["to"]) <= today()

    of_ann = (await server.get("/api/stats", params={"owner": "ann", **to})).json()
    ann = await api.bearer("read:owner:ann", owner="ann")
    for asked in ({}, {"owner": "ann"}):
        seen = (await ann.get("/api/stats", params={**asked, **to})).json()
        assert (seen["total"]["jobs"], seen["byOwner"]) == (2, [])
        assert seen == of_ann
    assert (await ann.get("/api/stats", params={"owner": "bob"})).status_code == 404


async def test_what_cannot_be_answered_is_refused(server: httpx.AsyncClient) -> None:
    for asked, pointer in (
        ({"from": "2026-02-02", "to": "2026-02-01"}, "?from"),
        ({"from": "2020-02-02", "to": "2026-02-01"}, "?from"),
        ({"type": "nothing"}, "?type"),
        ({"days": "3"}, "?days"),
    ):
        answer = await server.get("/api/stats", params=asked)
        assert answer.status_code == 422, asked
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer], answer.text
