"""The asynchronous client is the blocking one with `await`."""

import inspect
from typing import Any

import pytest

from longrun import AsyncClient, Client, LongrunError
from tests.client.server import Answer, Server, event, job

STREAM = "text/event-stream"


def _verbs(client: type[Any]) -> dict[str, list[inspect.Parameter]]:
    functions = inspect.getmembers(client, inspect.isfunction)
    return {
        name: list(inspect.signature(function).parameters.values())
        for name, function in functions
        if not name.startswith("_") and name not in ("close", "aclose")
    }


def test_both_clients_have_the_same_verbs_and_parameters() -> None:
    assert _verbs(AsyncClient) == _verbs(Client)


async def test_it_gets_lists_and_waits(server: Server) -> None:
    server.on("GET /api/jobs/j1", Answer(200, job("j1", 1)), Answer(200, job("j1", 4, "completed")))
    server.on(
        "GET /api/jobs",
        Answer(200, {"jobs": [job("a")], "nextCursor": "c2"}),
        Answer(200, {"jobs": [job("b")]}),
    )
    seen: list[str] = []
    async with AsyncClient(server.url, "secret-key") as client:
        ended = await client.wait("j1", on_change=lambda job: seen.append(job.progress.text))
        assert [job.job_id async for job in client.list()] == ["a", "b"]
    assert ended.is_success
    assert seen == ["1/4", "4/4"]


async def test_it_takes_up_a_dropped_stream(server: Server) -> None:
    server.on(
        "GET /api/jobs/j1/events",
        Answer(200, event(1, "job", job("j1")) + b"id: 2\nevent: st", STREAM, cut=True),
        Answer(200, event(2, "step", {}) + event(3, "done", {}), STREAM),
    )
    async with AsyncClient(server.url, "secret-key") as client:
        assert [event.id async for event in client.stream("j1")] == ["1", "2", "3"]
    assert server.asked[-1].headers["Last-Event-ID"] == "1"


async def test_it_raises_the_same_error(server: Server) -> None:
    async with AsyncClient(server.url, "secret-key") as client:
        with pytest.raises(LongrunError) as caught:
            await client.get("nowhere")
        assert caught.value.code == "job_not_found"
    async with AsyncClient("http://127.0.0.1:1") as client:
        with pytest.raises(LongrunError) as caught:
            await client.get("j1")
        assert caught.value.code == "unreachable"
