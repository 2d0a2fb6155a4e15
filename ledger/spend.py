"""The `spend` table: one row a paid call, the job's totals kept beside it (fits domain.protocols.Till)."""

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from domain.usage import Call, Spent, Totals
from ledger.database import sql
from ledger.patience import patiently

if TYPE_CHECKING:
    from asyncpg import Record

    from ledger.database import Database


class Spend:
    """Money is counted where it is spent, whatever becomes of the answer."""

    def __init__(self, database: "Database", *, patience: float = 60.0) -> None:
        """`patience`: seconds for which `record` waits for a ledger that is down."""
        self._database, self._patience = database, patience

    async def answered(self, call: Call, prompt_hash: str) -> tuple[str, str, Any] | None:
        """(vendor, model, answer) of this turn if it was paid for and its answer is usable."""
        row = await self._database.row(
            """SELECT vendor, model, answer FROM spend
            WHERE job_id = $1 AND step = $2 AND item = $3 AND turn = $4 AND prompt_hash = $5 AND answer IS NOT NULL
            ORDER BY at DESC LIMIT 1""",
            call.job_id,
            call.step,
            call.item,
            call.turn,
            prompt_hash,
        )
        return (row["vendor"], row["model"], row["answer"]) if row else None

    async def totals(self, job_id: UUID) -> Totals:
        row = await self._database.row(
            "SELECT spent_tokens, spent_usd, max_tokens, max_usd FROM jobs WHERE id = $1", job_id
        )
        return _totals(row) if row else Totals()

    async def record(self, spent: Spent, *, prompt_hash: str, answer: Any) -> Totals:
        """Write the call, however long that takes; answers with the job's total so far."""
        call, usage = spent.call, spent.usage
        args = (
            uuid4(),  # so that a commit whose answer was lost is not counted twice
            call.job_id,
            call.step,
            call.item,
            call.turn,
            call.attempt,
            spent.vendor,
            spent.model,
            usage.input_tokens,
            usage.output_tokens,
            usage.cached_tokens,
            spent.cost_usd,
            prompt_hash,
            answer,
        )
        row = await patiently(lambda: self._database.row(sql("record_spend"), *args), self._patience)
        return _totals(row) if row else await self.totals(call.job_id)


def _totals(row: "Record") -> Totals:
    return Totals(
        tokens=row["spent_tokens"], cost_usd=row["spent_usd"], max_tokens=row["max_tokens"], max_cost_usd=row["max_usd"]
    )
