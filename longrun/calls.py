"""Every call, described once: what is sent, and how the answer is read. The clients only carry it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from longrun.errors import LongrunError
from longrun.models import AuditEvent, Job, Kind, Live, Page, Problem, Reconciliation, Started, User
from longrun.options import Filters, MetadataChange, Options, Retry, UserOptions

T = TypeVar("T")
Payload = Mapping[str, Any] | BaseModel


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request; `read` turns its answer into a value or raises LongrunError."""

    method: str
    path: str
    parse: Callable[[Any], T]
    params: dict[str, str] = field(default_factory=dict[str, str])
    body: dict[str, Any] | None = None

    def read(self, response: httpx2.Response) -> T:
        if not response.is_success:
            raise refusal(response)
        try:
            return self.parse(response.json())
        except (ValueError, KeyError, TypeError) as error:
            raise unexpected(response) from error


def refusal(response: httpx2.Response) -> LongrunError:
    """The error an answer stands for; also when something in between answered in the API's place."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        problem = Problem(status=response.status_code, title=f"HTTP {response.status_code} {response.reason_phrase}")
    seconds = response.headers.get("Retry-After", "")
    return LongrunError(problem, retry_after=float(seconds) if seconds.isdecimal() else None)


def unexpected(response: httpx2.Response) -> LongrunError:
    """For an answer that succeeds and still is none of ours."""
    detail = f"{response.url.copy_with(path='/', query=None)} does not answer like a Longrun API"
    return LongrunError(Problem(status=response.status_code, code="unexpected_answer", detail=detail))


def unreachable(url: str, error: httpx2.TransportError) -> LongrunError:
    reason = "did not answer in time" if isinstance(error, httpx2.TimeoutException) else "cannot be reached"
    return LongrunError(detail=f"{url} {reason}")


def start(job_type: str, payload: Payload, options: Options | None) -> Call[Started]:
    body: dict[str, Any] = {"jobType": job_type, "payload": _plain(payload)}
    if options is not None:
        body["options"] = _plain(options)
    return Call("POST", "/api/jobs", Started.model_validate, body=body)


def schedule_job(
    job_type: str,
    data: Payload,
    tag: str | None,
    user_id: str | int | None,
    retry: Retry | None,
    options: Options | None,
) -> Call[Started]:
    given: dict[str, Any] = {"retry": retry, "owner": None if user_id is None else str(user_id)}
    said = {name: value for name, value in given.items() if value is not None}
    if tag is not None:
        said["tags"] = (tag, *((options and options.tags) or ()))
    return start(job_type, data, (options or Options()).model_copy(update=said) if said else options)


def research(
    company: str, role: str, url: str | None, deep: bool, refresh: bool, options: Options | None
) -> Call[Started]:
    payload: dict[str, Any] = {"companyName": company, "role": role, "deepMode": deep, "refresh": refresh}
    return start("company-research", payload | ({"companyUrl": url} if url else {}), options)


def get(job_id: str) -> Call[Job]:
    return Call("GET", job_path(job_id), Job.model_validate)


def page(filters: Filters, size: int, cursor: str | None) -> Call[Page]:
    params = {_FILTER_NAMES.get(name, to_camel(name)): _text(value) for name, value in filters.items()}
    params["limit"] = str(size)
    if cursor:
        params["cursor"] = cursor
    return Call("GET", "/api/jobs", Page.model_validate, params)


def progress(job_id: str) -> Call[Live]:
    return Call("GET", job_path(job_id, "progress"), Live.model_validate)


def audit(job_id: str) -> Call[tuple[AuditEvent, ...]]:
    return Call("GET", job_path(job_id, "audit"), lambda answer: _AUDIT.validate_python(answer["events"]))


def cancel(job_id: str, reason: str | None) -> Call[Job]:
    return Call("POST", job_path(job_id, "cancel"), Job.model_validate, body={"reason": reason} if reason else {})


def reschedule(job_id: str, delay: str | datetime) -> Call[Job]:
    return Call("POST", job_path(job_id, "reschedule"), Job.model_validate, body={"delay": _text(delay)})


def patch(job_id: str, tags: Sequence[str] | None, metadata: MetadataChange | None) -> Call[Job]:
    body: dict[str, Any] = {"metadata": dict(metadata)} if metadata is not None else {}
    if tags is not None:
        body["tags"] = list(tags)
    return Call("PATCH", job_path(job_id), Job.model_validate, body=body)


def replay(job_id: str, payload: Payload | None, from_step: str | None) -> Call[Started]:
    body: dict[str, Any] = {"payload": _plain(payload)} if payload is not None else {}
    if from_step:
        body["fromStep"] = from_step
    return Call("POST", job_path(job_id, "replay"), Started.model_validate, body=body)


def kinds() -> Call[tuple[Kind, ...]]:
    return Call("GET", "/api/kinds", lambda answer: _KINDS.validate_python(answer["kinds"]))


def reconcile() -> Call[Reconciliation]:
    return Call("POST", "/api/reconciliation", Reconciliation.model_validate, body={})


def put_user(user_id: str, told: UserOptions) -> Call[User]:
    body = {to_camel(name): value for name, value in told.items()}
    return Call("PUT", _user_path(user_id), User.model_validate, body=body)


def get_user(user_id: str) -> Call[User]:
    return Call("GET", _user_path(user_id), User.model_validate)


def delete_user(user_id: str) -> Call[Started]:
    return Call("DELETE", _user_path(user_id), Started.model_validate)


def _user_path(user_id: str) -> str:
    return f"/api/users/{quote(user_id, safe='')}"


def job_path(job_id: str, verb: str = "") -> str:
    return f"/api/jobs/{quote(job_id, safe='')}" + (f"/{verb}" if verb else "")


_AUDIT = TypeAdapter(tuple[AuditEvent, ...])
_KINDS = TypeAdapter(tuple[Kind, ...])
_FILTER_NAMES = {"job_type": "type"}


def _plain(value: Payload) -> dict[str, Any]:
    """As it travels. Of a model only what was said: the server knows its own defaults."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return dict(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)
