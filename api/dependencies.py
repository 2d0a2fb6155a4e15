"""What routes are handed: the services of this process, and who calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import structlog
from fastapi import Depends, Header, Query, Request

from api.auth import Credentials
from api.grants import Caller, Grants, as_id
from api.limits import Limiter
from domain.errors import CallerError, JobNotFound, NotConfigured, TierLimit
from domain.options import Options
from workflows.kind import Catalog

if TYPE_CHECKING:
    from temporalio.client import Client

    from api.health import Readiness
    from domain.keyring import Keyring
    from engine.bulk import Bulks
    from engine.courier import Courier
    from engine.reconcile import Reconciler
    from engine.replay import Replays
    from engine.scheduling import Scheduling
    from engine.submit import Submitter
    from intake.interviews import InterviewIntake
    from intake.postings import PostingIntake
    from intake.run_contents import AutoContent
    from intake.run_history import HistoryIntake
    from intake.workouts import WorkoutIntake
    from ledger.audit import AuditLog
    from ledger.changes import Changes
    from ledger.contents import Contents
    from ledger.deliveries import Deliveries
    from ledger.documents import Documents
    from ledger.events import Events, Notices
    from ledger.feed import Feed
    from ledger.interviews import Interviews
    from ledger.items import JobItems
    from ledger.jobs import Jobs
    from ledger.plans import Plans
    from ledger.postings import Postings
    from ledger.queues import Queues
    from ledger.reports import Reports
    from ledger.research import Research
    from ledger.rows import JobRow
    from ledger.schedules import Schedules
    from ledger.search import Search
    from ledger.speech_callbacks import SpeechCallbacks
    from ledger.stats import Stats
    from ledger.users import Users
    from ledger.waitpoints import Waitpoints
    from ledger.webhooks import Webhooks
    from ledger.workouts import Workouts
    from settings import Settings


@dataclass(frozen=True)
class Services:
    """Built once by api.app; a route takes from it what it needs."""

    settings: "Settings"
    catalog: Catalog
    credentials: Credentials
    limiter: Limiter
    jobs: "Jobs"
    queues: "Queues"
    events: "Events"
    changes: "Changes"
    feed: "Feed"
    users: "Users"
    notices: "Notices"
    research: "Research"
    reports: "Reports"
    audit: "AuditLog"
    webhooks: "Webhooks"
    deliveries: "Deliveries"
    stats: "Stats"
    submitter: "Submitter"
    replays: "Replays"
    bulks: "Bulks"
    items: "JobItems"
    schedules: "Schedules"
    scheduling: "Scheduling"
    engine: "Client"
    reconciler: "Reconciler"
    readiness: "Readiness"
    keyring: "Keyring"
    plans: "Plans"
    waitpoints: "Waitpoints"
    speech_callbacks: "SpeechCallbacks"
    courier: "Courier"
    documents: "Documents"
    search: "Search"
    postings: "Postings"
    posting_intake: "PostingIntake"
    interviews: "Interviews"
    interview_intake: "InterviewIntake"
    workouts: "Workouts"
    workout_intake: "WorkoutIntake"
    contents: "Contents"
    history_intake: "HistoryIntake"
    auto_content: "AutoContent"

    async def job(self, job_id: str, caller: Caller) -> "JobRow":
        """The job of that id; raises JobNotFound also when it is not the caller's to see."""
        found = as_id(job_id)
        row = await self.jobs.get(found) if found else None
        if row is None or not caller.sees(row):
            raise JobNotFound("there is no such job, or it is not yours to see")
        structlog.contextvars.bind_contextvars(jobId=str(row.id))
        return row

    def served(self, options: Options, caller: Caller) -> Options:
        """The options, if this service has the means for them and the caller may ask; NotConfigured or TierLimit."""
        if options.tier == "premium" and caller.grants is not None:
            raise TierLimit(
                "only a server says that a job is premium; the owner's own tier holds", pointer="/options/tier"
            )
        if options.email and not self.settings.smtp_url:
            raise NotConfigured("this service has no mail server", pointer="/options/email")
        return options

    def charge(self, caller: Caller, starts: int = 1) -> None:
        """Count what somebody without credentials starts; raises TooManyRequests."""
        if caller.address is not None:
            self.limiter.take(caller.address, starts)


async def _services(request: Request) -> Services:
    return request.state.services


async def _caller(request: Request) -> Caller:
    services: Services = request.state.services
    return services.credentials.caller(bearer(request))


async def _streaming_caller(
    request: Request,
    token: Annotated[str | None, Query(description="In place of the header, which browsers cannot set here.")] = None,
) -> Caller:
    services: Services = request.state.services
    return services.credentials.caller(bearer(request) or token)


Given = Annotated[Services, Depends(_services)]
Auth = Annotated[Caller, Depends(_caller)]
StreamAuth = Annotated[Caller, Depends(_streaming_caller)]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", description="The same as `options.idempotencyKey`.", max_length=2048)
]


def open_adapter(name: str, kind: str) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency that lets in callers without credentials where LONGRUN_ANONYMOUS names the adapter.

    They may start jobs of the kind, which get no owner, and see any job of the kind whose id they know.
    """
    granted = Grants(kinds=frozenset({kind}), shown=frozenset({kind}))

    async def caller(request: Request) -> Caller:
        services: Services = request.state.services
        credential = bearer(request)
        if credential or name not in services.settings.anonymous:
            return services.credentials.caller(credential)
        return Caller("anonymous", granted, request.client.host if request.client else "")

    return caller


def keyed(options: Options, key: str | None) -> Options:
    """Options with the header's idempotency key; raises CallerError when they name another."""
    if key is None:
        return options
    if not key or options.idempotency_key not in (None, key):
        raise CallerError(
            "the header Idempotency-Key and options.idempotencyKey differ", pointer="/options/idempotencyKey"
        )
    return options.model_copy(update={"idempotency_key": key})


def note_job(job_id: UUID) -> None:
    """Name the job in this request's log line."""
    structlog.contextvars.bind_contextvars(jobId=str(job_id))


def bearer(request: Request) -> str | None:
    """The credential of the header, if there is one."""
    scheme, _, credential = request.headers.get("Authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None
