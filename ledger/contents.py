"""The tables `run_contents`, `run_reviews` and `run_drafts`: what is written about runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.running.contents import About, Content, Half, Review, ReviewSheet, Sheet, Words
from ledger.database import sql
from ledger.together import APART, Together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Record

    from domain.job import Failure
    from domain.usage import Call
    from ledger.database import Database


@dataclass(frozen=True, slots=True)
class Begun:
    """`timezone`: the user's, where it is known."""

    timezone: str | None


class Contents:
    """Every write may be repeated. A text stays until a newer one is stored."""

    def __init__(self, database: "Database") -> None:
        self._database = database
        self._stores: Together[tuple[dict[str, Any], str], bool] = Together(self._store, apart=APART)

    async def begin(self, job_id: UUID, workout_id: UUID, user_id: str, halves: "Sequence[Half]") -> Begun | None:
        """Note that a job is at these halves; None for a workout that is not there, or not the user's."""
        row = await self._database.row(sql("begin_contents"), job_id, workout_id, user_id, list(halves))
        return Begun(row["timezone"]) if row else None

    async def store(self, workout_id: UUID, half: Half, words: Words, facts: str, call: "Call") -> bool:
        """Keep a half with its facts, which are JSON; `call` says whose turns paid for it. False when the workout is
        gone."""
        paid = {"job_id": str(call.job_id), "step": call.step, "item": call.item}
        return await self._stores(({"workout_id": str(workout_id), "half": half, **words.model_dump(), **paid}, facts))

    async def _store(self, halves: "Sequence[tuple[dict[str, Any], str]]") -> "Sequence[bool]":
        said = [one for one, _ in halves]
        rows = await self._database.fetch(sql("store_content"), said, [facts for _, facts in halves])
        kept = {(str(row["workout_id"]), row["half"]) for row in rows}
        return [(one["workout_id"], one["half"]) in kept for one in said]

    async def fail(self, job_id: UUID, workout_id: UUID, half: Half, failure: "Failure") -> None:
        """Note that the job gave a half up while it goes on itself. The end of a job says as much by itself."""
        await self._database.execute(
            """UPDATE run_contents SET status = 'failed', error = $4, updated_at = now()
            WHERE workout_id = $2 AND half = $3 AND job_id = $1 AND status = 'generating'""",
            job_id,
            workout_id,
            half,
            failure.model_dump(mode="json", by_alias=True),
        )

    async def get(self, workout_id: UUID, half: Half) -> Content:
        """As it stands; `pending` when nobody has asked for it."""
        row = await self._database.row(
            "SELECT * FROM run_contents_now WHERE workout_id = $1 AND half = $2", workout_id, half
        )
        if row is None:
            return Content(activity_id=workout_id, status="pending")
        return Content.model_validate({"activity_id": workout_id, **_given(row)})

    async def keep_sheet(self, job_id: UUID, sheet: Sheet) -> None:
        """What the job writes from; what it has written from another is dropped."""
        await self._database.execute(
            """INSERT INTO run_drafts (job_id, sheet) VALUES ($1, $2)
            ON CONFLICT (job_id) DO UPDATE SET sheet = excluded.sheet, words = NULL""",
            job_id,
            _json(sheet),
        )

    async def keep_words(self, job_id: UUID, words: Words) -> None:
        await self._database.execute("UPDATE run_drafts SET words = $2 WHERE job_id = $1", job_id, _json(words))

    async def draft(self, job_id: UUID) -> tuple[Any, Words | None] | None:
        """The sheet as it was given, and the words if there are any yet."""
        row = await self._database.row("SELECT sheet, words FROM run_drafts WHERE job_id = $1", job_id)
        return (row["sheet"], Words.model_validate(row["words"]) if row["words"] else None) if row else None

    async def drop_draft(self, job_id: UUID) -> None:
        await self._database.execute("DELETE FROM run_drafts WHERE job_id = $1", job_id)

    async def store_review(self, sheet: ReviewSheet, words: Words, call: "Call") -> None:
        """Keep a review in the place of the one before."""
        said = (words.text, sheet.facts, words.answered_by, words.reason, words.model)
        args = (sheet.user_id, sheet.about, sheet.key, *said, call.job_id, call.step, call.item)
        await self._database.execute(sql("store_review"), *args)

    async def reviews(self, user_id: str, about: About, *, key: str | None = None, limit: int = 1) -> list[Review]:
        """Those of one sort, the newest key first; or the one of that key."""
        rows = await self._database.fetch(
            """SELECT * FROM run_reviews WHERE user_id = $1 AND about = $2 AND key = coalesce($3, key)
            ORDER BY key DESC LIMIT $4""",
            user_id,
            about,
            key,
            limit,
        )
        return [Review.model_validate(_given(row)) for row in rows]


def _given(row: "Record") -> dict[str, Any]:
    """What is there: defaults stand for the rest."""
    return {name: value for name, value in row.items() if value is not None}


def _json(model: Any) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True)
