"""An application on loopback that tasks live in: it verifies what it is asked, and calls back as it was told."""

import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Self
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

from domain.keyring import Keyring
from tests.support.site_server import Answer, Asked, Route, SiteServer
from tests.support.stand_ins import Background

ACCEPTED = Answer(202)


def result(value: Any, status: int = 200) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(value))


class Application:
    """`key` is the service's API key, of which the application knows what its requests are signed with."""

    def __init__(self, background: Background, key: str) -> None:
        self._background, self._secret = background, Keyring([key]).signing_secret
        self._site, self._opened = SiteServer(), AsyncExitStack()

    def __enter__(self) -> Self:
        self._background.run(self._opened.enter_async_context(self._site))
        return self

    def __exit__(self, *_: object) -> None:
        self._background.run(self._opened.aclose())

    @property
    def authority(self) -> str:
        return self._site.authority

    def task(self, *answers: Route, deletes: Sequence[Answer] = ()) -> "AppTask":
        """A new path whose requests are answered one after the other; the last answer stays. `deletes` are the first
        answers to a cancel."""
        path = f"/tasks/{uuid4().hex[:8]}"
        script, deletes = list(answers), list(deletes)

        def answer(asked: Asked) -> Any:
            Webhook(self._secret).verify(asked.body, dict(asked.headers))
            if asked.method == "DELETE":
                return deletes.pop(0) if deletes else Answer(204)
            route = script.pop(0) if len(script) > 1 else script[0]
            return route(asked) if callable(route) else route

        self._site.routes[path] = answer
        return AppTask(self._site, path)


class AppTask:
    """One path of the application."""

    def __init__(self, site: SiteServer, path: str) -> None:
        self._site, self._path = site, path
        self.url = f"{site.url}{path}"

    def requests(self, method: str = "POST") -> list[Asked]:
        return [asked for asked in list(self._site.asked) if (asked.path, asked.method) == (self._path, method)]

    def call_back(self, /, **body: Any) -> httpx.Response:
        """Say what came of it, signed with the secret that came with the task."""
        headers = self.requests()[-1].headers
        told = {"executionId": headers["longrun-job-id"], **body}
        return signed_post(headers["longrun-callback-url"], told, headers["longrun-callback-secret"])


def signed_post(url: str, body: Any, secret: str) -> httpx.Response:
    text, now, message_id = json.dumps(body), datetime.now(UTC), f"msg_{uuid4().hex}"
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, text),
        "content-type": "application/json",
    }
    return httpx.post(url, content=text, headers=headers, timeout=20, verify=False)
