"""Housekeeping as activities; the engine does it, the schedule asks for it."""

from typing import TYPE_CHECKING, Any

from temporalio import activity

if TYPE_CHECKING:
    from domain.protocols import Engine


class Upkeep:
    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    @activity.defn(name="reconcile")
    async def reconcile(self) -> dict[str, Any]:
        """Compare ledger and engine, mend, and answer with the counts: the lists stay in the ledger's report."""
        report = await self._engine.reconcile()
        return {name: value for name, value in report.items() if not isinstance(value, list)}
