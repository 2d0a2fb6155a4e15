"""The `deliveries` table: what is to be told to whom, who carries it, and every attempt that was made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from ledger.database import sql

if TYPE_CHECKING:
    from ledger.database import Database

Channel = Literal["webhook", "email"]
TOPIC = "deliveries"
CLAIM_SECONDS = 15.0
# an attempt that is this late was lost with the engine's memory of it, and is taken there again
LOST_SECONDS = 600.0
TEST = "webhook.test"


@dataclass(frozen=True)
class Claim:
    """A delivery that the engine must know of. `look_at` is the claim's own end, which says that it still holds."""

    id: UUID
    event: str
    channel: Channel
    receiver: UUID
    look_at: datetime


@dataclass(frozen=True)
class Due:
    """A pending delivery: `wait` seconds from now it is to be attempted, `tries` times that has failed.

    `url` is None when the endpoint is gone; `secrets` (the newest first) are the endpoint's own.
    """

    id: UUID
    event_id: str
    event: str
    at: datetime
    job_id: UUID | None
    webhook_id: UUID | None
    attempts: int
    tries: int
    wait: float
    url: str | None
    active: bool
    secrets: tuple[str, ...]
    email: str | None


@dataclass(frozen=True)
class Attempt:
    """What came of one attempt; `verdict` None: again after `wait` seconds. `gone`: why the endpoint is disabled."""

    status_code: int | None
    error: str | None
    duration_ms: int
    verdict: Literal["delivered", "failed"] | None
    wait: float = 0.0
    gone: str | None = None


@dataclass(frozen=True)
class Delivery:
    """One row with its log: {number, at, statusCode, error, durationMs} for each attempt."""

    id: UUID
    event_id: str
    event: str
    job_id: UUID | None
    channel: Channel
    webhook_id: UUID | None
    status: str
    created_at: datetime
    finished_at: datetime | None
    next_attempt_at: datetime | None
    log: list[dict[str, Any]]


class Deliveries:
    """The outbox. Rows come from the SQL function `tell`, in the transaction of the status that they tell."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def claim(self, at_most: int) -> Sequence[Claim]:
        """Deliveries that nobody has taken to the engine yet, or that were lost there; a claim holds 15 s."""
        rows = await self._database.fetch(
            """UPDATE deliveries SET look_at = now() + make_interval(secs => $2)
            WHERE id IN (SELECT id FROM deliveries WHERE status = 'pending' AND look_at <= now()
                ORDER BY look_at LIMIT $1 FOR UPDATE SKIP LOCKED)
            RETURNING id, event, channel, coalesce(webhook_id, job_id) AS receiver, look_at""",
            at_most,
            CLAIM_SECONDS,
        )
        return [Claim(**row) for row in rows]

    async def handed(self, claims: Sequence[Claim], *, again: float | None = None) -> None:
        """The engine knows of them (or `again`: ask it in so many seconds). A resend meanwhile keeps its own time."""
        await self._database.execute(
            """UPDATE deliveries d SET look_at = CASE WHEN $3::double precision IS NULL
                THEN greatest(d.due_at, now()) + make_interval(secs => $4) ELSE now() + make_interval(secs => $3) END
            FROM unnest($1::uuid[], $2::timestamptz[]) AS claimed (id, look_at)
            WHERE d.id = claimed.id AND d.look_at = claimed.look_at AND d.status = 'pending'""",
            [claim.id for claim in claims],
            [claim.look_at for claim in claims],
            again,
            LOST_SECONDS,
        )

    async def due(self, delivery_id: UUID) -> Due | None:
        """The delivery, if it is still pending."""
        row = await self._database.row(
            """SELECT d.id, d.event_id, d.event, d.created_at AS at, d.job_id, d.webhook_id, d.attempts, d.tries,
                extract(epoch FROM d.due_at - now())::double precision AS wait,
                CASE WHEN d.webhook_id IS NULL THEN j.webhook ELSE w.url END AS url,
                coalesce(w.status = 'active', true) AS active,
                array_remove(ARRAY[w.secret, CASE WHEN w.previous_until > now() THEN w.previous_secret END], NULL)
                    AS secrets,
                j.email
            FROM deliveries d LEFT JOIN webhooks w ON w.id = d.webhook_id LEFT JOIN jobs j ON j.id = d.job_id
            WHERE d.id = $1 AND d.status = 'pending'""",
            delivery_id,
        )
        if row is None:
            return None
        values: dict[str, Any] = {name: row[name] for name in Due.__dataclass_fields__}
        values["secrets"] = tuple(row["secrets"])
        return Due(**values)

    async def record(self, due: Due, attempt: Attempt) -> None:
        """Log the attempt and move on; repeated, or overtaken by another attempt, it changes nothing."""
        await self._database.execute(
            sql("record_attempt"),
            due.id,
            due.attempts,
            attempt.status_code,
            attempt.error,
            attempt.duration_ms,
            attempt.verdict,
            attempt.wait,
            attempt.gone,
            due.url,
            LOST_SECONDS,
        )

    async def test(self, webhook_id: UUID) -> Delivery:
        """Enqueue a `webhook.test`, an event of its own."""
        [row] = await self._database.fetch(
            """WITH delivery AS (
                INSERT INTO deliveries (event_id, event, channel, webhook_id)
                VALUES ('evt_' || replace(gen_random_uuid()::text, '-', '') || '_test', $2, 'webhook', $1) RETURNING *)
            SELECT id, event_id, event, job_id, channel, webhook_id, status, created_at, finished_at,
                due_at AS next_attempt_at, '[]'::json AS log, pg_notify(current_schema(), $3) FROM delivery""",
            webhook_id,
            TEST,
            TOPIC,
        )
        return _delivery(row)

    async def resend(self, webhook_id: UUID, delivery_id: UUID) -> Delivery | None:
        """Have it attempted now, and anew if that fails, under the event id that it has; None: no such delivery."""
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute(
                """WITH again AS (
                    UPDATE deliveries SET status = 'pending', finished_at = NULL, tries = 0, due_at = now(),
                        look_at = now()
                    WHERE id = $1 AND webhook_id = $2 RETURNING id)
                SELECT pg_notify(current_schema(), $3) FROM again""",
                delivery_id,
                webhook_id,
                TOPIC,
            )
            row = await connection.fetchrow(
                sql("list_deliveries") + "WHERE d.id = $1 AND d.webhook_id = $2", delivery_id, webhook_id
            )
        return _delivery(row) if row else None

    async def list(
        self, webhook_id: UUID, *, status: str | None = None, limit: int, before: tuple[datetime, UUID] | None = None
    ) -> Sequence[Delivery]:
        """An endpoint's deliveries, newest first, older than `before` (the last row's created_at and id)."""
        at, last = before or (None, None)
        rows = await self._database.fetch(
            sql("list_deliveries")
            + """WHERE d.webhook_id = $1 AND ($2::text IS NULL OR d.status = $2)
                AND ($3::timestamptz IS NULL OR (d.created_at, d.id) < ($3, $4::uuid))
            ORDER BY d.created_at DESC, d.id DESC LIMIT $5""",
            webhook_id,
            status,
            at,
            last,
            limit,
        )
        return [_delivery(row) for row in rows]

    async def of_job(self, job_id: UUID) -> Sequence[Delivery]:
        """All deliveries that tell of a job."""
        rows = await self._database.fetch(
            sql("list_deliveries") + "WHERE d.job_id = $1 ORDER BY d.created_at, d.id", job_id
        )
        return [_delivery(row) for row in rows]


def _delivery(row: Any) -> Delivery:
    return Delivery(**{name: row[name] for name in Delivery.__dataclass_fields__})
