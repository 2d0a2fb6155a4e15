"""What jobs of every product need: their start and end, children, schedules, bulk work, erasure, upkeep."""

from contextlib import AbstractAsyncContextManager

from temporalio.client import Client

from activities.bulk import BulkWork
from activities.care import Care
from activities.closing import Closing
from activities.erasing import Erasing
from activities.firing import Firing
from activities.recordings import GoneRecordings
from activities.upkeep import Upkeep
from assembly import elsewhere, interviews
from assembly.parts import Activities, Parts
from engine.control import Control
from engine.courier import Courier
from engine.firing import Firings
from engine.forgetting import Forgetting
from engine.grace import Grace
from engine.meters import MeteredDispatcher
from engine.outbox import Outbox
from engine.reconcile import Reconciler
from engine.replay import Replays
from engine.start import QUEUE
from engine.submit import Submitter
from intake.interviews import interview_jobs
from intake.postings import posting_jobs
from ledger.cancels import Cancels
from ledger.deliveries import Deliveries
from ledger.dispatch import Dispatch
from ledger.events import Notices
from ledger.interviews import Interviews
from ledger.items import JobItems
from ledger.jobs import Jobs
from ledger.postings import Postings
from ledger.reports import Reports
from ledger.retention import Keep, Retention
from ledger.schedules import Schedules
from ledger.stats import Stats
from ledger.steps import Steps
from ledger.users import Users
from ledger.waitpoints import Waitpoints
from workflows.kind import Catalog


class Service:
    """Made once a worker's engine and ledger answer."""

    def __init__(self, client: Client, catalog: Catalog, parts: Parts, jobs: Jobs) -> None:
        self._client, self._catalog, self._parts, self._jobs = client, catalog, parts, jobs
        self._dispatch = Dispatch(parts.database, in_flight=parts.settings.in_flight)
        self._schedules = Schedules(parts.database)
        self._submitter = Submitter(jobs, catalog)
        self.reconciler = Reconciler(client, jobs, self._dispatch, Reports(parts.database), catalog, self._schedules)

    def activities(self) -> Activities:
        client, jobs, database = self._client, self._jobs, self._parts.database
        control = Control(client, jobs, self._submitter, self.reconciler, self._catalog)
        closing = Closing(jobs, Steps(database), control, control)
        firing = Firing(Firings(self._schedules, jobs, self._catalog))
        bulk = BulkWork(JobItems(database), jobs, Replays(jobs, self._catalog))
        gone = interviews.gone(self._parts)
        erasing = Erasing(Users(database), jobs, Forgetting(client, self._schedules), gone)
        closers = [closing.finish, closing.note, closing.open_child, firing.open_firing, firing.cancel_firing]
        upkeep = [Upkeep(control).reconcile, self._care(gone).tidy]
        # what kinds of other packages bring
        theirs = [one for kind in self._catalog for one in kind.activities]
        return {
            QUEUE: [*closers, *theirs],
            "io": [*closers, *upkeep, bulk.apply, erasing.stop_jobs, erasing.erase_data, *theirs],
            "llm": theirs,
        }

    def _care(self, gone: GoneRecordings) -> Care:
        settings, database, submitter = self._parts.settings, self._parts.database, self._submitter
        keep = Keep.days(settings.retention_days, settings.retention_event_days)
        doors = posting_jobs(Postings(database), submitter), interview_jobs(Interviews(database), submitter)
        return Care(Stats(database), Retention(database, keep), left=[door.left for door in doors], gone=gone.tidy)

    def loops(self, notices: Notices) -> list[AbstractAsyncContextManager[None]]:
        """What runs beside the workers, in each of their processes."""
        client, database = self._client, self._parts.database
        grace = Grace(client, Cancels(database), self._jobs, seconds=self._parts.settings.cancel_grace_seconds)
        loops = [
            MeteredDispatcher(client, self._dispatch, self._jobs, notices),
            grace,
            Outbox(client, Deliveries(database), notices),
            Courier(client, Waitpoints(database)),
            elsewhere.telling(self._parts),
        ]
        return [loop.running() for loop in loops if loop is not None]
