"""A small HTTP server on loopback that speaks the native part of the contract, and can be told to misbehave."""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

NOW = "2026-01-02T03:04:05Z"
STEPS = ("scrape_website", "search_github", "analyze", "store")


def job(job_id: str, done: int = 0, status: str = "running", **more: Any) -> dict[str, Any]:
    """A job of the contract's shape, `done` of its four steps being over."""
    over = status not in ("queued", "delayed", "running")
    return {
        "jobId": job_id,
        "jobType": "company-research",
        "status": status,
        "owner": "user_1",
        "progress": {"done": done, "total": 4, "text": f"{done}/4", "percent": 25 * done},
        "isComplete": over,
        "isSuccess": status == "completed",
        "isFailed": status in ("failed", "expired", "timed_out"),
        "isCanceled": status == "canceled",
        "steps": [{"name": name, "status": "completed" if n < done else "pending"} for n, name in enumerate(STEPS)],
        "payload": {"companyName": "Stripe", "role": "SRE"},
        "tags": [],
        "metadata": {},
        "createdAt": NOW,
        "updatedAt": NOW,
    } | more


def event(number: int, kind: str, data: dict[str, Any]) -> bytes:
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def problem(status: int, code: str, detail: str, **more: Any) -> "Answer":
    body = {"type": "about:blank", "title": "No", "status": status, "code": code, "detail": detail} | more
    return Answer(status, body, "application/problem+json")


@dataclass(frozen=True)
class Answer:
    """Bytes are sent as they are, then the connection is cut when `cut`, in the middle of a chunked body."""

    status: int
    body: Any
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    cut: bool = False


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Server:
    """`answers` holds, per "METHOD path", what is answered in turn; the last one stays."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict[str, list[Answer]])
    asked: list[Asked] = field(default_factory=list[Asked])

    def on(self, call: str, *answers: Answer) -> None:
        self.answers[call] = list(answers)

    def next(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        waiting = self.answers.get(f"{asked.method} {asked.path}")
        if not waiting:
            return problem(404, "job_not_found", "there is no such job")
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is what some tests are about; anything else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving() -> Generator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers), body)
            self.send(server.next(asked))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def send(self, answer: Answer) -> None:
            content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Type": answer.content_type, **answer.headers}.items():
                self.send_header(name, value)
            if answer.status == 204:
                self.end_headers()
                return
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content) if content else b"")
            if answer.cut:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    with Quiet(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        server.url = f"http://127.0.0.1:{http.server_port}"
        yield server
        http.shutdown()
