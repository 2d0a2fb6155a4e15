"""The product behind a transaction pooler, with an address beside it for notices and without one."""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from tests.acceptance.conftest import Errands
from tests.support.databases import sibling
from tests.support.processes import Stack, until
from tests.support.stand_ins import Background

# a start that got lost is taken up after fifteen
PROMPTLY_SECONDS = 10.0


@dataclass
class Pooled:
    """A stack whose ledger is reached by way of the pooler; `direct` goes around it."""

    stack: Stack
    direct: str
    listens: bool


@pytest.fixture(scope="module", params=[True, False], ids=["with a direct address", "without one"])
def pooled(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    background: Background,
    places: Callable[[], Mapping[str, str]],
    installed: Path,
    pooler_url: str,
) -> Generator[Pooled]:
    place = dict(places())
    direct = place.pop("DATABASE_URL")
    place |= {"DATABASE_URL": sibling(pooler_url, direct.rsplit("/", 1)[1]), "LONGRUN_DATABASE_POOLED": "true"}
    if request.param:
        place["DATABASE_DIRECT_URL"] = direct
    stack = Stack(tmp_path_factory.mktemp("pooled"), background, {**place, "PYTHONPATH": str(installed)})
    try:
        stack.api().launch()
        stack.worker().launch()
        for service in stack.services:
            service.ready()
        yield Pooled(stack, direct, request.param)
    finally:
        stack.stop()


def test_a_job_is_started_promptly_followed_as_it_goes_and_ended(pooled: Pooled, errands: Errands) -> None:
    client = pooled.stack.client()
    asked = time.monotonic()
    job_id = client.start("errand", errands.payload).job_id
    until(lambda: errands.first.arrived, PROMPTLY_SECONDS, "the first step")
    told = client.stream(job_id)
    assert next(told).event == "job"
    errands.first.answer(0, "good")
    steps: list[tuple[str, str]] = []
    for event in told:
        if event.event == "step":
            steps.append((event.data["name"], event.data["status"]))
        if steps and steps[-1] == ("tell", "running"):
            errands.then.open("day")
    assert steps[-2:] == [("tell", "running"), ("tell", "completed")]
    assert time.monotonic() - asked < 2 * PROMPTLY_SECONDS
    job = client.get(job_id)
    assert (job.status, job.progress.text, job.result) == ("completed", "2/2", {"said": ["good", "day"]})


def test_a_cancel_reaches_what_runs(pooled: Pooled, errands: Errands) -> None:
    client = pooled.stack.client()
    job_id = client.start("errand", errands.payload).job_id
    until(lambda: errands.first.arrived, PROMPTLY_SECONDS, "the first step")
    client.cancel(job_id)
    assert client.wait(job_id, 30).status == "canceled"


def test_ledger_and_engine_agree_and_only_who_can_listens(pooled: Pooled, background: Background) -> None:
    report = pooled.stack.client().reconcile()
    assert (report.mended, report.orphaned_jobs, report.orphaned_executions) == (0, (), ())

    async def listening() -> int:
        connection = await asyncpg.connect(pooled.direct)
        try:
            return await connection.fetchval(
                """SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND query ILIKE 'LISTEN %'"""
            )
        finally:
            await connection.close()

    until(lambda: background.run(listening()) == (2 if pooled.listens else 0), what="who listens")
