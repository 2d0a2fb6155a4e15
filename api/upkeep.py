"""Ledger and engine compared."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response

from api.dependencies import Auth, Given
from api.errors import NotFound, Problem
from api.wire import reply
from domain.model import Model
from engine.reconcile import REPORT

router = APIRouter(prefix="/api/reconciliation", tags=["upkeep"])


class Orphan(Model):
    """An open job whose execution had ended, or was not known to run, and what was done about it."""

    job_id: str
    reason: str
    action: str


class Report(Model):
    """`orphanedExecutions` run in the engine without an open job here."""

    started_at: datetime
    finished_at: datetime
    checked: int
    started: int
    closed: int
    mended: int
    orphaned_jobs: list[Orphan]
    orphaned_executions: list[dict[str, Any]]


@router.get("", response_model=Report)
async def last_report(given: Given, caller: Auth) -> Response:
    """The last report; 404 when ledger and engine have never been compared."""
    caller.server_only()
    if (last := await given.reports.last(REPORT)) is None:
        raise NotFound("there is no report yet")
    return reply(last[1])


@router.post("", response_model=Report, responses={503: {"model": Problem}})
async def reconcile(given: Given, caller: Auth) -> Response:
    """Compare now, mend what differs, and answer with the report."""
    caller.server_only()
    return reply(await given.reconciler.run())
