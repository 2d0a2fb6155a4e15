"""`http_request`: one request to an address that the plan names, through the guarded client."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, HttpUrl, field_validator
from pydantic_core import to_json

from activities.tools.tool import Spec, Use
from domain.model import Request

if TYPE_CHECKING:
    from domain.outside import Requester

OURS = {"connection", "content-length", "host", "idempotency-key", "longrun-attempt", "transfer-encoding", "upgrade"}


class HttpCall(Request):
    """GET follows redirects where no headers are given; nothing else does."""

    url: HttpUrl
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    headers: dict[str, str] = Field(default_factory=dict, max_length=30)
    body: Any = Field(default=None, description="sent as JSON")

    @field_validator("headers")
    @classmethod
    def sendable(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum() or name.lower() in OURS:
                raise ValueError("a header of that name cannot be given")
            if not value.isascii() or not value.isprintable():
                raise ValueError("a header's value is printable ASCII")
        return headers


def _changes(asked: Any) -> bool:
    return not isinstance(asked, HttpCall) or asked.method != "GET"


class HttpRequest:
    """All attempts of a request share their `Idempotency-Key`; `longrun-attempt` counts them."""

    spec = Spec(
        "http_request",
        "Send an HTTP request.",
        HttpCall,
        timeout=timedelta(seconds=90),
        changes=_changes,
        by_model=False,
    )
    ready = True

    def __init__(self, requester: "Requester") -> None:
        self._requester = requester

    async def use(self, asked: HttpCall, use: Use) -> dict[str, Any]:
        headers, body = dict(asked.headers), b""
        if _changes(asked):
            headers |= {"Idempotency-Key": use.key, "longrun-attempt": str(use.attempt)}
        if asked.body is not None:
            headers, body = {"Content-Type": "application/json"} | headers, to_json(asked.body)
        answer = await self._requester.request(asked.method, str(asked.url), headers=headers, body=body)
        return {"status": answer.status, "contentType": answer.content_type, "body": answer.body}
