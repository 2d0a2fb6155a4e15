"""The kinds that write about runs: real workflows and activities on a real ledger, the model by a script."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from domain.errors import VendorError
from domain.job import Status
from domain.running.contents import About, Half, Review
from domain.users import UserRequest
from engine.replay import Replays
from ledger.contents import Contents
from ledger.database import Database
from ledger.users import Users
from ledger.workouts import Workouts
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.run_words import INSIGHT, LETTER, TRUE, WordsModel, word_activities
from tests.support.runs import add_runs
from tests.support.stack_parts import Parts, stack, steps_of, until
from workflows.catalog import KINDS

pytestmark = pytest.mark.asyncio(loop_scope="module")
AWAY = VendorError("the model did not answer in time", code="timeout")
MUTE = VendorError("the model refused to answer", code="refused", retryable=False)
AT_ONCE = {"minTimeoutInMs": 1, "maxTimeoutInMs": 1}
HALVES: dict[str, Half] = {"generate-run-letter": "letter", "generate-coaching-insight": "insight"}


@pytest.fixture(scope="module")
def scripted() -> WordsModel:
    return WordsModel()


@pytest.fixture
def model(scripted: WordsModel) -> WordsModel:
    scripted.__init__()
    return scripted


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def parts(postgres_url: str, template: str, temporal_address: str, scripted: WordsModel) -> AsyncGenerator[Parts]:
    async with cloned(postgres_url, template) as url:
        database = Database(url)
        activities = word_activities(database, scripted)
        opened = stack(database, await own_namespace(temporal_address), activities, kinds=KINDS)
        async with opened as parts, parts.working(), parts.dispatching():
            yield parts
        await database.close()


@pytest.fixture
def ann() -> str:
    return f"ann-{uuid4().hex[:8]}"


async def a_run(parts: Parts, user_id: str) -> dict[str, str]:
    """A payload."""
    [run_id] = await add_runs(parts.database, user_id, 1)
    return {"activityId": str(run_id), "userId": user_id}


async def reviews(parts: Parts, user_id: str, about: About) -> Sequence[Review]:
    return await Contents(parts.database).reviews(user_id, about, limit=10)


@pytest.mark.parametrize("kind", HALVES)
async def test_it_loads_writes_and_stores(parts: Parts, model: WordsModel, ann: str, kind: str) -> None:
    asked = await a_run(parts, ann)
    row = await parts.ended(await parts.submit(kind, asked))
    assert (row.status, row.owner, row.answered_by) == (Status.COMPLETED, ann, "anthropic")
    assert steps_of(row) == [("load", "completed"), ("generate", "completed"), ("store", "completed")]
    assert row.result == {"activityId": asked["activityId"], "answeredBy": "anthropic"}
    contents = Contents(parts.database)
    there = await contents.get(UUID(asked["activityId"]), HALVES[kind])
    assert (there.status, there.text, there.model, there.job_id) == ("completed", TRUE, "claude-haiku-5-5", row.id)
    assert "distance" in there.facts
    assert await contents.draft(row.id) is None
    assert [(call.step, call.turn) for call in model.calls] == [("generate", 0)]


async def test_neither_text_nor_figures_travel(parts: Parts, model: WordsModel, ann: str) -> None:
    asked = await a_run(parts, ann)
    job_id = await parts.submit("generate-coaching-insight", asked)
    await parts.ended(job_id)
    await parts.closed(job_id)
    history = await parts.client.get_workflow_handle(str(job_id)).fetch_history()
    assert asked["activityId"] in str(history)
    assert "nobody but you" not in str(history)
    assert "moving_time" not in str(history)


async def test_a_model_has_three_attempts(parts: Parts, model: WordsModel, ann: str) -> None:
    asked = await a_run(parts, ann)
    model.says += [AWAY, AWAY]
    row = await parts.ended(await parts.submit("generate-run-letter", asked, retry=AT_ONCE))
    assert row.status == Status.COMPLETED
    assert [(step.name, step.attempt, step.max_attempts) for step in row.steps][1] == ("generate", 3, 3)
    model.says += [AWAY, AWAY, AWAY]
    row = await parts.ended(await parts.submit("generate-run-letter", asked, retry=AT_ONCE))
    assert (row.status, row.error and row.error.code) == (Status.FAILED, "timeout")
    there = await Contents(parts.database).get(UUID(asked["activityId"]), "letter")
    assert (there.status, there.text) == ("failed", TRUE), "the text before it stays"
    assert there.error is not None
    assert there.error.code == "timeout"


async def test_what_is_wrong_twice_is_written_by_the_twin(parts: Parts, model: WordsModel, ann: str) -> None:
    asked = await a_run(parts, ann)
    model.says += [
        "You ran 99 km, and it was good, and nobody saw it but you.",
        "**You ran 98 km**, I am quite sure of it.",
    ]
    row = await parts.ended(await parts.submit("generate-run-letter", asked))
    assert (row.status, row.answered_by) == (Status.COMPLETED, "offline")
    assert [call.turn for call in model.calls] == [0, 1]
    assert '"99 km" is no figure' in model.prompts[1]
    there = await Contents(parts.database).get(UUID(asked["activityId"]), "letter")
    assert there.answered_by == "offline"
    assert there.reason
    assert "9" not in (there.text or "").replace("5 km", "")


async def test_both_halves_are_written_at_once(parts: Parts, model: WordsModel, ann: str) -> None:
    asked = await a_run(parts, ann)
    model.together = asyncio.Barrier(2)
    row = await parts.ended(await parts.submit("process-activity-content", asked))
    assert row.status == Status.COMPLETED
    assert steps_of(row) == [("letter", "completed"), ("insight", "completed")]
    assert row.result["letter"] == row.result["insight"] == {"answeredBy": "anthropic", "reason": None}
    for half in HALVES.values():
        assert (await Contents(parts.database).get(UUID(asked["activityId"]), half)).text == TRUE
    assert sorted(call.step for call in model.calls) == ["insight", "letter"]


@pytest.mark.parametrize(("fails", "half"), [(LETTER, "letter"), (INSIGHT, "insight")])
async def test_a_half_that_fails_leaves_the_other(
    parts: Parts, model: WordsModel, ann: str, fails: str, half: Half
) -> None:
    asked = await a_run(parts, ann)
    model.fails[fails] = MUTE
    row = await parts.ended(await parts.submit("process-activity-content", asked))
    assert (row.status, row.answered_by) == (Status.COMPLETED, "anthropic")
    other: Half = "insight" if half == "letter" else "letter"
    assert dict(steps_of(row)) == {half: "failed", other: "completed"}
    assert row.result[half] == {"code": "refused", "message": MUTE.message}
    standing = [await Contents(parts.database).get(UUID(asked["activityId"]), one) for one in (half, other)]
    assert [one.status for one in standing] == ["failed", "completed"]


async def test_when_both_fail_the_job_has_failed(parts: Parts, model: WordsModel, ann: str) -> None:
    model.fails |= {LETTER: MUTE, INSIGHT: MUTE}
    row = await parts.ended(await parts.submit("process-activity-content", await a_run(parts, ann)))
    assert (row.status, row.error and row.error.code) == (Status.FAILED, "refused")


async def test_a_run_that_was_deleted_meanwhile_fails_the_job(parts: Parts, model: WordsModel, ann: str) -> None:
    asked = await a_run(parts, ann)
    await Workouts(parts.database).delete(UUID(asked["activityId"]))
    for kind in (*HALVES, "process-activity-content"):
        row = await parts.ended(await parts.submit(kind, asked))
        assert (row.status, row.error and row.error.code) == (Status.FAILED, "not_found")
    assert model.calls == []


async def test_a_cancel_ends_the_writing(parts: Parts, model: WordsModel, ann: str) -> None:
    asked = await a_run(parts, ann)
    model.hangs = True
    job_id = await parts.submit("process-activity-content", asked)

    async def both() -> bool:
        return len(model.calls) == 2

    await until(both)
    assert await parts.jobs.cancel(job_id, reason=None, by="somebody")
    assert (await parts.ended(job_id)).status == Status.CANCELED
    assert (await Contents(parts.database).get(UUID(asked["activityId"]), "letter")).status == "failed"


async def test_a_replay_may_begin_with_the_writing(parts: Parts, model: WordsModel, ann: str) -> None:
    asked = await a_run(parts, ann)
    old = await parts.ended(await parts.submit("generate-run-letter", asked))
    model.says.append("Anew: you went out, and came back, and that was that for the day.")
    new = await Replays(parts.jobs, parts.catalog).replay(old, from_step="generate")
    assert (await parts.ended(new.id)).status == Status.COMPLETED
    assert ((await Contents(parts.database).get(UUID(asked["activityId"]), "letter")).text or "").startswith("Anew")


async def test_a_digest_is_of_a_week_where_the_user_lives(parts: Parts, model: WordsModel, ann: str) -> None:
    """A run a day at 7:30 UTC is one at 21:30 the day before in Honolulu, and at 19:30 in Auckland."""
    model.missing = "no model key is set"
    await add_runs(parts.database, ann, 30)
    for timezone, runs in (("Pacific/Honolulu", 6), ("Pacific/Auckland", 7)):
        await Users(parts.database).put(ann, UserRequest(timezone=timezone))
        row = await parts.ended(await parts.submit("weekly-run-digest", {"userId": ann, "week": "2026-W24"}))
        assert row.status == Status.COMPLETED
        assert row.result == {"about": "week", "key": "2026-06-08", "answeredBy": "offline"}
        [digest] = await reviews(parts, ann, "week")
        assert digest.facts["runs"].value == runs
        assert f"You ran {runs} times" in digest.text
        assert digest.reason == "no model key is set"
    model.missing = None
    row = await parts.ended(await parts.submit("weekly-run-digest", {"userId": ann, "week": "2026-W24"}))
    [digest] = await reviews(parts, ann, "week")
    assert (row.answered_by, digest.text) == ("anthropic", TRUE), "in the place of the one before"


async def test_without_a_week_it_is_the_last_one_that_has_ended(parts: Parts, model: WordsModel, ann: str) -> None:
    before = datetime.now(UTC).date()
    row = await parts.ended(await parts.submit("weekly-run-digest", {"userId": ann}))
    monday = date.fromisoformat(row.result["key"])
    assert monday.weekday() == 0
    assert before - monday < timedelta(days=14)
    assert datetime.now(UTC).date() - monday >= timedelta(days=7)


@pytest.mark.parametrize(("kind", "about"), [("weekly-run-digest", "week"), ("review-runs", "trends")])
async def test_where_nothing_was_run_no_model_is_paid_to_say_so(
    parts: Parts, model: WordsModel, ann: str, kind: str, about: About
) -> None:
    asked = {"userId": ann} | ({"about": about} if kind == "review-runs" else {})
    row = await parts.ended(await parts.submit(kind, asked))
    assert (row.status, row.answered_by, model.prompts) == (Status.COMPLETED, "offline", [])
    [review] = await reviews(parts, ann, about)
    assert review.reason == "there are no figures to write from"
    assert "on record" in review.text


async def test_two_runs_are_compared(parts: Parts, model: WordsModel, ann: str) -> None:
    model.missing = "no model key is set"
    newer, older = await add_runs(parts.database, ann, 2)
    asked = {"userId": ann, "about": "comparison", "a": str(older), "b": str(newer)}
    row = await parts.ended(await parts.submit("review-runs", asked))
    assert (row.status, row.result["key"]) == (Status.COMPLETED, f"{older}:{newer}")
    [review] = await reviews(parts, ann, "comparison")
    assert review.facts["distance_difference"].value == -1000
    assert "Run A went over 6 km in 36:00, at 6:00/km. Run B went over 5 km in 30:00" in review.text
    assert "It was 1 km shorter." in review.text
    foreign = await parts.ended(await parts.submit("review-runs", {**asked, "userId": "mallory"}))
    assert (foreign.status, foreign.error and foreign.error.code) == (Status.FAILED, "not_found")


@pytest.mark.parametrize("about", ["trends", "suggestion"])
async def test_months_and_the_week_to_come_are_written_about(
    parts: Parts, model: WordsModel, ann: str, about: About
) -> None:
    model.missing = "no model key is set"
    await add_runs(parts.database, ann, 5)
    before = datetime.now(UTC).date()
    row = await parts.ended(await parts.submit("review-runs", {"userId": ann, "about": about}))
    assert row.status == Status.COMPLETED, row.error
    [review] = await reviews(parts, ann, about)
    assert before <= date.fromisoformat(review.key) <= datetime.now(UTC).date()
    assert len(review.text) > 40
