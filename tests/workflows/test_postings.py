"""Job positions on a real engine and ledger: read from a text, a page, a board; every end an honest one."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from bench.postings.forms import forms
from domain.errors import VendorError
from domain.job import Status
from domain.posting import Salary
from domain.postings.enriching import url_key
from ledger.database import Database
from ledger.postings import PostingRow
from ledger.rows import JobRow
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.posting_parts import TEXT, PostingModel, Reading
from tests.support.site_server import Answer, Route, SiteServer, page, redirect
from tests.support.stack_parts import Parts, stack
from workflows.catalog import ours

pytestmark = pytest.mark.asyncio(loop_scope="module")
KIND = "enrich-job-position"
JSON_LD = next(form.body for form in forms() if form.kind == "json-ld" and form.truth.slug == "application-engineer")
EMPTY = page('<div id="root"></div><script src="/a.js"></script>', head='<meta property="og:site_name" content="A">')
HISTORY = page("<h1>Our history</h1>" + "<p>We began in 1956 and make anvils of all sizes for all the world.</p>" * 9)
IMAGE = Answer(200, {"content-type": "image/png"}, b"\x89PNG")
LOGIN = '<form><input name="user"><input type="password" name="password"></form>'


class World:
    """One stack, one site, one model."""

    def __init__(self, parts: Parts, reading: Reading, site: SiteServer, model: PostingModel) -> None:
        self.parts, self.reading, self.site, self.model = parts, reading, site, model

    async def start(self, *, url: str | None = None, given: str | None = None, owner: str | None = None) -> UUID:
        """A new row and its job; the job's id."""
        owner = owner or uuid4().hex
        row, _ = await self.reading.postings.put(owner, url=url, key=url_key(url) if url else None, given=given)
        job_id = await self.parts.submit(KIND, {"jobPositionId": str(row.id)}, owner=owner)
        await self.reading.postings.assign(row.id, job_id)
        return job_id

    async def ended(self, job_id: UUID) -> tuple[JobRow, PostingRow]:
        job = await self.parts.ended(job_id, 60)
        return job, await self.reading.row(UUID(job.payload["jobPositionId"]))

    async def read(self, **given: Any) -> tuple[JobRow, PostingRow]:
        return await self.ended(await self.start(**given))

    async def page(self, route: Route) -> tuple[JobRow, PostingRow]:
        path = f"/{uuid4().hex}"
        self.site.routes[path] = route
        return await self.read(url=self.site.url + path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(postgres_url: str, template: str, temporal_address: str) -> AsyncGenerator[World]:
    async with cloned(postgres_url, template) as url, SiteServer() as site:
        database, engine, model = Database(url), await own_namespace(temporal_address), PostingModel()
        boards = {"api.lever.co": f"{site.url}/lever"}
        reading = Reading(database, model, allow=[site.authority], boards=boards)
        async with (
            stack(database, engine, reading.activities, kinds=ours()) as parts,
            parts.working(),
            parts.dispatching(),
        ):
            yield World(parts, reading, site, model)
        await reading.close()
        await database.close()


@pytest.fixture
def world(made: World) -> World:
    made.model.forget()
    return made


@pytest.fixture
def offline(world: World) -> World:
    world.model.missing = "no model key is set"
    return world


async def test_a_pasted_text_is_read_without_a_model(offline: World) -> None:
    job, row = await offline.read(given=TEXT)
    found = row.details
    assert (job.status, row.processing_status, row.answered_by) == (Status.COMPLETED, "completed", "offline")
    assert row.reason == "no model key is set"
    assert (found.title, found.company.name) == ("Senior Data Engineer", "Acme Rockets")
    assert found.salary == Salary(min=70000, max=85000, currency="EUR", period="year")
    assert found.evidence["salary"].quote in TEXT
    assert found.description == TEXT
    assert job.result
    assert job.result["fields"] == len(found.evidence)


async def test_a_model_fills_in_what_its_own_quotes_say(world: World) -> None:
    _, row = await world.read(given=TEXT)
    found = row.details
    assert (row.answered_by, row.model, row.reason) == ("anthropic", "claude-haiku-5-5", None)
    assert "€70,000" in world.model.prompts[0]
    assert '"title": "Senior Data Engineer"' in world.model.prompts[0], "it sees what is known"
    assert (found.skills.required, found.evidence["skills.required"].source) == (("Python",), "model")
    assert (found.company.industry, found.company.size) == (None, None), "no quote says so"
    assert found.salary == Salary(min=70000, max=85000, currency="EUR", period="year"), "an amount that nobody wrote"
    assert not found.conflicts


async def test_a_model_that_fails_leaves_what_was_read_without_it(world: World) -> None:
    world.model.fails = VendorError("the model's answer was not understood", code="bad_answer", retryable=False)
    job, row = await world.read(given=TEXT)
    assert (job.status, row.processing_status, row.answered_by) == (Status.COMPLETED, "completed", "offline")
    assert row.reason == "the model's answer was not understood"
    assert row.details.title == "Senior Data Engineer"


async def test_structure_stands_against_a_model_and_the_conflict_is_kept(world: World) -> None:
    quote = "Application Engineer"
    world.model.says = {"isJobPosting": True, "title": {"value": "Engineer", "quote": quote}}
    _, row = await world.page(Answer(200, {"content-type": "text/html"}, JSON_LD))
    assert (row.details.title, row.details.evidence["title"].source) == ("Application Engineer", "json-ld")
    [conflict] = [one for one in row.details.conflicts if one.dropped == "model"]
    assert (conflict.field, conflict.kept, conflict.said) == ("title", "json-ld", "Engineer")


async def test_a_board_is_asked_in_place_of_its_page(offline: World) -> None:
    form = next(form for form in forms() if form.kind == "lever" and form.truth.salary)
    slug = uuid4().hex
    offline.site.routes[f"/lever/v0/postings/acme/{slug}"] = Answer(200, body=form.body)
    job, row = await offline.read(url=f"https://jobs.lever.co/acme/{slug}?lever-source=x")
    assert job.status == Status.COMPLETED
    assert (row.details.title, row.details.evidence["title"].source) == (form.truth.title, "ats")
    gone, left = await offline.read(url=f"https://jobs.lever.co/acme/{uuid4().hex}")
    assert (gone.status, left.processing_status, left.error and left.error.code) == (Status.FAILED, "failed", "gone")


@pytest.mark.parametrize(
    ("route", "code"),
    [
        (Answer(404), "gone"),
        (Answer(410), "gone"),
        (Answer(401), "login_required"),
        (redirect("/users/login?next=x"), "login_required"),
        (page(f"<h1>Welcome back</h1>{LOGIN}"), "login_required"),
        (Answer(403), "blocked"),
        (EMPTY, "needs_javascript"),
        (HISTORY, "not_a_job"),
        (Answer(200, {"content-type": "application/pdf"}, b"%PDF-1.7"), "unexpected_type"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_says_why(offline: World, route: Route, code: str) -> None:
    offline.site.routes["/users/login"] = page(LOGIN)
    job, row = await offline.page(route)
    assert (job.status, row.processing_status) == (Status.FAILED, "failed")
    assert row.error
    assert (row.error.code, job.error and job.error.code) == (code, code)


async def test_a_model_says_that_it_is_no_posting(world: World) -> None:
    world.model.says = {"isJobPosting": False}
    _, row = await world.read(given=TEXT)
    assert (row.processing_status, row.error and row.error.code) == ("failed", "not_a_job")


async def test_a_cancel_ends_the_row_too_and_another_job_may_read_it(world: World) -> None:
    world.model.hangs, owner = True, uuid4().hex
    job_id = await world.start(given=TEXT, owner=owner)
    await world.model.reached.wait()
    posting_id = UUID((await world.parts.row(job_id)).payload["jobPositionId"])
    assert (await world.reading.row(posting_id)).processing_status == "processing"
    assert await world.parts.jobs.cancel(job_id, reason=None, by="somebody")
    job, row = await world.ended(job_id)
    assert (job.status, row.processing_status, row.error and row.error.code) == (
        Status.CANCELED,
        "failed",
        "canceled",
    )
    world.model.forget()
    again = await world.parts.submit(KIND, {"jobPositionId": str(posting_id)}, owner=owner)
    _, row = await world.ended(again)
    assert (row.processing_status, row.job_id) == ("completed", again)


@pytest.mark.parametrize(("answer", "kept"), [(IMAGE, True), (Answer(), False), (Answer(404), False)])
async def test_a_logo_that_is_no_image_is_left_out(offline: World, answer: Answer, kept: bool) -> None:
    url = f"{offline.site.url}/{uuid4().hex}.png"
    offline.site.routes[url.removeprefix(offline.site.url)] = answer
    body = JSON_LD.replace('"hiringOrganization": {', f'"hiringOrganization": {{"logo": "{url}", ')
    _, row = await offline.page(Answer(200, {"content-type": "text/html"}, body))
    assert row.details.company.logo_url == (url if kept else None)


async def test_texts_stay_out_of_the_engine(world: World) -> None:
    marked = TEXT.replace("Python", "Python m4rker")
    world.model.says = {"isJobPosting": True, "requirements": ["5+ years of experience with Python m4rker"]}
    job_id = await world.start(given=marked)
    await world.ended(job_id)
    assert "m4rker" in world.model.prompts[0]
    history = await world.parts.client.get_workflow_handle(str(job_id)).fetch_history()
    payloads = b"".join(event.SerializeToString() for event in history.events)
    assert b"jobPositionId" in payloads, "they can be read here"
    told = str([event.data for event in await world.parts.events.after(job_id)])
    for secret in ("m4rker", "Rockets"):
        assert secret.encode() not in payloads
        assert secret not in told
