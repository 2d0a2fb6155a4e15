"""The tables `users` and `erasures`: owners that the application has told of, and the end of all they left here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from domain.users import User, UserRequest
from ledger.database import sql
from ledger.stats import FORGET

if TYPE_CHECKING:
    from ledger.database import Database

# Of jobs that have ended, $1: their ids. Rows stay, for figures and money are not the user's; nothing in them says
# whose they were or what they were about.
OF_JOBS = (
    "DELETE FROM job_steps WHERE job_id = ANY($1)",
    "DELETE FROM job_items WHERE job_id = ANY($1)",
    "DELETE FROM speech_callbacks WHERE job_id = ANY($1)",
    "DELETE FROM waitpoints WHERE job_id = ANY($1)",
    "DELETE FROM idempotency_keys WHERE job_id = ANY($1)",
    "DELETE FROM deliveries WHERE job_id = ANY($1)",
    "DELETE FROM schedule_firings WHERE job_id = ANY($1)",
    "DELETE FROM plan_calls WHERE job_id = ANY($1)",
    "DELETE FROM research_evidence WHERE job_id = ANY($1)",
    "DELETE FROM research_briefings WHERE job_id = ANY($1)",
    "DELETE FROM run_drafts WHERE job_id = ANY($1)",
    "DELETE FROM posting_drafts WHERE job_id = ANY($1)",
    "DELETE FROM rows_elsewhere WHERE job_id = ANY($1)",
    "DELETE FROM interview_pieces WHERE job_id = ANY($1)",
    "DELETE FROM interview_jobs WHERE job_id = ANY($1)",
    "UPDATE spend SET answer = NULL, prompt_hash = '', step = '', item = '' WHERE job_id = ANY($1)",
    "DELETE FROM job_events WHERE job_id = ANY($1) AND type <> 'job'",
    """UPDATE job_events SET data = jsonb_build_object('status', data -> 'status')
        WHERE job_id = ANY($1) AND data <> jsonb_build_object('status', data -> 'status')""",
    """WITH erased AS (
        UPDATE jobs SET owner = '', title = '', payload = '{}', plan = '[]', result = NULL, tags = '{}',
            metadata = '{}', items = NULL, idempotency_key = NULL, active_key = NULL, cache_key = NULL,
            concurrency_key = '', debounce_key = NULL, webhook = NULL, email = NULL, schedule_id = NULL,
            cancel_requested_by = NULL, cancel_reason = NULL, blanked_at = coalesce(blanked_at, now()),
            error = CASE WHEN error IS NOT NULL THEN
                jsonb_build_object('code', error -> 'code', 'message', 'erased', 'retryable', false) END,
            event_seq = event_seq + 1, updated_at = now()
        WHERE id = ANY($1) RETURNING id, event_seq
    )
    INSERT INTO job_events (job_id, seq, type, data) SELECT id, event_seq, 'erased', '{}' FROM erased""",
)
# Of the user, $1: the id. Figures over everybody keep what was counted in them.
OF_USER = (
    "DELETE FROM webhooks WHERE owner = $1",
    "DELETE FROM vendor_turns WHERE owner = $1",
    "DELETE FROM documents WHERE owner = $1",
    "DELETE FROM blob_uses WHERE owner = $1",
    "DELETE FROM run_contents WHERE user_id = $1",
    "DELETE FROM run_reviews WHERE user_id = $1",
    "DELETE FROM workouts WHERE user_id = $1",
    # a server may have had them enriched by jobs of nobody's
    "UPDATE spend SET answer = NULL WHERE job_id IN (SELECT job_id FROM postings WHERE user_id = $1)",
    "DELETE FROM plan_calls WHERE job_id IN (SELECT job_id FROM postings WHERE user_id = $1)",
    "DELETE FROM postings WHERE user_id = $1",
    """UPDATE spend SET answer = NULL WHERE job_id IN (
        SELECT w.job_id FROM interview_jobs w JOIN interviews i ON i.id = w.interview_id WHERE i.user_id = $1)""",
    "DELETE FROM interview_questions WHERE interview_id IN (SELECT id FROM interviews WHERE user_id = $1)",
    # their recordings are deleted from the store after that: the rows' end notes which
    "DELETE FROM interviews WHERE user_id = $1",
    *FORGET,
    "UPDATE audit SET by = 'owner:erased' WHERE by = 'owner:' || $1",
    "UPDATE audit SET data = data - 'owner' WHERE data ->> 'owner' = $1",
    "UPDATE audit SET subject = 'users/erased', data = '{}' WHERE subject = 'users/' || $1",
    "DELETE FROM users WHERE id = $1",
)


class Users:
    """Users, and their erasure: asked for once, and done by a job of the same id."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def put(self, user_id: str, asked: UserRequest) -> tuple[User, bool] | None:
        """The user as asked, and whether they are new here; None while the data of one of that id is being erased."""
        row = await self._database.row(
            sql("put_user"),
            user_id,
            asked.tier,
            asked.timezone,
            asked.email,
            asked.auto_generate,
            asked.heart_rate.model_dump(exclude_none=True) if asked.heart_rate else None,
        )
        return (User.model_validate(dict(row)), row["is_new"]) if row else None

    async def get(self, user_id: str) -> User | None:
        row = await self._database.row("SELECT * FROM users WHERE id = $1", user_id)
        return User.model_validate(dict(row)) if row else None

    async def forget(self, user_id: str, erasure_id: UUID) -> UUID:
        """Delete the user, and note that the rest is to go; answers the erasure that is under way, this or another.

        One whose job has ended without having done it is replaced.
        """
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute("DELETE FROM users WHERE id = $1", user_id)
            await connection.execute(
                """DELETE FROM erasures e WHERE user_id = $1
                    AND EXISTS (SELECT FROM jobs j WHERE j.id = e.id AND j.finished_at IS NOT NULL)""",
                user_id,
            )
            row = await connection.fetchrow(
                """INSERT INTO erasures (id, user_id) VALUES ($1, $2)
                ON CONFLICT (user_id) WHERE user_id IS NOT NULL DO UPDATE SET user_id = excluded.user_id
                RETURNING id""",
                erasure_id,
                user_id,
            )
        return row["id"] if row else erasure_id

    async def erasing(self, erasure_id: UUID) -> str | None:
        """Whose data that erasure is about; None when it is done, or never was."""
        row = await self._database.row("SELECT user_id FROM erasures WHERE id = $1", erasure_id)
        return row["user_id"] if row else None

    async def open_jobs(self, user_id: str, *, limit: int = 1000) -> Sequence[UUID]:
        rows = await self._database.fetch(
            "SELECT id FROM jobs WHERE owner = $1 AND finished_at IS NULL LIMIT $2", user_id, limit
        )
        return [row["id"] for row in rows]

    async def ended_jobs(self, user_id: str, *, limit: int = 100) -> Sequence[UUID]:
        """Jobs of the user that are not erased yet."""
        rows = await self._database.fetch(
            "SELECT id FROM jobs WHERE owner = $1 AND finished_at IS NOT NULL LIMIT $2", user_id, limit
        )
        return [row["id"] for row in rows]

    async def erase_jobs(self, job_ids: Sequence[UUID]) -> None:
        """Blank ended jobs, all of them or none."""
        async with self._database.acquire() as connection, connection.transaction():
            for statement in OF_JOBS:
                await connection.execute(statement, job_ids)

    async def erase_user(self, erasure_id: UUID, user_id: str) -> None:
        """Delete what belongs to no one job, and forget whom the erasure was about."""
        async with self._database.acquire() as connection, connection.transaction():
            for statement in OF_USER:
                await connection.execute(statement, user_id)
            await connection.execute("UPDATE erasures SET user_id = NULL, erased_at = now() WHERE id = $1", erasure_id)
