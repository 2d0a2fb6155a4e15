"""The sample organisation's website on loopback: `python -m local.samples --port 9000`."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Annotated

import typer

from local.live import say
from local.ports import LOOPBACK
from local.sample_pages import Answer, site, sources


class SampleServer(ThreadingHTTPServer):
    """Answers from memory; the first page asked for waits `delay_first_seconds`."""

    daemon_threads = True

    def __init__(self, port: int, delay_first_seconds: float = 0.0) -> None:
        super().__init__((LOOPBACK, port), SampleHandler)
        self.base = f"http://{LOOPBACK}:{self.server_address[1]}"
        self.answers = site(self.base, sources())
        self._delay = delay_first_seconds
        self._lock = threading.Lock()

    def answer(self, path: str) -> tuple[HTTPStatus, Answer]:
        """What to say for a path; one without its last slash is sent on, as the real site does."""
        if path not in self.answers and f"{path}/" in self.answers:
            return HTTPStatus.MOVED_PERMANENTLY, Answer(location=f"{path}/")
        found = self.answers.get(path)
        if found is None:
            return HTTPStatus.NOT_FOUND, Answer("<!DOCTYPE html><title>Page not found</title><h1>Page not found</h1>")
        if found.location:
            return HTTPStatus.MOVED_PERMANENTLY, found
        if found.content_type.startswith("text/html"):
            with self._lock:
                delay, self._delay = self._delay, 0.0
            time.sleep(delay)
        return HTTPStatus.OK, found


class SampleHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer is two writes: without this the second waits 40 ms for the first one's receipt.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, SampleServer)  # noqa: S101
        status, answer = server.answer(self.path.partition("?")[0])
        body = answer.body.encode()
        self.send_response(status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        if answer.location:
            self.send_header("Location", answer.location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@contextmanager
def serve(port: int = 0, delay_first_seconds: float = 0.0) -> Generator[str]:
    """Serve the site for the length of the block; yields its base URL."""
    with SampleServer(port, delay_first_seconds) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield server.base
        finally:
            server.shutdown()
            serving.join()


def main(port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0) -> None:
    """Serve the sample organisation's website until it is stopped."""
    with SampleServer(port) as server:
        say(f"The sample site: {server.base}")
        server.serve_forever()


if __name__ == "__main__":
    typer.run(main)
