"""The `workouts` table: runners' activities, their figures, and the recordings they were computed from."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from uuid import UUID, uuid4

import asyncpg

from domain.running.figures import VERSION, Facts, Runner
from domain.running.runs import RunSummary
from domain.workout import Source, Sport, WorkoutRefused
from ledger.database import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from domain.workout import Workout
    from ledger.database import Database

SHOWN = "id, user_id, content_hash, started_at, name, type, is_run, source, facts, runner, created_at"
SELECT = (
    "SELECT id, user_id, content_hash, started_at, name, type, is_run, source, facts, runner, created_at FROM workouts "
)
SUMMARIES = "SELECT id::text, name, started_at, is_run, figures::text FROM workouts "
FIND = SELECT + "WHERE user_id = $1 AND (content_hash = $2 OR started_at = $3) ORDER BY content_hash = $2 DESC LIMIT 1"
PUT = """INSERT INTO workouts (user_id, content_hash, started_at, name, type, is_run, source, facts, figures, runner,
    recording, id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING """


@dataclass(frozen=True, slots=True)
class WorkoutRow:
    """A workout as it is kept, without its recording. `started_at` is to the second."""

    id: UUID
    user_id: str
    content_hash: str
    started_at: datetime
    name: str
    type: Sport
    is_run: bool
    source: Source
    facts: Facts
    runner: Runner
    created_at: datetime

    @classmethod
    def of(cls, row: "Record") -> Self:
        facts, runner = Facts.model_validate(row["facts"]), Runner.model_validate(row["runner"])
        values: dict[str, Any] = {**row, "facts": facts, "runner": runner}
        return cls(**values)

    @property
    def summary(self) -> RunSummary:
        """What is needed to set it beside others."""
        return RunSummary.of(str(self.id), self.name, self.started_at, self.facts)


class Kept(NamedTuple):
    """That a workout is there."""

    id: UUID
    is_run: bool


class Workouts:
    """Workouts of users. One of known content, or of a known start, is known already: it is never written twice."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def find(self, user_id: str, workout: "Workout") -> WorkoutRow | None:
        """The workout of the same content, or else of the same start, if the user has it already."""
        row = await self._database.row(FIND, user_id, workout.content_hash, workout.start_key)
        return WorkoutRow.of(row) if row else None

    async def put(
        self,
        user_id: str,
        workout: "Workout",
        facts: Facts,
        runner: Runner,
        recording: bytes,
        *,
        workout_id: UUID | None = None,
    ) -> tuple[WorkoutRow, bool]:
        """Keep a workout; answers it and whether it is new. One that is known stays as it was, under the id it has.
        Raises WorkoutRefused.

        `recording` is the workout as `domain.running.packed` packs it, `runner` whom the facts were computed for.
        """
        given = (
            *(user_id, workout.content_hash, workout.start_key, workout.name, workout.sport, facts.not_a_run is None),
            *(workout.source, _json(facts), _figures(facts), _json(runner), recording, workout_id or uuid4()),
        )
        async with self._database.acquire() as connection:
            while True:
                try:
                    row = await connection.fetchrow(PUT + SHOWN, *given)
                except asyncpg.DataError as error:
                    raise WorkoutRefused("it holds what cannot be stored") from error
                if row:
                    return WorkoutRow.of(row), True
                # none of both: what stood in the way was deleted between the two
                if row := await connection.fetchrow(FIND, user_id, workout.content_hash, workout.start_key):
                    return WorkoutRow.of(row), False

    async def stale(self, user_id: str, runner: Runner, *, limit: int) -> list[UUID]:
        """Workouts whose figures would come out otherwise by now: for that runner, or by this version."""
        known = (runner.resting_bpm, runner.max_bpm, runner.highest_seen_bpm)
        rows = await self._database.fetch(sql("stale_workouts"), user_id, *known, VERSION, limit)
        return [row["id"] for row in rows]

    async def refigure(self, workout_id: UUID, facts: Facts, runner: Runner) -> None:
        """Replace the facts by what was computed anew from the same recording."""
        await self._database.execute(
            "UPDATE workouts SET facts = $2, figures = $3, is_run = $4, runner = $5 WHERE id = $1",
            workout_id,
            _json(facts),
            _figures(facts),
            facts.not_a_run is None,
            _json(runner),
        )

    async def get(self, workout_id: UUID) -> WorkoutRow | None:
        row = await self._database.row(SELECT + "WHERE id = $1", workout_id)
        return WorkoutRow.of(row) if row else None

    async def recording(self, workout_id: UUID) -> bytes | None:
        """What `put` was given: `domain.running.packed.unpacked` makes the workout of it again."""
        row = await self._database.row("SELECT recording FROM workouts WHERE id = $1", workout_id)
        return row["recording"] if row else None

    async def page(self, user_id: str, *, limit: int, before: datetime | None = None) -> list[WorkoutRow]:
        """The user's workouts, newest first; `before` is the start of the last one of the page before."""
        rows = await self._database.fetch(
            SELECT
            + """WHERE user_id = $1 AND started_at < coalesce($2::timestamptz, 'infinity')
            ORDER BY started_at DESC LIMIT $3""",
            user_id,
            before,
            limit,
        )
        return [WorkoutRow.of(row) for row in rows]

    async def summaries(
        self,
        user_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        runs_only: bool = True,
        limit: int | None = None,
    ) -> list[RunSummary]:
        """Light summaries, newest first, of what began from `since` to before `until`."""
        rows = await self._database.fetch(
            SUMMARIES
            + """WHERE user_id = $1 AND started_at >= coalesce($2::timestamptz, '-infinity')
                AND started_at < coalesce($3::timestamptz, 'infinity') AND (is_run OR NOT $4::boolean)
            ORDER BY started_at DESC LIMIT $5""",
            user_id,
            since,
            until,
            runs_only,
            limit,
        )
        return [RunSummary.read(*row) for row in rows]

    async def nearest(self, user_id: str, distance_meters: float, *, until: datetime, limit: int) -> list[RunSummary]:
        """Runs before `until` whose distance is closest to the one given: among them the similar ones are sought."""
        rows = await self._database.fetch(sql("nearest_runs"), user_id, distance_meters, until, limit)
        return [RunSummary.read(*row) for row in rows]

    async def run_ids(self, user_id: str, *, limit: int | None = None) -> list[UUID]:
        """The user's runs, newest first; what is not a run is left out."""
        rows = await self._database.fetch(
            "SELECT id FROM workouts WHERE user_id = $1 AND is_run ORDER BY started_at DESC LIMIT $2", user_id, limit
        )
        return [row["id"] for row in rows]

    async def by_content(self, user_id: str) -> dict[str, Kept]:
        """All workouts of the user, by the hash of the file that they came in."""
        rows = await self._database.fetch("SELECT content_hash, id, is_run FROM workouts WHERE user_id = $1", user_id)
        return {row["content_hash"]: Kept(row["id"], row["is_run"]) for row in rows}

    async def highest_heart_rate(self, user_id: str) -> float | None:
        """The highest that any of the user's workouts has seen, in beats a minute."""
        row = await self._database.row(
            """SELECT max_heart_rate FROM workouts WHERE user_id = $1
            ORDER BY max_heart_rate DESC NULLS LAST LIMIT 1""",
            user_id,
        )
        return row["max_heart_rate"] if row else None

    async def delete(self, workout_id: UUID) -> bool:
        """Delete a workout and what was made of it; False when there is none."""
        row = await self._database.row("DELETE FROM workouts WHERE id = $1 RETURNING id", workout_id)
        return row is not None


def _figures(facts: Facts) -> dict[str, float]:
    """The values that can be set beside others."""
    return dict(RunSummary.of("", "", datetime.min, facts).values)


def _json(model: Facts | Runner) -> dict[str, object]:
    return model.model_dump(mode="json", by_alias=True)
