"""Schedules: jobs that start again and again. Both clients have these verbs."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypedDict, TypeVar, Unpack
from urllib.parse import quote

import httpx2
from pydantic import Field, TypeAdapter
from pydantic.alias_generators import to_camel

from longrun import calls
from longrun.calls import Call, Payload
from longrun.models import Failure, Model
from longrun.options import Options, Retry

T = TypeVar("T")
Overlap = Literal["skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all"]
_TIMES = TypeAdapter(tuple[datetime, ...])


class Schedule(Model):
    """A schedule as the server has it; `next_run_at` is None while it is paused."""

    id: str
    job_type: str
    payload: Any = None
    cron: str
    timezone: str
    overlap: Overlap
    catchup_window: str
    jitter: str | None = None
    deduplication_key: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    owner: str | None = None
    paused: bool
    note: str | None = None
    next_run_at: datetime | None = None
    last_job_id: str | None = None
    last_fired_at: datetime | None = None
    last_error: Failure | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class SchedulePage(Model):
    schedules: tuple[Schedule, ...]
    next_cursor: str | None = None


class When(TypedDict, total=False):
    """How the times are read and what happens when they meet. Durations are written `90s`, `5m`, `2h`, `3d`."""

    timezone: str
    overlap: Overlap
    catchup_window: str
    jitter: str | None
    deduplication_key: str | None


class Change(When, total=False):
    """What of a schedule is to be different."""

    job_type: str
    payload: dict[str, Any]
    cron: str
    options: dict[str, Any]


@dataclass(frozen=True)
class _Deletion(Call[None]):
    """Its answer is empty."""

    def read(self, response: httpx2.Response) -> None:
        if not response.is_success:
            raise calls.refusal(response)


def _create(
    job_type: str,
    data: Payload,
    cron: str,
    tag: str | None,
    user_id: str | int | None,
    retry: Retry | None,
    options: Options | None,
    when: When,
) -> Call[Schedule]:
    job = calls.schedule_job(job_type, data, tag, user_id, retry, options).body or {}
    return Call("POST", "/api/schedules", Schedule.model_validate, body=job | {"cron": cron} | _wire(when))


def _verb(method: str, schedule_id: str, verb: str = "") -> Call[Schedule]:
    body = {} if method == "POST" else None
    return Call(method, _path(schedule_id, verb), Schedule.model_validate, body=body)


def _change(schedule_id: str, change: Change) -> Call[Schedule]:
    return Call("PATCH", _path(schedule_id), Schedule.model_validate, body=_wire(change))


def _page(owner: str | None, cursor: str | None) -> Call[SchedulePage]:
    params = {name: value for name, value in (("owner", owner), ("cursor", cursor)) if value is not None}
    return Call("GET", "/api/schedules", SchedulePage.model_validate, params)


def _upcoming(schedule_id: str) -> Call[tuple[datetime, ...]]:
    return Call("GET", _path(schedule_id, "upcoming"), lambda answer: _TIMES.validate_python(answer["times"]))


def _delete(schedule_id: str) -> Call[None]:
    return _Deletion("DELETE", _path(schedule_id), lambda _: None)


def _path(schedule_id: str, verb: str = "") -> str:
    return f"/api/schedules/{quote(schedule_id, safe='')}" + (f"/{verb}" if verb else "")


def _wire(said: When | Change) -> dict[str, Any]:
    return {to_camel(name): value for name, value in said.items()}


class ScheduleVerbs(ABC):
    """For the blocking client."""

    @abstractmethod
    def _send(self, call: Call[T]) -> T: ...

    def schedule_cron_job(
        self,
        job_type: str,
        data: Payload,
        cron: str,
        *,
        tag: str | None = None,
        user_id: str | int | None = None,
        retry: Retry | None = None,
        options: Options | None = None,
        **when: Unpack[When],
    ) -> Schedule:
        """Start a job at each time that `cron` says; a known `deduplication_key` changes the schedule that has it."""
        return self._send(_create(job_type, data, cron, tag, user_id, retry, options, when))

    def get_schedule(self, schedule_id: str) -> Schedule:
        """One schedule."""
        return self._send(_verb("GET", schedule_id))

    def list_schedules(self, owner: str | None = None) -> Iterator[Schedule]:
        """Schedules, newest first, fetched page by page as they are taken."""
        cursor = None
        while True:
            page = self._send(_page(owner, cursor))
            yield from page.schedules
            if not (cursor := page.next_cursor):
                return

    def change_schedule(self, schedule_id: str, **change: Unpack[Change]) -> Schedule:
        """Change what is given; the rest stays."""
        return self._send(_change(schedule_id, change))

    def pause_schedule(self, schedule_id: str) -> Schedule:
        """Let it fire no more until it is resumed."""
        return self._send(_verb("POST", schedule_id, "pause"))

    def resume_schedule(self, schedule_id: str) -> Schedule:
        """Let it fire again."""
        return self._send(_verb("POST", schedule_id, "resume"))

    def trigger_schedule(self, schedule_id: str) -> Schedule:
        """Fire now, paused or not; find the job by `list(schedule_id=…)`."""
        return self._send(_verb("POST", schedule_id, "trigger"))

    def upcoming(self, schedule_id: str) -> tuple[datetime, ...]:
        """The next five times."""
        return self._send(_upcoming(schedule_id))

    def delete_schedule(self, schedule_id: str) -> None:
        """End a schedule; its jobs stay."""
        self._send(_delete(schedule_id))


class AsyncScheduleVerbs(ABC):
    """For the asynchronous client."""

    @abstractmethod
    async def _send(self, call: Call[T]) -> T: ...

    async def schedule_cron_job(
        self,
        job_type: str,
        data: Payload,
        cron: str,
        *,
        tag: str | None = None,
        user_id: str | int | None = None,
        retry: Retry | None = None,
        options: Options | None = None,
        **when: Unpack[When],
    ) -> Schedule:
        """Start a job at each time that `cron` says; a known `deduplication_key` changes the schedule that has it."""
        return await self._send(_create(job_type, data, cron, tag, user_id, retry, options, when))

    async def get_schedule(self, schedule_id: str) -> Schedule:
        """One schedule."""
        return await self._send(_verb("GET", schedule_id))

    async def list_schedules(self, owner: str | None = None) -> AsyncIterator[Schedule]:
        """Schedules, newest first, fetched page by page as they are taken."""
        cursor = None
        while True:
            page = await self._send(_page(owner, cursor))
            for schedule in page.schedules:
                yield schedule
            if not (cursor := page.next_cursor):
                return

    async def change_schedule(self, schedule_id: str, **change: Unpack[Change]) -> Schedule:
        """Change what is given; the rest stays."""
        return await self._send(_change(schedule_id, change))

    async def pause_schedule(self, schedule_id: str) -> Schedule:
        """Let it fire no more until it is resumed."""
        return await self._send(_verb("POST", schedule_id, "pause"))

    async def resume_schedule(self, schedule_id: str) -> Schedule:
        """Let it fire again."""
        return await self._send(_verb("POST", schedule_id, "resume"))

    async def trigger_schedule(self, schedule_id: str) -> Schedule:
        """Fire now, paused or not; find the job by `list(schedule_id=…)`."""
        return await self._send(_verb("POST", schedule_id, "trigger"))

    async def upcoming(self, schedule_id: str) -> tuple[datetime, ...]:
        """The next five times."""
        return await self._send(_upcoming(schedule_id))

    async def delete_schedule(self, schedule_id: str) -> None:
        """End a schedule; its jobs stay."""
        await self._send(_delete(schedule_id))
