"""Tasks that live in the application: what is asked of it, and which hosts may be asked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    HttpUrl,
    PlainSerializer,
    RootModel,
    WithJsonSchema,
    model_validator,
)

from domain.errors import CallerError
from domain.model import Model, Request
from domain.options import duration

DEFAULT_PORTS = {"http": 80, "https": 443}
TIMEOUT_SCHEMA = {
    "description": "How long the application may take for its result in all: seconds, or a duration (90s, 2h, 3d)",
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\d{1,9}[smhd]$"}],
}


def _period(value: object) -> object:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return timedelta(seconds=value) if whole else duration(value)  # pyright: ignore[reportArgumentType]


Timeout = Annotated[
    timedelta,
    BeforeValidator(_period),
    Field(ge=timedelta(seconds=1), le=timedelta(days=30)),
    PlainSerializer(lambda value: f"{int(value.total_seconds())}s", return_type=str),
    WithJsonSchema(TIMEOUT_SCHEMA),
]


class HttpTaskRequest(Request):
    """A task of the application: `body` is sent to `url` as JSON."""

    url: HttpUrl = Field(examples=["https://app.example.com/tasks/process-large-dataset"])
    body: Any = Field(default_factory=dict, examples=[{"datasetId": "123"}])
    timeout: Timeout | None = None


class TaskResult(RootModel[Any]):
    """What the application answered: JSON, or text."""


class TaskAnswer(Model):
    """The application's word: its result, or `accepted`, and the result will come by a callback."""

    accepted: bool
    output: Any = None


class TaskHosts:
    """The hosts that may be asked, as the operator listed them: `host` with the usual port, or `host:port`."""

    def __init__(self, listed: Sequence[str]) -> None:
        self._listed = frozenset(entry.strip().lower() for entry in listed)

    def __bool__(self) -> bool:
        return bool(self._listed)

    def __contains__(self, url: str) -> bool:
        parts = urlsplit(url.lower())
        usual = DEFAULT_PORTS.get(parts.scheme)
        if usual is None or parts.hostname is None or parts.username is not None:
            return False
        host, port = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname, parts.port or usual
        return f"{host}:{port}" in self._listed or (port == usual and host in self._listed)


def request_for(hosts: Sequence[str]) -> type[HttpTaskRequest]:
    """Requests as this service takes them: for those hosts alone.

    Validating one raises CallerError: `not_configured` where there is no host, `host_not_allowed` for any other.
    """
    listed = TaskHosts(hosts)

    class Listed(HttpTaskRequest):
        """A task of the application: `body` is sent to `url` as JSON."""

        @model_validator(mode="before")
        @classmethod
        def somewhere(cls, value: Any) -> Any:
            if not listed:
                raise CallerError("this service may send tasks to no host", code="not_configured", pointer="/jobType")
            return value

        @model_validator(mode="after")
        def there(self) -> Self:
            if str(self.url) not in listed:
                said = "this host is not among those that tasks may be sent to"
                raise CallerError(said, code="host_not_allowed", pointer="/payload/url")
            return self

    Listed.__name__ = Listed.__qualname__ = HttpTaskRequest.__name__
    return Listed
