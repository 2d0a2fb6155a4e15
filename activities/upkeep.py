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
        """Compare ledger and engine, mend, report."""
        return await self._engine.reconcile()
