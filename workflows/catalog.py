"""One row a kind. Worker, start routes, OpenAPI, aliases, replay and wiring tests all read this table."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel

from activities.erasing import Erased
from domain.errors import UnknownKind
from domain.job import PlannedStep, Retry
from domain.model import Request
from domain.research import Briefing, CompanyResearchRequest
from domain.tasks import HttpTaskRequest, TaskResult, request_for
from workflows.company_research import CompanyResearch
from workflows.erasing import KIND as ERASE_USER
from workflows.erasing import EraseUser, ErasureRequest
from workflows.http_task import HttpTask
from workflows.steps import Step


@dataclass(frozen=True)
class Kind:
    """A kind of job. `title` says a payload in words; `same` names what makes two payloads one question (cached).
    `by_name`: servers start it, and tokens that name it; an owner's token does not."""

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
    by_name: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.workflow.steps

    def plan(self, retry: Retry | None = None) -> tuple[PlannedStep, ...]:
        return tuple(
            PlannedStep(name=step.name, max_attempts=policy.attempts, max_seconds=policy.silence_seconds)
            for step in self.steps
            for policy in (step.policy.merged(retry),)
        )

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


def _same_research(request: CompanyResearchRequest) -> Any:
    url = str(request.company_url).lower().rstrip("/") if request.company_url else None
    names = [" ".join(words.lower().split()) for words in (request.company_name, request.role)]
    return [*names, request.deep_mode, url]


def _task_title(task: HttpTaskRequest) -> str:
    return f"Task {(task.url.path or '/')[:100]} at {task.url.host}"


def ours(task_hosts: Sequence[str] = ()) -> tuple[Kind, ...]:
    """The built-in kinds; `task_hosts` are those that tasks may be sent to."""
    return (
        Kind(
            name="company-research",
            aliases=("research",),
            workflow=CompanyResearch,
            payload=CompanyResearchRequest,
            result=Briefing,
            title=lambda request: f"Research {request.company_name} for {request.role}",
            max_duration=timedelta(minutes=30),
            same=_same_research,
            fresh=lambda request: request.refresh,
        ),
        Kind(
            name="http-task",
            workflow=HttpTask,
            payload=request_for(task_hosts),
            result=TaskResult,
            title=_task_title,
            max_duration=timedelta(days=30),
            # what the application is sent is signed as the service's word
            by_name=True,
        ),
        Kind(
            name=ERASE_USER,
            workflow=EraseUser,
            payload=ErasureRequest,
            result=Erased,
            title=lambda _: "Erase a user's data",
            max_duration=timedelta(days=7),
            by_name=True,
        ),
    )


KINDS = ours()


def installed(task_hosts: Sequence[str] = ()) -> Catalog:
    """Our kinds and those of installed packages (entry points of the group `longrun.kinds`, each a Kind)."""
    return Catalog([*ours(task_hosts), *(entry.load() for entry in entry_points(group="longrun.kinds"))])
