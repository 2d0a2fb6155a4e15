"""Reading a job's server-sent events across dropped connections, and waiting without hammering. No I/O here."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import quote

import httpx2

from longrun.calls import job_path, refusal, unexpected
from longrun.errors import LongrunError
from longrun.models import Event, Job

# Not str.splitlines(): JSON text may hold U+2028 and friends. A CR at the very end may be half of a CRLF.
LINE_END = re.compile(rb"\r\n|\n|\r(?=[^\n])")
# The server sends a comment every 15 s: after three missed ones the connection is taken for dead.
SILENCE = 45.0
NO_MORE = 204


class Patience:
    """Rides out a server that does not answer: pauses of 0.25 to 5 s, `seconds` in all since the last answer."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.answered()

    def answered(self) -> None:
        self._since, self._next = time.monotonic(), 0.25

    def pause(self, error: LongrunError) -> float:
        """Seconds until the next try; raises `error` when it will not pass or patience is at its end."""
        if not error.passing or time.monotonic() - self._since > self.seconds:
            raise error
        pause = max(self._next, error.retry_after or 0)
        self._next = min(2 * self._next, 5.0)
        return pause


class Reading:
    """The events of a job, or of all jobs of an owner: what to ask for next, and the events in what arrives."""

    def __init__(self, path: str, last_event_id: str | None, patience: float, *, endless: bool = False) -> None:
        """An `endless` stream goes on after a job's `done`."""
        self._path, self._endless = path, endless
        self.last_event_id = last_event_id
        self.over = False
        self._patience = Patience(patience)
        self._forget()

    @classmethod
    def of_job(cls, job_id: str, last_event_id: str | None, patience: float) -> Self:
        return cls(job_path(job_id, "events"), last_event_id, patience)

    @classmethod
    def of_owner(cls, owner: str | None, last_event_id: str | None, patience: float) -> Self:
        """Without an owner the one of the token."""
        query = f"?owner={quote(owner, safe='')}" if owner is not None else ""
        return cls(f"/api/jobs/events{query}", last_event_id, patience, endless=True)

    def request(self) -> dict[str, Any]:
        """Arguments of httpx2's `stream`: everything after the last event that was handed on."""
        headers = {"Accept": "text/event-stream"}
        if self.last_event_id:
            headers["Last-Event-ID"] = self.last_event_id
        return {"method": "GET", "url": self._path, "headers": headers, "timeout": httpx2.Timeout(10.0, read=SILENCE)}

    def refused(self, response: httpx2.Response) -> LongrunError | None:
        """The error that came in place of a stream, if one did (its body must have been read then)."""
        # An event that was cut in half is sent again, whole.
        self._forget()
        self.over = response.status_code == NO_MORE
        if not response.is_success:
            return refusal(response)
        streamed = response.headers.get("Content-Type", "").startswith("text/event-stream")
        return None if streamed or self.over else unexpected(response)

    def feed(self, chunk: bytes) -> Iterator[Event]:
        *lines, self._rest = LINE_END.split(self._rest + chunk)
        for line in lines:
            if line.startswith(b":"):
                self._patience.answered()
            elif line:
                name, _, value = line.partition(b":")
                self._fields.setdefault(name, []).append(value.removeprefix(b" ").decode())
            elif event := self._event():
                self.over = event.event == "done" and not self._endless
                self._patience.answered()
                yield event

    def dropped(self, error: LongrunError | None) -> float:
        """Seconds to wait before the next connection; raises when there should be none."""
        return self._patience.pause(error or LongrunError(detail="the stream ended before the job did"))

    def _event(self) -> Event | None:
        fields, self._fields = self._fields, {}
        # an id without an event says how far the stream has come
        self.last_event_id = fields.get(b"id", [self.last_event_id])[-1]
        if b"data" not in fields:
            return None
        kind = fields.get(b"event", ["message"])[-1]
        return Event(id=self.last_event_id or "", event=kind, data=json.loads("\n".join(fields[b"data"])))

    def _forget(self) -> None:
        self._rest = b""
        self._fields: dict[bytes, list[str]] = {}


class Watch:
    """Polls of 0.1 s growing to 1 s while nothing changes; TimeoutError after `timeout` seconds."""

    def __init__(self, job_id: str, timeout: float | None, patience: float) -> None:
        self.job_id = job_id
        self.timeout = timeout
        self._started = time.monotonic()
        self._patience = Patience(patience)
        self._last: Job | None = None
        self._next = 0.1

    def changed(self, job: Job) -> bool:
        self._patience.answered()
        self._next = min(1.25 * self._next, 1.0)
        if changed := job != self._last:
            self._last, self._next = job, 0.1
        return changed

    def missed(self, error: LongrunError) -> None:
        self._next = self._patience.pause(error)

    def pause(self) -> float:
        if self.timeout is None:
            return self._next
        left = self._started + self.timeout - time.monotonic()
        if left <= 0:
            status = self._last.status if self._last else "unknown"
            raise TimeoutError(f"job {self.job_id} is still {status} after {self.timeout:g} s; it goes on")
        return min(self._next, left)
