"""What Prometheus scrapes."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from domain.job import Outcome, Status
from settings import Settings
from tests.api.conftest import Api

Sample = tuple[str, frozenset[tuple[str, str]]]


def named(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


async def scraped(server: httpx.AsyncClient) -> dict[Sample, float]:
    answer = await server.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {named(sample.name, **sample.labels): sample.value for family in families for sample in family.samples}


async def test_jobs_are_told_by_kind_and_status_with_their_durations_and_waits(
    api: Api, server: httpx.AsyncClient
) -> None:
    kind = "company-research"
    assert named("longrun_jobs_ended_total", kind=kind, status="completed") not in await scraped(server)
    ended, waiting = await api.opened(), await api.opened()
    await api.database.execute(
        "UPDATE jobs SET status = 'running', started_at = now() - interval '80 seconds' WHERE id = $1", ended
    )
    await api.jobs.finish(Outcome(job_id=ended, status=Status.COMPLETED))
    await api.database.execute("UPDATE jobs SET created_at = now() - interval '1 minute' WHERE id = $1", waiting)

    told = await scraped(server)
    assert told[named("longrun_ledger_up")] == 1
    assert told[named("longrun_jobs_ended_total", kind=kind, status="completed")] == 1
    assert told[named("longrun_jobs_ended_total", kind=kind, status="failed")] == 0
    assert told[named("longrun_jobs_open", kind=kind, status="queued")] == 1
    assert 60 <= told[named("longrun_oldest_wait_seconds", kind=kind)] < 100
    steps = {
        bound: told[named("longrun_job_seconds_bucket", kind=kind, le=bound)] for bound in ("60.0", "120.0", "+Inf")
    }
    assert steps == {"60.0": 0, "120.0": 1, "+Inf": 1}
    assert 75 < told[named("longrun_job_seconds_sum", kind=kind)] < 115


async def test_requests_are_told_by_route_and_not_by_what_they_asked_for(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened()
    route = {"method": "GET", "route": "/api/jobs/{job_id}", "status": "200"}
    before = (await scraped(server)).get(named("longrun_http_seconds_count", **route), 0)
    for path in (f"/api/jobs/{job_id}", "/api/nothing-of-the-kind"):
        await server.get(path)
    told = await scraped(server)
    assert told[named("longrun_http_seconds_count", **route)] == before + 1
    assert told[named("longrun_http_seconds_count", method="-", route="-", status="404")] >= 1
    assert not [labels for _, labels in told if str(job_id) in str(labels) or "nothing-of" in str(labels)]
    async with asyncio.timeout(30):
        while not (await scraped(server))[named("longrun_dispatcher_turn_seconds_count")]:
            await asyncio.sleep(0.05)


async def test_figures_are_for_servers_and_a_ledger_that_is_down_is_told(
    api: Api, serve: Callable[[Settings], Any]
) -> None:
    assert (await (await api.client(None)).get("/metrics")).status_code == 401
    assert (await (await api.bearer("read:owner:ann", owner="ann")).get("/metrics")).status_code == 404

    cut_off = await serve(Settings(database_url="postgresql://127.0.0.1:9/none", api_keys=("k" * 32,)))
    told = await scraped(await cut_off.client("k" * 32))
    assert told[named("longrun_ledger_up")] == 0
