"""The `plan_calls` table: what the steps of plans were given and brought, and which calls have begun.

A call is noted before it is made. Who finds one begun knows that its caller died meanwhile: what became of it is not
known, and a call that changes the world is not made again in the same attempt.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic_core import to_json

from domain.errors import JobClosed
from domain.job import Failure
from domain.plan import PlanResult
from domain.tool_use import ToolUse
from ledger.database import sql

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from ledger.database import Database


@dataclass(frozen=True)
class Asked:
    """What a plan's job was asked for, and whose it is."""

    payload: dict[str, Any]
    owner: str


@dataclass(frozen=True)
class Call:
    """One call of a step: its own (''), or a tool that its model asked for (`turn.place`)."""

    job_id: UUID
    step: str
    call: str = ""


@dataclass(frozen=True)
class Begun:
    """`attempt` counts from 1. `done`: the call was made before and its outcome stands. `lost`: the one before was
    begun and never ended; nothing was begun now."""

    attempt: int
    done: bool = False
    lost: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a step stands, and what it brought. `status` is the step's, as job_steps has it."""

    name: str
    status: str
    output: Any
    error: Failure | None
    answered_by: str | None


@dataclass(frozen=True)
class Used:
    """A tool that a step's model asked for: what became of it. `error` None and `output` None: nothing yet."""

    use: ToolUse
    status: str
    output: Any
    error: Failure | None


class Plans:
    """Reads and writes of a plan's steps. Writers that come late change nothing."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def asked(self, job_id: UUID) -> Asked:
        """Raises JobClosed when the job is gone, or has been blanked."""
        row = await self._database.row("SELECT payload, owner, blanked_at FROM jobs WHERE id = $1", job_id)
        if row is None or row["blanked_at"] is not None:
            raise JobClosed("the job is gone")
        return Asked(row["payload"], row["owner"])

    async def outcomes(self, job_id: UUID, names: Collection[str]) -> dict[str, Outcome]:
        """Of the steps that have begun, by name."""
        rows = await self._database.fetch(sql("plan_outcomes"), job_id, list(names))
        return {
            row["name"]: Outcome(
                row["name"],
                row["status"],
                row["output"],
                Failure.model_validate(row["error"]) if row["error"] else None,
                row["answered_by"],
            )
            for row in rows
        }

    async def begin(self, call: Call, *, tool: str | None, given: Any, once: bool) -> Begun:
        """Note that a call is made now. `once`: it changes the world, so one that was lost is told first."""
        async with self._database.acquire() as connection, connection.transaction():
            await _open(connection, call.job_id)
            last = await connection.fetchrow(
                """SELECT attempt, status FROM plan_calls WHERE (job_id, step, call) = ($1, $2, $3)
                ORDER BY attempt DESC LIMIT 1""",
                call.job_id,
                call.step,
                call.call,
            )
            attempt, status = (last["attempt"], last["status"]) if last else (0, None)
            if status == "done":
                return Begun(attempt, done=True)
            if status == "begun":
                await connection.execute(
                    """UPDATE plan_calls SET status = 'lost', ended_at = now()
                    WHERE (job_id, step, call, attempt) = ($1, $2, $3, $4)""",
                    call.job_id,
                    call.step,
                    call.call,
                    attempt,
                )
                if once:
                    return Begun(attempt, lost=True)
            attempt += status != "asked"
            await connection.execute(
                """INSERT INTO plan_calls (job_id, step, call, attempt, status, tool, input)
                VALUES ($1, $2, $3, $4, 'begun', $5, $6)
                ON CONFLICT (job_id, step, call, attempt) DO UPDATE SET status = 'begun', began_at = now()""",
                call.job_id,
                call.step,
                call.call,
                attempt,
                tool,
                given,
            )
            return Begun(attempt)

    async def end(
        self,
        call: Call,
        attempt: int,
        *,
        output: Any = None,
        error: Failure | None = None,
        answered_by: str | None = None,
    ) -> None:
        """Write how a call ended: with what it brought, or with an error. The audit is told, without either."""
        await self._database.execute(
            sql("plan_end"),
            call.job_id,
            call.step,
            call.call,
            attempt,
            "failed" if error else "done",
            None if error or output is None else to_json(output).decode(),
            error.model_dump(by_alias=True) if error else None,
            answered_by,
        )

    async def ask(self, job_id: UUID, step: str, uses: Sequence[ToolUse]) -> None:
        """Keep the tools that a step's model asks for; their ids are unique in the step."""
        rows = [(job_id, step, use.id, use.tool, use.arguments) for use in uses]
        async with self._database.acquire() as connection, connection.transaction():
            await _open(connection, job_id)
            await connection.executemany(
                """INSERT INTO plan_calls (job_id, step, call, attempt, status, tool, input)
                VALUES ($1, $2, $3, 1, 'asked', $4, $5) ON CONFLICT DO NOTHING""",
                rows,
            )

    async def used(self, job_id: UUID, step: str) -> list[Used]:
        """The tools that the step's model has asked for, in its order, each with its last attempt."""
        rows = await self._database.fetch(
            """SELECT DISTINCT ON (call_turn, call_place) call, status, tool, input, output, error,
                split_part(call, '.', 1)::integer AS call_turn, split_part(call, '.', 2)::integer AS call_place
            FROM plan_calls WHERE job_id = $1 AND step = $2 AND call <> ''
            ORDER BY call_turn, call_place, attempt DESC""",
            job_id,
            step,
        )
        return [
            Used(
                ToolUse(id=row["call"], tool=row["tool"], arguments=row["input"] or {}),
                row["status"],
                row["output"],
                Failure.model_validate(row["error"]) if row["error"] else None,
            )
            for row in rows
        ]

    async def conclude(self, job_id: UUID, result: PlanResult) -> None:
        """Write the job's result while it is still open; its end keeps it."""
        await self._database.execute(
            "UPDATE jobs SET result = $2 WHERE id = $1 AND finished_at IS NULL",
            job_id,
            result.model_dump(mode="json", by_alias=True),
        )

    async def view(self, job_id: UUID) -> Sequence[dict[str, Any]]:
        """The plan's steps as the view `workflow_steps` has them, in the plan's order."""
        rows = await self._database.fetch(
            "SELECT * FROM workflow_steps WHERE execution_id = $1 ORDER BY step_index", job_id
        )
        return [dict(row) for row in rows]


async def _open(connection: "PoolConnectionProxy", job_id: UUID) -> None:
    """Lock the job's row, before any other; raises JobClosed when the job has ended."""
    found = await connection.fetchval(
        "SELECT true FROM jobs WHERE id = $1 AND finished_at IS NULL FOR NO KEY UPDATE", job_id
    )
    if not found:
        raise JobClosed("the job has ended")
