"""Ledger and engine compared."""

from datetime import datetime

from fastapi import APIRouter, Response

from api.dependencies import Auth, Given
from api.errors import NotFound, Problem
from api.wire import reply
from domain.model import Model
from engine.reconcile import REPORT

router = APIRouter(prefix="/api/reconciliation", tags=["upkeep"])


class OrphanedJob(Model):
    """A job of which the engine said something else, why, and what was done.

    `adopted`: it runs, which was not known here. `closed`: its execution had ended, or is lost, and so the job has
    ended. `steps_closed`: steps were left open in a job that had ended. `none`: it could not be compared.
    """

    job_id: str
    reason: str
    action: str


class OrphanedExecution(Model):
    """What the engine runs, or has run, that is no open job here."""

    workflow_id: str
    reason: str


class ScheduleDifference(Model):
    """A schedule that the engine had otherwise than the ledger; `left` is not ours to mend."""

    schedule_id: str
    reason: str
    action: str


class Report(Model):
    """`checked` open jobs that are in the engine; `started` of them were not known to be, `closed` had ended.

    `mended` counts everything that was put right. Each list holds 1,000 at most.
    """

    started_at: datetime
    finished_at: datetime
    checked: int
    started: int
    closed: int
    mended: int
    orphaned_jobs: list[OrphanedJob]
    orphaned_executions: list[OrphanedExecution]
    schedules: tuple[ScheduleDifference, ...] = ()


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
