"""Asking for a job: the payload meets its kind, the options meet their limits, and one insert commits it."""

import json
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from pydantic import ValidationError

from domain.errors import CallerError, InvalidPayload, PayloadTooLarge
from domain.options import Options
from ledger.rows import NewJob, Opened
from workflows.kind import Catalog, Kind, digest

if TYPE_CHECKING:
    from ledger.jobs import Jobs

PAYLOAD_BYTES = 100_000
METADATA_BYTES = 256 * 1024


@dataclass(frozen=True)
class Submission:
    """What is asked: a kind or alias, its payload as JSON, and options; `by` whom, for the audit."""

    job_type: str
    payload: dict[str, Any]
    options: Options = field(default_factory=Options)
    by: str | None = None


# What a kind's payload says of rows, and its owner: whether they are there, and theirs. Raises CallerError.
Check = Callable[[Any, str], Awaitable[None]]


class Submitter:
    """Turns submissions into rows; the dispatcher starts them."""

    def __init__(self, jobs: "Jobs", catalog: Catalog, checks: Mapping[str, Check] | None = None) -> None:
        """`checks`: by the kind's name."""
        self._jobs, self._catalog, self._checks = jobs, catalog, checks or {}

    async def submit(
        self,
        asked: Sequence[Submission],
        *,
        batch_id: UUID | None = None,
        replay_of: UUID | None = None,
        child_of: UUID | None = None,
        ids: Sequence[UUID] | None = None,
    ) -> list[Opened]:
        """Open the jobs, all or nothing. A child is in the engine's hands from the first: its parent starts it.

        Raises UnknownKind, InvalidPayload, PayloadTooLarge, IdempotencyConflict, LedgerUnavailable.
        """
        place = {"batch_id": batch_id, "replay_of": replay_of, "parent_id": child_of}
        rows = [
            self._row(at, one, job_id, place)
            for at, (one, job_id) in enumerate(zip(asked, ids or [uuid4() for _ in asked], strict=True))
        ]
        for at, row in enumerate(rows):
            if check := self._checks.get(row.kind):
                kind = self._catalog[row.kind]
                with _of_item(at):
                    await check(kind.payload.model_validate(kind.whole(row.payload, row.items)), row.owner)
        return await self._jobs.open(rows)

    def _row(self, at: int, asked: Submission, job_id: UUID, place: dict[str, UUID | None]) -> NewJob:
        """The row, or an error that knows which of the submissions is wrong."""
        with _of_item(at):
            return self._fitting(asked, job_id, **place)

    def _fitting(
        self, asked: Submission, job_id: UUID, *, batch_id: UUID | None, replay_of: UUID | None, parent_id: UUID | None
    ) -> NewJob:
        kind, options = self._catalog[asked.job_type], asked.options
        payload, wire, listed = _fit(kind, asked.payload)
        whole = kind.whole(wire, listed)
        if len(json.dumps(options.metadata)) > METADATA_BYTES:
            raise PayloadTooLarge("metadata holds at most 256 KiB", pointer="/options/metadata")
        owner, budget, debounce = _owner(kind, payload, options), options.budget, options.debounce
        if kind.items and debounce and debounce.mode == "trailing":
            raise CallerError("a job with a long list keeps the first one", pointer="/options/debounce/mode")
        begins = _moment(debounce.delay if debounce else options.delay)
        return NewJob(
            id=job_id,
            kind=kind.name,
            payload=wire,
            payload_hash=digest(whole),
            items=listed,
            plan=kind.plan(payload, options.retry),
            title=kind.title(payload),
            owner=owner,
            tier=options.tier,
            tags=options.tags,
            metadata=options.metadata,
            retry=options.retry,
            priority=options.priority,
            concurrency_key=options.concurrency_key or "",
            not_before=begins,
            start_by=_moment(options.ttl, after=begins),
            webhook=str(options.webhook) if options.webhook else None,
            email=options.email,
            debounce_key=debounce.key if debounce else None,
            debounce_seconds=debounce.delay.total_seconds() if debounce else None,
            debounce_trailing=debounce is not None and debounce.mode == "trailing",
            asked_by=asked.by,
            max_duration_seconds=options.max_duration or int(kind.max_duration.total_seconds()),
            max_tokens=budget.max_tokens if budget else None,
            max_usd=budget.max_cost_usd if budget else None,
            idempotency_key=options.idempotency_key,
            key_ttl_seconds=options.idempotency_key_ttl.total_seconds(),
            active_key=digest([kind.name, owner, kind.one_of(payload) if kind.one_of else options.active_key or whole]),
            joinable=options.skip_if_active or (kind.one_of is not None and parent_id is None),
            cache_key=kind.cache_key(payload, owner),
            # who replays wants the work done again; a child cannot run as a job that has ended already
            fresh=replay_of is not None or parent_id is not None or kind.fresh(payload),
            batch_id=batch_id,
            replay_of=replay_of,
            parent_id=parent_id,
            in_engine=parent_id is not None,
        )


@contextmanager
def _of_item(at: int) -> Generator[None]:
    """Errors know which of the submissions is wrong."""
    try:
        yield
    except CallerError as error:
        error.item = at
        raise


def _owner(kind: Kind, payload: Any, options: Options) -> str:
    """Whose job it is; raises CallerError where the payload is about somebody else's data."""
    whose = kind.owner_of(payload) if kind.owner_of else None
    if whose and options.owner and whose != options.owner:
        raise CallerError("there is no such user, or it is not the job's owner", code="not_found", pointer="/payload")
    return options.owner or whose or ""


def _moment(given: timedelta | datetime | None, *, after: datetime | None = None) -> datetime | None:
    """The time meant: what was given itself, or that long after now (or after a later beginning)."""
    return (after or datetime.now(UTC)) + given if isinstance(given, timedelta) else given


def _fit(kind: Kind, payload: dict[str, Any]) -> tuple[Any, dict[str, Any], list[Any] | None]:
    """The payload as its model, as the JSON that travels, and its long list as JSON where it has one."""
    try:
        model = kind.payload.model_validate(payload)
    except ValidationError as error:
        raise InvalidPayload(
            [("/payload" + "".join(f"/{part}" for part in e["loc"]), e["msg"]) for e in error.errors()]
        ) from None
    text, listed = model.model_dump_json(by_alias=True, exclude_unset=True), None
    if kind.items is not None:
        wire = json.loads(text)
        listed = wire.pop(kind.items)
        text = json.dumps(wire)
    if len(text) > PAYLOAD_BYTES:
        raise PayloadTooLarge("a payload holds at most 100 KB", pointer="/payload")
    return model, json.loads(text), listed
