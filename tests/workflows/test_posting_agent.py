"""The agent of job positions on a real engine and ledger, over the vendors' real clients: gaps filled, limits kept."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from temporalio.testing import ActivityEnvironment

from domain.job import Status
from domain.postings.looking import Turn
from ledger.database import Database
from ledger.postings import PostingRow
from ledger.rows import JobRow
from ledger.spend import Spend
from providers.models import Models
from tests.conftest import own_namespace
from tests.support.agent_vendor import DONE, AgentVendor, Look, note
from tests.support.databases import cloned
from tests.support.posting_parts import ANSWER, TEXT, Reading
from tests.support.site_server import Answer, SiteServer, page
from tests.support.stack_parts import Parts, stack, steps_of, until
from workflows.catalog import ours

pytestmark = pytest.mark.asyncio(loop_scope="module")
KIND = "enrich-job-position"
DOES = "Acme Rockets builds small rockets that carry satellites of universities into orbit."
HAS = "Acme Rockets employs 140 people in Berlin and Bremen."
HOME = page(
    f'<header><img class="brand-logo" src="/logo.png"></header><main><h1>Acme Rockets</h1><p>{DOES}</p><p>{HAS}</p>'
    '<a href="/careers">Careers</a></main>',
    title="Acme Rockets",
)
FIND = ("find_website", {"company": "Acme Rockets"})
SEEK = [FIND]
DESCRIBED, SIZED = note("description", DOES, DOES), note("size", "140 people", HAS)


class World:
    """One stack, one company's site, one vendor."""

    def __init__(self, parts: Parts, reading: Reading, vendor: AgentVendor) -> None:
        self.parts, self.postings, self.agent, self.vendor = parts, reading.postings, reading.agent, vendor

    async def start(self, **options: Any) -> UUID:
        row, _ = await self.postings.put(uuid4().hex, given=TEXT)
        job_id = await self.parts.submit(KIND, {"jobPositionId": str(row.id)}, owner=row.user_id, **options)
        await self.postings.assign(row.id, job_id)
        return job_id

    async def ended(self, job_id: UUID) -> tuple[JobRow, PostingRow]:
        job = await self.parts.ended(job_id, 60)
        row = await self.postings.get(UUID(job.payload["jobPositionId"]))
        assert row
        return job, row

    async def given_up(self, times: int) -> None:
        """Until the vendor has seen so many of its calls given up since the test began."""

        async def dropped() -> bool:
            return self.vendor.dropped == times

        await until(dropped)

    async def read(self, *looks: Look, **options: Any) -> tuple[JobRow, PostingRow]:
        self.vendor.looks = list(looks)
        return await self.ended(await self.start(**options))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncGenerator[SiteServer]:
    image = Answer(200, {"content-type": "image/png"}, b"\x89PNG")
    async with SiteServer({"/acmerockets": HOME, "/logo.png": image}) as site:
        yield site


@asynccontextmanager
async def opened(
    postgres_url: str, template: str, temporal_address: str, site: SiteServer, *, openai: bool = False
) -> AsyncGenerator[World]:
    async with cloned(postgres_url, template) as url, AgentVendor() as vendor:
        database, engine = Database(url), await own_namespace(temporal_address)
        which: dict[str, Any] = {"openai_base_url": vendor.url, "anthropic_base_url": vendor.url}
        which |= {"openai_key": "k"} if openai else {"anthropic_key": "k"}
        models = Models(Spend(database), timeout=30, **which)
        reading = Reading(database, models, allow=[site.authority], company=f"{site.url}/{{slug}}")
        async with (
            stack(database, engine, reading.activities, kinds=ours()) as parts,
            parts.working(),
            parts.dispatching(),
        ):
            vendor.forget(ANSWER)
            yield World(parts, reading, vendor)
        await models.close()
        await reading.close()
        await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(postgres_url: str, template: str, temporal_address: str, site: SiteServer) -> AsyncGenerator[World]:
    async with opened(postgres_url, template, temporal_address, site) as world:
        yield world


@pytest.fixture
def world(made: World) -> World:
    made.vendor.forget(ANSWER)
    return made


def looks(site: SiteServer) -> list[Look]:
    """It finds the site, looks at it, and notes what it has seen."""
    home, logo = f"{site.url}/acmerockets", f"{site.url}/logo.png"
    return [
        SEEK,
        [("find_logo", {"url": home}), DESCRIBED, note("website", home, home)],
        {
            "notes": [
                {"field": "logo", "value": logo, "quote": logo},
                {"field": "size", "value": "140 people", "quote": HAS},
            ]
        },
    ]


async def filled(world: World, site: SiteServer) -> None:
    job, row = await world.read(*looks(site))
    found = row.details
    assert (job.status, row.processing_status) == (Status.COMPLETED, "completed")
    assert found.company.website == f"{site.url}/"
    assert found.company.logo_url == f"{site.url}/logo.png"
    assert (found.company.description, found.company.size, found.company.industry) == (DOES, "140 people", None)
    size = found.evidence["company.size"]
    assert (size.source, size.quote, found.evidence["title"].source) == ("agent", HAS, "grammar")
    assert job.result
    assert job.result["agent"] == {
        "turns": 3,
        "calls": 2,
        "found": ["company.description", "company.logo_url", "company.size", "company.website"],
        "stopped": "done",
        "reason": None,
    }
    assert steps_of(job) == [(step, "completed") for step in ("load", "extract", "enrich", "store")]
    assert world.vendor.turns == {0: 1, 1: 1, 2: 1, 3: 1}


async def test_what_the_posting_leaves_open_is_looked_up(world: World, site: SiteServer) -> None:
    await filled(world, site)
    assert world.vendor.offered(1) == {"fetch_page", "find_logo", "find_website", "note"}, "no key for a web search"
    assert "website, logo, description, size, industry" in world.vendor.told(1)
    assert DOES in world.vendor.told(2)


async def test_openai_looks_up_as_well(
    postgres_url: str, template: str, temporal_address: str, site: SiteServer
) -> None:
    async with opened(postgres_url, template, temporal_address, site, openai=True) as world:
        await filled(world, site)


async def test_what_pages_say_stays_out_of_the_engine(world: World, site: SiteServer) -> None:
    world.vendor.looks = looks(site)
    job_id = await world.start()
    await world.ended(job_id)
    history = await world.parts.client.get_workflow_handle(str(job_id)).fetch_history()
    payloads = b"".join(event.SerializeToString() for event in history.events)
    assert b"jobPositionId" in payloads, "they can be read here"
    told = str([event.data for event in await world.parts.events.after(job_id)])
    for said in ("satellites", "140 people", "logo.png", "acmerockets"):
        assert said.encode() not in payloads
        assert said not in told


async def test_a_quote_that_no_tool_has_said_is_refused_and_the_model_told(world: World) -> None:
    made_up = "Acme Rockets is worth 77 billion dollars and employs 9,000 people."
    elsewhere = note("website", "https://acme.example/", "https://acme.example/")
    unsaid = note("description", "builds cathedrals", DOES)
    paid = note("salary", "$900,000", HAS)
    job, row = await world.read(
        SEEK, [note("size", "9,000", made_up), elsewhere, unsaid, paid, note("logo", "/logo.png", "/logo.png")], DONE
    )
    company = row.details.company
    assert (company.website, company.logo_url, company.description, company.size) == (None, None, None, None)
    assert row.details.salary
    assert (row.details.salary.max, row.details.evidence["salary"].source) == (85000, "label")
    assert job.result
    assert job.result["agent"]["found"] == []
    told = world.vendor.told(3)
    assert "no tool has said these words" in told
    assert "the quote does not hold the value" in told
    assert told.count("no tool has found that address to be it") == 2


async def test_what_goes_wrong_with_a_tool_is_told_to_the_model(world: World) -> None:
    calls = [
        ("fetch_page", {"url": "https://evil.example/?secret=1"}),
        ("find_website", {"nonsense": 1}),
        ("find_website", {"company": "Senior Data Engineer"}),
        ("find_website", {"company": "secret.evil.example"}),
        ("fly_away", {}),
    ]
    job, _ = await world.read(calls, DONE)
    assert job.status == Status.COMPLETED
    told = world.vendor.told(2)
    assert told.count("not_given") == 2, "nothing goes to an address or by a name of its own making"
    assert all(code in told for code in ("invalid_input", "site_not_found"))
    assert "fly_away" not in told, "it was never offered"
    assert job.result
    assert job.result["agent"]["stopped"] == "done"


async def test_it_stops_after_so_many_turns(world: World) -> None:
    job, row = await world.read([DESCRIBED], SEEK, [DESCRIBED])
    assert job.result
    assert (job.result["agent"]["turns"], job.result["agent"]["stopped"]) == (6, "turns")
    assert world.vendor.turns == {0: 1, **dict.fromkeys(range(1, 7), 1)}
    assert world.vendor.offered(5)
    assert not world.vendor.offered(6), "it has to answer"
    assert row.details.company.description == DOES, "what it noted stands"


async def test_it_stops_after_so_many_calls(world: World) -> None:
    job, row = await world.read([FIND] * 5, [*[FIND] * 9, DESCRIBED])
    assert job.result
    report = job.result["agent"]
    assert (report["turns"], report["calls"], report["stopped"]) == (3, 12, "calls")
    assert row.details.company.description == DOES, "a note is none of them"


async def test_it_stops_after_so_many_dollars(world: World) -> None:
    world.vendor.tokens = 100_000
    job, row = await world.read(SEEK, [DESCRIBED])
    assert job.result
    report = job.result["agent"]
    assert (report["turns"], report["stopped"]) == (1, "dollars")
    assert world.vendor.turns == {0: 1, 1: 1}
    assert (job.status, row.details.company.description) == (Status.COMPLETED, None)


async def test_it_stops_where_the_jobs_budget_does(world: World) -> None:
    world.vendor.tokens = 6_000
    job, row = await world.read(SEEK, budget={"maxTokens": 16_000})
    assert job.result
    assert (job.result["agent"]["turns"], job.result["agent"]["stopped"]) == (0, "dollars")
    assert "budget" in job.result["agent"]["reason"]
    assert (job.status, row.answered_by) == (Status.COMPLETED, "anthropic")
    assert world.vendor.turns == {0: 1}


async def test_it_stops_in_time_for_the_job_to_end(world: World) -> None:
    """Of 42 seconds the last 30 are not the agent's."""
    job, row = await world.read(SEEK, [DESCRIBED], None, maxDuration=42)
    assert job.result
    assert (job.status, job.result["agent"]["stopped"]) == (Status.COMPLETED, "seconds")
    assert row.details.company.description == DOES
    assert world.vendor.turns[3] == 1
    await world.given_up(1)


async def test_a_model_that_fails_leaves_what_was_noted(world: World) -> None:
    job, row = await world.read(SEEK, [DESCRIBED], Answer(400, {"content-type": "application/json"}, "{}"))
    assert job.result
    report = job.result["agent"]
    assert (job.status, report["stopped"], report["found"]) == (Status.COMPLETED, "failed", ["company.description"])
    assert report["reason"] == "the model's vendor answered with an error (400)"
    assert (row.answered_by, row.details.company.description) == ("anthropic", DOES)
    assert ("enrich", "failed") in steps_of(job)


async def test_a_turn_is_paid_once_and_another_time_where_its_answer_was_none(world: World) -> None:
    job, _ = await world.read(SEEK, {"nonsense": True}, retry={"minTimeoutInMs": 1, "maxTimeoutInMs": 1})
    assert world.vendor.turns == {0: 1, 1: 1, 2: 2}
    [paid] = await world.parts.database.fetch(
        "SELECT count(*), count(answer) AS usable FROM spend WHERE job_id = $1 AND item = 'agent'", job.id
    )
    assert tuple(paid.values()) == (3, 1)
    assert job.result
    assert job.result["agent"]["stopped"] == "failed"


async def test_a_turn_whose_answer_is_in_the_ledger_is_not_paid_again(world: World) -> None:
    """The worker died after it had written the answer, before the engine knew of it."""
    world.vendor.looks = [SEEK, None]
    job_id = await world.start()
    await world.vendor.reached.wait()
    here = ActivityEnvironment()
    here.info = replace(here.info, workflow_id=str(job_id), attempt=2)
    again = await here.run(world.agent.turn, Turn(turn=1, until=datetime.now(UTC) + timedelta(seconds=60)))
    assert again.calls == ("1.0",)
    assert world.vendor.turns == {0: 1, 1: 1, 2: 1}
    assert await world.parts.jobs.cancel(job_id, reason=None, by="somebody")
    await world.given_up(1)


async def test_a_cancel_ends_it_within_three_seconds(world: World) -> None:
    world.vendor.looks = [SEEK, None]
    job_id = await world.start()
    await world.vendor.reached.wait()
    began = time.monotonic()
    assert await world.parts.jobs.cancel(job_id, reason=None, by="somebody")
    await world.parts.ended(job_id)
    assert time.monotonic() - began < 3
    job, row = await world.ended(job_id)
    assert (job.status, row.processing_status) == (Status.CANCELED, "failed")
    await world.given_up(1)
