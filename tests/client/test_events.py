"""Streams are taken up where they broke; waiting rides out a server that is gone for a moment."""

from collections.abc import Iterator

import pytest

from longrun import Client, Event, Job, LongrunError
from longrun.events import Reading
from tests.client.server import Answer, Server, event, job, problem

STREAM = "text/event-stream; charset=utf-8"
EVENTS = [
    event(1, "job", job("j1")),
    event(2, "step", {"name": "scrape_website", "status": "running"}),
    event(3, "progress", {"text": "1/4"}),
    event(4, "done", {"status": "completed"}),
]


def test_a_dropped_stream_goes_on_without_loss_or_repeat(server: Server, client: Client) -> None:
    half = EVENTS[2][: len(EVENTS[2]) // 2]
    server.on(
        "GET /api/jobs/j1/events",
        Answer(200, EVENTS[0] + EVENTS[1] + half, STREAM, cut=True),
        problem(503, "ledger_unavailable", "the ledger does not answer"),
        Answer(200, b": still here\n\n" + EVENTS[2], STREAM),
        Answer(200, EVENTS[3], STREAM),
    )

    events = list(client.stream("j1"))

    assert [(event.id, event.event) for event in events] == [
        ("1", "job"),
        ("2", "step"),
        ("3", "progress"),
        ("4", "done"),
    ]
    assert events[1].data == {"name": "scrape_website", "status": "running"}
    assert [asked.headers.get("Last-Event-ID") for asked in server.asked] == [None, "2", "2", "3"]


def test_a_stream_can_be_taken_up_by_another_client(server: Server, client: Client) -> None:
    server.on("GET /api/jobs/j1/events", Answer(200, EVENTS[3], STREAM))
    assert [event.id for event in client.stream("j1", last_event_id="3")] == ["4"]
    assert server.asked[0].headers["Last-Event-ID"] == "3"


def test_a_stream_of_an_unknown_job_is_refused_at_once(server: Server, client: Client) -> None:
    with pytest.raises(LongrunError) as caught:
        next(client.stream("nowhere"))
    assert caught.value.code == "job_not_found"
    assert len(server.asked) == 1


def test_a_stream_that_never_comes_back_is_given_up(server: Server) -> None:
    server.on("GET /api/jobs/j1/events", Answer(200, EVENTS[0], STREAM), Answer(200, b"", STREAM))
    with Client(server.url, patience=0.3) as client:
        events = client.stream("j1")
        assert next(events).event == "job"
        with pytest.raises(LongrunError, match="ended before the job did"):
            next(events)


def test_a_page_in_place_of_a_stream_is_no_stream(server: Server, client: Client) -> None:
    server.on("GET /api/jobs/j1/events", Answer(200, b"<html></html>", "text/html"))
    with pytest.raises(LongrunError) as caught:
        next(client.stream("j1"))
    assert caught.value.code == "unexpected_answer"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_events_are_read_however_they_are_cut_into_pieces(size: int, end: str) -> None:
    text = 'id: 1\nevent: job\ndata: {"a":\ndata:"x\u2028\u0085y"}\n\n: comment\n\nid: 2\nevent: done\ndata: {}\n\n'
    # A closing CR may be the first half of a CRLF: it counts once something follows.
    raw = text.replace("\n", end).encode() + (b": end" if end == "\r" else b"")
    reading = Reading("j1", None, patience=1)

    def read() -> Iterator[Event]:
        for start in range(0, len(raw), size):
            yield from reading.feed(raw[start : start + size])

    assert [(event.id, event.event, event.data) for event in read()] == [
        ("1", "job", {"a": "x\u2028\u0085y"}),
        ("2", "done", {}),
    ]
    assert reading.over


def test_wait_tells_each_change_once_and_returns_the_end(server: Server, client: Client) -> None:
    running = Answer(200, job("j1", 1))
    server.on("GET /api/jobs/j1", running, running, Answer(200, job("j1", 3)), Answer(200, job("j1", 4, "completed")))
    seen: list[str] = []

    def note(job: Job) -> None:
        seen.append(job.progress.text)

    assert client.wait("j1", timeout=60, on_change=note).is_success
    assert seen == ["1/4", "3/4", "4/4"]


def test_wait_returns_a_failed_job_as_it_is(server: Server, client: Client) -> None:
    failure = {"code": "no_evidence", "message": "nothing was found"}
    server.on("GET /api/jobs/j1", Answer(200, job("j1", 2, "failed", error=failure)))
    ended = client.wait("j1")
    assert ended.error is not None
    assert ended.error.code == "no_evidence"


def test_wait_times_out_and_says_that_the_job_goes_on(server: Server, client: Client) -> None:
    server.on("GET /api/jobs/j1", Answer(200, job("j1", 1)))
    with pytest.raises(TimeoutError, match=r"still running after 0\.3 s; it goes on"):
        client.wait("j1", timeout=0.3)


def test_wait_rides_out_a_restart_but_not_a_refusal(server: Server, client: Client) -> None:
    down = problem(503, "ledger_unavailable", "the ledger does not answer")
    server.on("GET /api/jobs/j1", down, down, Answer(200, job("j1", 4, "completed")))
    assert client.wait("j1").is_success
    with pytest.raises(LongrunError) as caught:
        client.wait("j2")
    assert caught.value.code == "job_not_found"


def test_wait_gives_up_on_a_server_that_stays_away(server: Server) -> None:
    server.on("GET /api/jobs/j1", problem(503, "ledger_unavailable", "the ledger does not answer"))
    with Client(server.url, patience=0.2) as client, pytest.raises(LongrunError, match="does not answer"):
        client.wait("j1")
