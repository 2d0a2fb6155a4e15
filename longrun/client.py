"""The blocking client."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Self, TypeVar, Unpack

import httpx2

from longrun import calls
from longrun.calls import Call, Payload
from longrun.errors import LongrunError
from longrun.events import Reading, Watch
from longrun.models import AuditEvent, Event, Job, Kind, Live, Reconciliation, Started, User
from longrun.options import Filters, MetadataChange, Options, Retry, UserOptions
from longrun.schedules import ScheduleVerbs
from longrun.target import Target

T = TypeVar("T")


class Client(ScheduleVerbs):
    """Talks to one Longrun API. Use it as a context manager, or `close()` it.

    `key` is a secret key or a public token, `timeout` the seconds one call may take. `wait` and `stream` ride out
    `patience` seconds without an answer; every other call is made once and raises LongrunError.
    """

    def __init__(self, url: str, key: str | None = None, *, timeout: float = 30.0, patience: float = 60.0) -> None:
        self.target = Target(url, key, timeout, patience)
        self._http = httpx2.Client(**self.target.options())

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """LONGRUN_URL (default http://127.0.0.1:8000) and LONGRUN_API_KEY."""
        target = Target.from_env(environ)
        return cls(target.url, target.key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def start(self, job_type: str, payload: Payload, options: Options | None = None) -> Started:
        """Start a job of a kind (or one of its aliases)."""
        return self._send(calls.start(job_type, payload, options))

    def schedule_job(
        self,
        job_type: str,
        data: Payload,
        *,
        tag: str | None = None,
        user_id: str | int | None = None,
        retry: Retry | None = None,
        options: Options | None = None,
    ) -> Started:
        """The same in the words of a job layer: `user_id` is the owner, `tag` the first of the tags."""
        return self._send(calls.schedule_job(job_type, data, tag, user_id, retry, options))

    def research(
        self,
        company: str,
        role: str,
        url: str | None = None,
        deep: bool = False,
        *,
        refresh: bool = False,
        options: Options | None = None,
    ) -> Started:
        """Start a `company-research`; `url` spares the search for the site, `refresh` bypasses the cache."""
        return self._send(calls.research(company, role, url, deep, refresh, options))

    def get(self, job_id: str) -> Job:
        """One job as the ledger knows it."""
        return self._send(calls.get(job_id))

    def list(self, *, page_size: int = 100, **filters: Unpack[Filters]) -> Iterator[Job]:
        """Jobs, newest first, fetched page by page as they are taken; without filters all that are still open."""
        cursor = None
        while True:
            page = self._send(calls.page(filters, page_size, cursor))
            yield from page.jobs
            if not (cursor := page.next_cursor):
                return

    def progress(self, job_id: str) -> Live:
        """The running workflow's own answer; LongrunError `engine_unavailable` when none is there to give it."""
        return self._send(calls.progress(job_id))

    def audit(self, job_id: str) -> tuple[AuditEvent, ...]:
        """All that happened to a job, in order."""
        return self._send(calls.audit(job_id))

    def cancel(self, job_id: str, reason: str | None = None) -> Job:
        """Ask a job to stop; LongrunError `not_cancelable` when it has ended."""
        return self._send(calls.cancel(job_id, reason))

    def cancel_job(self, job_id: str, reason: str | None = None) -> Job:
        """The same as `cancel`."""
        return self.cancel(job_id, reason)

    def reschedule(self, job_id: str, delay: str | datetime) -> Job:
        """Have a delayed job start so long from now (`5m`), or at a time; LongrunError `not_delayed` if it is none."""
        return self._send(calls.reschedule(job_id, delay))

    def patch(self, job_id: str, *, tags: Sequence[str] | None = None, metadata: MetadataChange | None = None) -> Job:
        """Replace a job's tags and change its metadata; changes that race are all kept."""
        return self._send(calls.patch(job_id, tags, metadata))

    def replay(self, job_id: str, payload: Payload | None = None, from_step: str | None = None) -> Started:
        """Start a new job like an old one, or with another payload; steps before `from_step` are not run again."""
        return self._send(calls.replay(job_id, payload, from_step))

    def kinds(self) -> tuple[Kind, ...]:
        """What this server can do."""
        return self._send(calls.kinds())

    def reconcile(self) -> Reconciliation:
        """Compare ledger and engine now, and mend."""
        return self._send(calls.reconcile())

    def put_user(self, user_id: str, **told: Unpack[UserOptions]) -> User:
        """Tell of a user; what is left out has its default."""
        return self._send(calls.put_user(user_id, told))

    def get_user(self, user_id: str) -> User:
        """A user as told; LongrunError `not_found`."""
        return self._send(calls.get_user(user_id))

    def delete_user(self, user_id: str) -> Started:
        """Erase a user and all that their jobs have left; the job that does it."""
        return self._send(calls.delete_user(user_id))

    def wait(self, job_id: str, timeout: float | None = None, on_change: Callable[[Job], object] | None = None) -> Job:
        """The job once it has ended, however it did; `on_change` sees each change on the way.

        Raises TimeoutError after `timeout` seconds; the job goes on.
        """
        watch = Watch(job_id, timeout, self.target.patience)
        while True:
            try:
                job = self.get(job_id)
            except LongrunError as error:
                watch.missed(error)
            else:
                if watch.changed(job) and on_change:
                    on_change(job)
                if job.is_complete:
                    return job
            time.sleep(watch.pause())

    def stream(self, job_id: str, last_event_id: str | None = None) -> Iterator[Event]:
        """A job's events until `done`; a dropped connection is taken up again without loss or repeat.

        `last_event_id` goes on after an event that an earlier stream yielded.
        """
        return self._read(Reading.of_job(job_id, last_event_id, self.target.patience))

    def stream_owner(self, owner: str | None = None, last_event_id: str | None = None) -> Iterator[Event]:
        """What happens to all jobs of an owner: first a `job` for each that is open, then everything, without an end.

        Resumes like `stream`. Events say of which job they are; a token of one owner need not name them.
        """
        return self._read(Reading.of_owner(owner, last_event_id, self.target.patience))

    def _read(self, reading: Reading) -> Iterator[Event]:
        while not reading.over:
            error = None
            try:
                with self._http.stream(**reading.request()) as response:
                    if not response.is_success:
                        response.read()
                    error = reading.refused(response)
                    if error is None:
                        for chunk in response.iter_bytes():
                            yield from reading.feed(chunk)
                            if reading.over:
                                return
            except httpx2.TransportError as failure:
                error = calls.unreachable(self.target.url, failure)
            if not reading.over:
                time.sleep(reading.dropped(error))

    def _send(self, call: Call[T]) -> T:
        try:
            response = self._http.request(call.method, call.path, params=call.params, json=call.body)
        except httpx2.TransportError as error:
            raise calls.unreachable(self.target.url, error) from error
        return call.read(response)
