"""Rows that the product keeps in its own tables, on a real engine and ledger, PostgREST's stand-in over real HTTP: the
product's own payloads work, and however a job ends its row says so."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from activities.elsewhere import InterviewsElsewhere, PostingsElsewhere, RowsElsewhere
from activities.elsewhere_documents import documents
from domain.interviews.audio import Hearing
from domain.interviews.transcript import Piece, Transcript
from domain.job import Status
from domain.rows import RowKind
from engine.elsewhere import TellingElsewhere
from ledger.database import Database
from ledger.elsewhere import Elsewhere
from ledger.interviews import Interviews
from ledger.postings import Postings
from ledger.rows import JobRow
from providers.storage.chosen import audio_fetcher
from providers.supabase import Supabase
from providers.supabase_rows import SupabaseRows, tables
from providers.web import GuardedClient
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.interview_parts import Analysing, Ears, InterviewModel
from tests.support.posting_parts import TEXT, PostingModel, Reading
from tests.support.site_server import Answer, Asked
from tests.support.sounds import JFK
from tests.support.stack_parts import Parts, stack, until
from tests.support.supabase_server import SERVICE_KEY, Row, SupabaseServer, told
from tests.support.their_rows import TheirTables
from workflows.catalog import ours

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIELDS: dict[RowKind, tuple[str, str]] = {
    "posting": ("enrich-job-position", "jobPositionId"),
    "interview": ("analyse-interview", "timelineItemId"),
}
HASTY = {"minTimeoutInMs": 1}
DOWN = told({"code": "PGRST000", "message": "Database connection error"}, 503)


class AnyEars(Ears):
    """Hears the same in every recording, and remembers how long it was."""

    async def transcribe(
        self,
        hearing: Hearing,
        *,
        kept: Sequence[Piece],
        keep: Callable[[Piece], Awaitable[None]],
        heard: Callable[[float], None],
    ) -> Transcript:
        self.heard.append(hearing.info.seconds)
        return self.transcript


class World:
    def __init__(
        self, parts: Parts, server: SupabaseServer, rows: RowsElsewhere, ears: Ears, model: PostingModel
    ) -> None:
        self.parts, self.server, self.rows, self.ears, self.model = parts, server, rows, ears, model
        self.theirs, self.copies = TheirTables(server), Elsewhere(parts.database)
        self.postings, self.interviews = Postings(parts.database), Interviews(parts.database)

    async def start(self, kind: RowKind, row_id: UUID, **options: Any) -> UUID:
        job, field = FIELDS[kind]
        return await self.parts.submit(job, {field: str(row_id)}, **options)

    async def ended(self, kind: RowKind, row_id: UUID, **options: Any) -> JobRow:
        return await self.parts.ended(await self.start(kind, row_id, **options), 60)

    async def says(self, kind: RowKind, row_id: UUID, status: str) -> Row:
        """The product's row, once it has that status."""

        async def so() -> bool:
            return self.theirs.row(kind, row_id)["processing_status"] == status

        await until(so, 30)
        return self.theirs.row(kind, row_id)

    def written(self, row_id: UUID) -> list[str]:
        """The statuses that were written of a row, in order."""
        asked = [one for one in self.server.asked if one.method == "PATCH" and str(row_id) in one.target]
        return [json.loads(one.body)["processing_status"] for one in asked]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(
    postgres_url: str, template: str, temporal_address: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[World]:
    folder: Path = tmp_path_factory.mktemp("recordings")
    async with (
        cloned(postgres_url, template) as url,
        SupabaseServer() as server,
        Supabase(server.url, SERVICE_KEY, timeout=5) as supabase,
        GuardedClient() as client,
    ):
        database, engine = Database(url), await own_namespace(temporal_address)
        model, ears, judge = PostingModel(), AnyEars(), InterviewModel()
        judge.missing = "no model key is set"
        copies, map_ = Elsewhere(database), tables()
        said = documents(Postings(database), Interviews(database))
        rows = RowsElsewhere(SupabaseRows(supabase, map_), copies, said, away=0.2)
        reading = Reading(database, model, postings=PostingsElsewhere(database, rows))
        work, fetcher = InterviewsElsewhere(database, rows), audio_fetcher(client, supabase, 10_000_000)
        analysing = Analysing(database, folder, ears, judge, work=work, fetcher=fetcher)
        async with (
            stack(database, engine, [*reading.activities, *analysing.activities], kinds=ours()) as parts,
            parts.working(),
            parts.dispatching(),
            TellingElsewhere(rows, copies).running(),
        ):
            yield World(parts, server, rows, ears, model)
        await reading.close()
        await analysing.close()
        await database.close()


@pytest.fixture
def world(made: World) -> World:
    made.model.forget()
    made.ears.forget()
    made.server.fault = None
    made.server.asked.clear()
    return made


async def test_a_job_position_of_the_products_own_is_enriched_by_its_id(world: World) -> None:
    row_id = world.theirs.add("posting", description=TEXT)
    job = await world.ended("posting", row_id)
    assert (job.status, job.result and job.result["jobPositionId"]) == (Status.COMPLETED, str(row_id))
    row = world.theirs.row("posting", row_id)
    assert world.written(row_id) == ["processing", "completed"], "before the job's own end, and once"
    assert (row["title"], row["company_name"]) == ("Senior Data Engineer", "Acme Rockets")
    assert (row["processing_error"], row["user_id"], row["url"]) == (None, "ann", None)
    assert row["details"]["salary"] == {"min": 70000, "max": 85000, "currency": "EUR", "period": "year"}
    assert row["details"]["evidence"]["salary"]["quote"] in TEXT
    copy = await world.postings.get(row_id)
    assert copy
    assert (copy.processing_status, copy.job_id, copy.user_id) == ("completed", job.id, "ann")


async def test_an_address_of_the_products_row_is_read_or_says_why_not(world: World) -> None:
    row_id = world.theirs.add("posting", url="http://127.0.0.1:9/jobs/1", description="by somebody's quick pass")
    job = await world.ended("posting", row_id)
    assert (job.status, job.error and job.error.code) == (Status.FAILED, "address_refused")
    row = await world.says("posting", row_id, "failed")
    assert job.error
    assert row["processing_error"] == job.error.message
    assert row["description"] == "by somebody's quick pass"


async def test_an_interview_of_the_products_own_is_analysed_by_its_id(world: World) -> None:
    world.server.buckets["uploads"] = {"ann/talk.flac": JFK.read_bytes()}
    position = world.theirs.add("posting", description=TEXT)
    await world.ended("posting", position)
    item = world.theirs.add("interview", audio_path="uploads/ann/talk.flac", job_position_id=str(position))
    job = await world.ended("interview", item)
    assert (job.status, job.error) == (Status.COMPLETED, None)
    row = world.theirs.row("interview", item)
    assert world.written(item) == ["processing", "completed"]
    assert row["transcript"]["text"] == world.ears.transcript.text
    assert row["transcript"]["words"][0] == {"text": "Tell", "start": 0.5, "end": 0.86, "speaker": 0}
    assert len(row["questions"]) == 3
    for question in row["questions"]:
        assert question["answer"]
        assert set(question["scores"]) >= {"relevance", "fit"}, "the job position that it names is known"
    assert row["duration_seconds"] == world.ears.heard[0] == pytest.approx(11, abs=0.5)
    assert row["summary"]
    copy = await world.interviews.get(item)
    assert copy
    assert (copy.source, copy.posting_id) == ("uploads/ann/talk.flac", position)


async def test_a_recording_that_is_gone_ends_job_and_row(world: World) -> None:
    world.server.buckets["uploads"] = {}
    item = world.theirs.add("interview", audio_path="uploads/ann/none.flac")
    job = await world.ended("interview", item)
    assert (job.status, job.error and job.error.code) == (Status.FAILED, "file_gone")
    assert (await world.says("interview", item, "failed"))["processing_error"] == "the recording is no longer there"


@pytest.mark.parametrize("kind", FIELDS)
async def test_a_row_that_is_gone_fails_the_job(world: World, kind: RowKind) -> None:
    job = await world.ended(kind, uuid4())
    assert (job.status, job.error and job.error.code) == (Status.FAILED, "not_found")


async def test_a_row_with_nothing_to_work_on_says_so(world: World) -> None:
    row_id = world.theirs.add("posting", description="  ")
    job = await world.ended("posting", row_id)
    assert (job.error and job.error.code) == "nothing_to_read"
    assert await world.says("posting", row_id, "failed")


async def test_a_row_of_somebody_else_is_neither_read_nor_written(world: World) -> None:
    row_id = world.theirs.add("posting", description=TEXT)
    job = await world.ended("posting", row_id, owner="bob")
    assert (job.error and job.error.code) == "not_found"
    # nor by a job that could not see whose it is
    world.server.fault = lambda _: DOWN
    job = await world.ended("posting", row_id, owner="bob", retry=HASTY)
    assert (job.error and job.error.code) == "http_503"
    world.server.fault = None
    query = "SELECT true FROM rows_elsewhere WHERE job_id = $1 AND told"
    await until(lambda: world.parts.database.row(query, job.id))
    assert world.theirs.row("posting", row_id)["processing_status"] == "pending"
    assert await world.postings.get(row_id) is None
    job = await world.ended("posting", row_id, owner="ann")
    assert job.status == Status.COMPLETED


REFUSALS: dict[str, tuple[Answer, str]] = {
    "401": (told({"message": "Invalid API key"}, 401), "http_401"),
    "503": (DOWN, "http_503"),
    "broken": (Answer(body="["), "bad_response"),
    "another shape": (told({"id": "1"}), "bad_response"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_product_that_refuses_fails_the_job_and_its_row_hears_of_it_later(world: World, name: str) -> None:
    answer, code = REFUSALS[name]
    row_id = world.theirs.add("posting", description=TEXT)
    world.server.fault = lambda _: answer
    job = await world.ended("posting", row_id, retry=HASTY)
    assert (job.status, job.error and job.error.code) == (Status.FAILED, code)
    world.server.fault = None
    if code != "http_401":
        row = await world.says("posting", row_id, "failed")
        assert row["processing_error"]
        assert SERVICE_KEY not in row["processing_error"]


async def test_a_product_that_asks_to_slow_down_is_waited_for(world: World) -> None:
    row_id, asked = world.theirs.add("posting", description=TEXT), 0

    def limited(_: Asked) -> Answer | None:
        nonlocal asked
        asked += 1
        return told({"message": "slow down"}, 429, **{"retry-after": "1"}) if asked == 1 else None

    world.server.fault = limited
    job = await world.ended("posting", row_id)
    assert (job.status, job.steps[0].attempt) == (Status.COMPLETED, 1), "no attempt was counted"
    assert world.theirs.row("posting", row_id)["processing_status"] == "completed"


async def test_results_that_cannot_be_written_yet_are_kept_and_written_later(world: World) -> None:
    row_id = world.theirs.add("posting", description=TEXT)

    def down(asked: Asked) -> Answer | None:
        return DOWN if asked.method == "PATCH" and b"completed" in asked.body else None

    world.server.fault = down
    job = await world.ended("posting", row_id)
    assert job.status == Status.COMPLETED, "what was found is the ledger's first"
    assert world.theirs.row("posting", row_id)["processing_status"] == "processing"
    world.server.fault = None
    row = await world.says("posting", row_id, "completed")
    assert row["title"] == "Senior Data Engineer"


@pytest.mark.parametrize("column", ["details", "processing_error"])
async def test_a_column_that_the_product_does_not_have_fails_the_job_which_names_it(world: World, column: str) -> None:
    row_id = world.theirs.add("posting", description=TEXT)
    message = f"Could not find the '{column}' column of 'job_positions' in the schema cache"
    unknown = told({"code": "PGRST204", "details": None, "hint": None, "message": message}, 400)
    world.server.fault = lambda asked: unknown if f'"{column}"'.encode() in asked.body else None
    job = await world.ended("posting", row_id)
    assert job.error
    assert (job.status, job.error.code) == (Status.FAILED, "no_such_column")
    assert f"no such column {column}" in job.error.message
    assert await world.says("posting", row_id, "failed"), "whoever polls sees that it is over"
    copy = await world.postings.get(row_id)
    assert copy
    if column == "details":
        assert (copy.processing_status, copy.details.title) == ("completed", "Senior Data Engineer"), "it stays here"


async def test_a_row_deleted_meanwhile_fails_the_job_and_its_copy_goes_with_the_next_one(world: World) -> None:
    row_id = world.theirs.add("posting", description=TEXT)
    world.model.hangs = True
    job_id = await world.start("posting", row_id)
    await world.model.reached.wait()
    world.theirs.delete("posting", row_id)
    assert await world.parts.jobs.cancel(job_id, reason=None, by="somebody")
    await world.parts.ended(job_id)
    assert await world.postings.get(row_id)
    job = await world.ended("posting", row_id)
    assert (job.error and job.error.code) == "not_found"
    assert await world.postings.get(row_id) is None


async def test_a_cancel_is_told_and_another_job_begins_anew(world: World) -> None:
    row_id = world.theirs.add("posting", description=TEXT)
    world.model.hangs = True
    job_id = await world.start("posting", row_id)
    await world.model.reached.wait()
    assert world.theirs.row("posting", row_id)["processing_status"] == "processing"
    assert await world.parts.jobs.cancel(job_id, reason=None, by="somebody")
    assert (await world.says("posting", row_id, "failed"))["processing_error"] == "the job was canceled"
    world.model.forget()
    world.theirs.row("posting", row_id)["description"] = TEXT.replace("Rockets", "Balloons")
    await world.ended("posting", row_id)
    row = world.theirs.row("posting", row_id)
    assert (row["processing_status"], row["processing_error"]) == ("completed", None)
    assert row["company_name"] == "Acme Balloons", "as the row stands now"


async def test_a_job_that_is_canceled_before_it_begins_is_told_too(world: World) -> None:
    row_id, own = world.theirs.add("posting", description=TEXT), await world.postings.put("ann", given=TEXT)
    for one in (row_id, own[0].id):
        job_id = await world.start("posting", one, delay=timedelta(hours=1))
        assert await world.parts.jobs.cancel(job_id, reason=None, by="somebody")
        await world.parts.ended(job_id)
    await TellingElsewhere(world.rows, world.copies).turn()
    assert (await world.says("posting", row_id, "failed"))["processing_error"] == "the job was canceled"
    assert not world.written(own[0].id), "the ledger's own rows are nobody else's matter"


async def test_rows_of_the_ledgers_own_go_on_as_before(world: World) -> None:
    row, _ = await world.postings.put("ann", given=TEXT)
    job = await world.ended("posting", row.id, owner="ann")
    assert job.status == Status.COMPLETED
    assert not [asked for asked in world.server.asked if str(row.id) in asked.target]


async def test_neither_texts_nor_the_key_reach_the_engine_or_the_audit(world: World) -> None:
    row_id = world.theirs.add("posting", description=TEXT.replace("Python", "Python m4rker"))
    job = await world.ended("posting", row_id)
    history = await world.parts.client.get_workflow_handle(str(job.id)).fetch_history()
    payloads = b"".join(event.SerializeToString() for event in history.events)
    assert str(row_id).encode() in payloads, "they can be read here"
    told_ = str([event.data for event in await world.parts.events.after(job.id)])
    for secret in ("m4rker", "Rockets", SERVICE_KEY, world.server.url):
        assert secret.encode() not in payloads
        assert secret not in told_
