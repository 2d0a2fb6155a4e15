"""Every refusal as Problem Details (RFC 9457): a stable code and plain words, nothing of our insides."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.exceptions import HTTPException

from domain.errors import CallerError, InvalidPayload, LedgerUnavailable, LongrunError
from domain.model import Model

log = structlog.get_logger()
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
CODES = {404: "not_found", 405: "method_not_allowed", 413: "payload_too_large"}


class Unauthorized(LongrunError):
    """No credentials, or none that hold."""

    code = "unauthorized"
    status = 401


class NotFound(CallerError):
    """There is no such thing, or not for this caller: the two look the same."""

    code = "not_found"
    status = 404

    def __init__(self, message: str = "there is no such thing, or it is not yours to see") -> None:
        super().__init__(message)


class TooManyRequests(LongrunError):
    """`retry_after` is in seconds."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FieldError(Model):
    """What is wrong with one field: a JSON pointer into the body, or `?name` for a query parameter."""

    pointer: str = Field(examples=["/payload/companyName"])
    detail: str


class Problem(Model):
    """Why a request was refused. `code` is stable; `jobId` names a job that may exist, as the ledger fell silent."""

    type: str = "about:blank"
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["the payload does not fit the kind"])
    code: str = Field(examples=["invalid_payload"])
    errors: tuple[FieldError, ...] | None = None
    job_id: str | None = None


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    body = Problem(title=HTTPStatus(status).phrase, status=status, code=code, detail=detail, **more)
    return Response(
        body.model_dump_json(by_alias=True, exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


def failed() -> Response:
    """For what nobody foresaw: the log knows more."""
    return problem(500, "internal_error", "the service failed at this; it has been noted")


def pointer(parts: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


async def _refused(_request: Request, error: LongrunError) -> Response:
    """One of our own errors: it carries its status and code."""
    if error.status >= 500 and not error.retryable:
        log.error("refused", error=type(error).__name__, code=error.code)
        return failed()
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    if isinstance(error, InvalidPayload):
        more["errors"] = tuple(FieldError(pointer=at, detail=detail) for at, detail in error.errors)
    elif isinstance(error, CallerError) and error.pointer is not None:
        more["errors"] = (FieldError(pointer=error.pointer, detail=error.message),)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    elif error.status == 503:
        headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(error, LedgerUnavailable) and error.job_id:
        more["job_id"] = error.job_id
    return problem(error.status, error.code, error.message, headers=headers, **more)


async def _misread(_request: Request, error: RequestValidationError) -> Response:
    """Bad JSON is 400; JSON of the wrong content is 422 and says where."""
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return problem(400, "invalid_json", "the body is not JSON")
    in_body = all(each["loc"][0] == "body" for each in found)
    code, detail = (
        ("invalid_payload", "the body does not fit") if in_body else ("invalid_request", "the query does not fit")
    )
    errors = tuple(FieldError(pointer=_place(each["loc"]), detail=each["msg"]) for each in found)
    return problem(422, code, detail, errors=errors)


def _place(loc: tuple[str | int, ...]) -> str:
    where, *rest = loc
    return pointer(rest) if where == "body" else "?" + ".".join(map(str, rest))


async def _http(_request: Request, error: HTTPException) -> Response:
    """What the framework refuses: no such route, a method that a route lacks, a body too large."""
    code = CODES.get(error.status_code, "invalid_request")
    return problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))


async def _unstorable(_request: Request, _error: Exception) -> Response:
    """Text that PostgreSQL cannot hold: NUL characters, halves of surrogate pairs, numbers out of range."""
    return problem(422, "invalid_request", "the request holds a character or number that cannot be stored")


def handle(app: FastAPI) -> None:
    """Make every error of the app a Problem; the unforeseen ones are met by api.edge."""
    handlers: dict[Any, Any] = {
        LongrunError: _refused,
        RequestValidationError: _misread,
        HTTPException: _http,
        asyncpg.DataError: _unstorable,
        UnicodeEncodeError: _unstorable,
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)
