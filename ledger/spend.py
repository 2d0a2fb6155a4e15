"""The `spend` table: one row a paid call, the job's totals kept beside it (fits domain.protocols.Till)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

from domain.usage import Call, Spent, Totals
from ledger.database import sql
from ledger.patience import patiently
from ledger.together import Together

if TYPE_CHECKING:
    from asyncpg import Record

    from ledger.database import Database

Paid = tuple[str, str, Any]
Row = dict[str, Any]


class Spend:
    """Money is counted where it is spent, whatever becomes of the answer. Calls made at once share statements."""

    def __init__(self, database: "Database", *, patience: float = 60.0) -> None:
        """`patience`: seconds for which `record` waits for a ledger that is down."""
        self._database, self._patience = database, patience
        self._answers: Together[tuple[Call, str], Paid | None] = Together(self._answered)
        self._totals: Together[UUID, Totals] = Together(self._totals_of)
        # one a job: who waits for a job's row holds up nobody else's
        self._rows: WeakValueDictionary[UUID, Together[Row, Totals]] = WeakValueDictionary()

    async def answered(self, call: Call, prompt_hash: str) -> Paid | None:
        """(vendor, model, answer) of this turn if it was paid for and its answer is usable."""
        return await self._answers((call, prompt_hash))

    async def totals(self, job_id: UUID) -> Totals:
        return await self._totals(job_id)

    async def before(self, call: Call) -> Decimal | None:
        """USD that the turns before this one of the same step and item took; None where a price is not known."""
        row = await self._database.row(
            """SELECT CASE WHEN bool_and(cost_usd IS NOT NULL) IS NOT FALSE THEN coalesce(sum(cost_usd), 0) END AS usd
            FROM spend WHERE job_id = $1 AND step = $2 AND item = $3 AND turn < $4""",
            call.job_id,
            call.step,
            call.item,
            call.turn,
        )
        return row["usd"] if row else None

    async def record(self, spent: Spent, *, prompt_hash: str, answer: Any) -> Totals:
        """Write the call, however long that takes; answers with the job's total so far."""
        row = {
            "id": str(uuid4()),  # so that a commit whose answer was lost is not counted twice
            **spent.call.model_dump(mode="json"),
            "vendor": spent.vendor,
            "model": spent.model,
            **spent.usage.model_dump(mode="json"),
            "audio_seconds": spent.audio_seconds,
            "cost_usd": None if spent.cost_usd is None else str(spent.cost_usd),
            "prompt_hash": prompt_hash,
            "answer": answer,
        }
        job_id = spent.call.job_id
        rows = self._rows.setdefault(job_id, Together(lambda some: self._record(job_id, some)))
        return await patiently(lambda: rows(row), self._patience)

    async def _answered(self, asked: Sequence[tuple[Call, str]]) -> list[Paid | None]:
        calls = [call for call, _ in asked]
        rows = await self._database.fetch(
            sql("answered"),
            [call.job_id for call in calls],
            [call.step for call in calls],
            [call.item for call in calls],
            [call.turn for call in calls],
            [prompt_hash for _, prompt_hash in asked],
        )
        found = {row["place"]: (row["vendor"], row["model"], row["answer"]) for row in rows}
        return [found.get(place) for place in range(1, len(asked) + 1)]

    async def _totals_of(self, job_ids: Sequence[UUID]) -> list[Totals]:
        rows = await self._database.fetch(
            "SELECT id, spent_tokens, spent_usd, max_tokens, max_usd FROM jobs WHERE id = ANY($1)",
            list(dict.fromkeys(job_ids)),
        )
        found = {row["id"]: _totals(row) for row in rows}
        return [found.get(job_id) or Totals() for job_id in job_ids]

    async def _record(self, job_id: UUID, rows: Sequence[Row]) -> list[Totals]:
        row = await self._database.row(sql("record_spend"), rows)
        totals = _totals(row) if row else await self.totals(job_id)
        return [totals] * len(rows)


def _totals(row: "Record") -> Totals:
    return Totals(
        tokens=row["spent_tokens"], cost_usd=row["spent_usd"], max_tokens=row["max_tokens"], max_cost_usd=row["max_usd"]
    )
