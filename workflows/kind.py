"""What a kind of job is, and how kinds are found by name."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.errors import InvalidPayload, UnknownKind
from domain.job import PlannedStep, Retry
from domain.model import Request
from workflows.steps import Step


@dataclass(frozen=True)
class Kind:
    """A kind of job. `title` says a payload in words; `same` names what makes two payloads one question (cached).
    `by_name`: servers start it, and tokens that name it; an owner's token does not, or not with such a payload.
    `steps_of` names a payload's own steps; without it each job has the workflow class's. `owner_of` names whose data a
    payload is about: the job is theirs, and nobody else's. `one_of` names what only one open job at a time is about:
    who asks for another joins it. `items` names a list of the payload that may be long: it becomes the job's items,
    and the workflow is handed the rest."""

    name: str
    workflow: type
    payload: type[Request]
    result: type[BaseModel]
    title: Callable[[Any], str]
    aliases: tuple[str, ...] = ()
    max_duration: timedelta = timedelta(hours=1)
    same: Callable[[Any], Any] | None = None
    fresh: Callable[[Any], bool] = lambda _: False
    activities: tuple[Callable[..., Any], ...] = ()
    by_name: bool | Callable[[Any], bool] = False
    steps_of: Callable[[Any], Sequence[Step]] | None = None
    owner_of: Callable[[Any], str] | None = None
    one_of: Callable[[Any], Any] | None = None
    items: str | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.workflow.steps

    def plan(self, payload: Any = None, retry: Retry | None = None) -> tuple[PlannedStep, ...]:
        """The steps of a job with that payload, or those of every job."""
        steps = self.steps if payload is None or self.steps_of is None else self.steps_of(payload)
        return tuple(
            PlannedStep(name=step.name, max_attempts=policy.attempts, max_seconds=policy.silence_seconds)
            for step in steps
            for policy in (step.policy.merged(retry),)
        )

    def only_by_name(self, payload: dict[str, Any]) -> bool:
        """Whether an owner's token cannot start it with that payload. `submit` refuses one that does not fit."""
        if isinstance(self.by_name, bool):
            return self.by_name
        try:
            return self.by_name(self.payload.model_validate(payload))
        except (ValidationError, InvalidPayload):
            return False

    def whole(self, payload: dict[str, Any], items: Sequence[Any] | None) -> dict[str, Any]:
        """The payload with the list that became the job's items."""
        return payload if self.items is None else {**payload, self.items: items}

    def cache_key(self, payload: Any, owner: str) -> str | None:
        return digest([self.name, owner, self.same(payload)]) if self.same else None


class Catalog:
    """Kinds by name and alias."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._names = {alias: kind for kind in self._kinds.values() for alias in (kind.name, *kind.aliases)}

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def __getitem__(self, name: str) -> Kind:
        """The kind of that name or alias; raises UnknownKind."""
        if name not in self._names:
            raise UnknownKind(f"there is no kind {name[:100]!r}; GET /api/kinds lists them", pointer="/jobType")
        return self._names[name]


def digest(value: Any) -> str:
    """One name for equal JSON values, whatever the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
