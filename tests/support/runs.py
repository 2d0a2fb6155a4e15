"""A runner's history in the ledger, and a vendor that writes about it."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from domain.running.figures import Fact, Facts
from ledger.database import Database
from tests.support.model_server import Answer, Mode, message

NEWEST = datetime(2026, 6, 14, 7, 30, tzinfo=UTC)
# Says nothing that a fact could contradict.
KIND_WORDS = "You went out again, and the road was kind to you. Keep it easy this week, and enjoy the next one."


def facts(kilometres: float) -> Facts:
    """The figures of a run at six minutes a kilometre."""
    metres = 1000 * kilometres
    values = {"distance": (metres, "m"), "moving_time": (0.36 * metres, "s"), "pace": (360.0, "s/km")}
    return Facts(
        sport="run",
        facts={
            name: Fact(value=value, unit=unit, basis="GPS", quality="good")  # pyright: ignore[reportArgumentType]
            for name, (value, unit) in values.items()
        },
    )


async def add_runs(database: Database, user_id: str, count: int, *, tier: str | None = None) -> list[UUID]:
    """So many runs, one a day, answered newest first; and the user's tier, if one is given."""
    if tier is not None:
        await database.execute(
            "INSERT INTO users (id, tier) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET tier = excluded.tier",
            user_id,
            tier,
        )
    ids = [uuid4() for _ in range(count)]
    rows = [
        {
            "id": str(run_id),
            "hash": uuid4().hex * 2,
            "at": (NEWEST - timedelta(days=day)).isoformat(),
            "facts": (found := facts(5 + day % 7)).model_dump(mode="json", by_alias=True, exclude_none=True),
            "figures": {name: fact.value for name, fact in found.facts.items()},
        }
        for day, run_id in enumerate(ids)
    ]
    await database.execute(
        """INSERT INTO workouts (id, user_id, content_hash, started_at, name, type, is_run, source, facts, figures,
            runner, recording)
        SELECT id, $2, hash, at, 'Morning run', 'run', true, 'json', facts, figures, '{}', ''
        FROM jsonb_to_recordset($1) AS r (id uuid, hash text, at timestamptz, facts jsonb, figures jsonb)""",
        rows,
        user_id,
    )
    return ids


def writes(text: str = KIND_WORDS, after: float = 0.0) -> Mode:
    """A vendor that writes the same about every run."""
    body = json.dumps({"text": text})

    async def mode(prompt: str) -> Answer:
        await asyncio.sleep(after)
        return message(body, prompt)

    return mode


async def halves(database: Database, runs: Sequence[UUID]) -> list[set[str]]:
    """Which halves of each run stand."""
    rows = await database.fetch(
        "SELECT workout_id, half FROM run_contents WHERE workout_id = ANY($1) AND status = 'completed'", list(runs)
    )
    return [{row["half"] for row in rows if row["workout_id"] == run} for run in runs]
