"""The outermost layer, plain ASGI: one log line a request, a limit on bodies, and an answer to the unforeseen."""

import time
import traceback
from typing import TYPE_CHECKING

import structlog
from starlette.exceptions import HTTPException

from api.errors import failed
from api.meters import observe

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()
BODY_BYTES = 1024 * 1024
# A route that takes more says so here, before it reads.
ALLOWED = "longrun.body_bytes"


class Edge:
    """The log knows route templates and job ids: never query strings, bodies or tokens, which may be secrets."""

    def __init__(self, app: "ASGIApp") -> None:
        self.app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, answered = time.perf_counter(), 0, 0.0
        structlog.contextvars.clear_contextvars()

        async def watched(message: "Message") -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter()
            await send(message)

        try:
            await self.app(scope, _limited(scope, receive), watched)
        except Exception as error:  # noqa: BLE001 - logged without its message, which may quote a payload
            log.error("request failed", error=type(error).__name__, at=_places(error))
            if not status:
                await failed()(scope, receive, watched)
        finally:
            template = getattr(scope.get("route"), "path", None)
            ms = round((time.perf_counter() - started) * 1000, 1)
            observe(scope["method"], template, status, (answered or time.perf_counter()) - started)
            log.info("request", method=scope["method"], route=template, status=status, ms=ms)


def _limited(scope: "Scope", receive: "Receive") -> "Receive":
    """`receive` that stops at what a body may hold, told or counted."""
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    length = int(told) if told.isdigit() else 0
    read = 0

    async def counting() -> "Message":
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        allowed: int = scope.get(ALLOWED, BODY_BYTES)
        if max(length, read) > allowed:
            raise HTTPException(413, f"a body holds at most {allowed // 1024**2} MiB")
        return message

    return counting


def _places(error: Exception) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-5:]]
