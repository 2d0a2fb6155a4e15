"""What a tool is: a name, the shape of its input, how long it may take, and whether it changes the world."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol
from uuid import UUID

from pydantic import ValidationError

from domain.errors import JobError
from domain.model import Request

Way = Literal["call", "wait", "research"]


def _nothing(_: Any) -> bool:
    return False


@dataclass(frozen=True)
class Spec:
    """`way`: a call of ours, a wait for somebody outside, or a company research of its own.

    `changes`: whether a call with that input changes the world; it is then made at most once an attempt, and no model
    may ask for it. `own_means`: whether a call with that input (as JSON, perhaps not filled in yet) uses what is the
    service's own, its mail server or its credentials elsewhere. `timeout` is for one call. `known` names an argument
    whose value a model must have been given: else a page could talk it into carrying what it knows to an address made
    up for that.
    """

    name: str
    description: str
    shape: type[Request]
    way: Way = "call"
    timeout: timedelta = timedelta(seconds=60)
    attempts: int = 3
    changes: Callable[[Any], bool] = _nothing
    own_means: Callable[[Mapping[str, Any]], bool] = _nothing
    by_model: bool = True
    known: str | None = None


@dataclass(frozen=True)
class Use:
    """One call: for which job's step, whose it is, its attempt (from 1), and a key that all its attempts share."""

    job_id: UUID
    owner: str
    step: str
    key: str
    attempt: int


class Tool(Protocol):
    """A tool of the way `call`. What it brings is JSON; raises VendorError, RateLimited and JobError.

    `ready`: whether this service has what it needs; models are not offered one that has not.
    """

    @property
    def spec(self) -> Spec: ...

    @property
    def ready(self) -> bool: ...

    async def use(self, asked: Any, use: Use) -> Any: ...


def shaped(spec: Spec, given: dict[str, Any]) -> Any:
    """The tool's input; raises JobError `invalid_input`, which names the fields and quotes nothing."""
    try:
        return spec.shape.model_validate(given)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'input'}: {one['type']}" for one in error.errors()[:5])
        raise JobError(f"the input does not fit the tool ({wrong})", code="invalid_input") from None
