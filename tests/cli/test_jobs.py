"""`longrun jobs …` against an API on loopback: what is printed, and how it exits."""

import json
from io import StringIO

from rich.console import Console

from local.job_view import follow
from longrun import Client
from tests.cli.conftest import Longrun
from tests.client.server import NOW, Answer, Server, job, problem

ID = "5f0c9c1e-1111-4222-8333-444455556666"


def test_list_prints_a_row_a_job_and_stops_at_the_limit(server: Server, longrun: Longrun) -> None:
    found = [job(ID, 2), job("another", 4, "failed", error={"code": "no_evidence", "message": "nothing"})]
    server.on("GET /api/jobs", Answer(200, {"jobs": found, "nextCursor": "more"}))

    result = longrun("jobs", "list", "--type", "company-research", "--limit", "2", COLUMNS="60")

    assert result.exit_code == 0
    assert [line.split()[:4] for line in result.stdout.splitlines()[1:]] == [
        [ID, "company-research", "running", "2/4"],
        ["another", "company-research", "failed", "4/4"],
    ]
    assert [asked.query for asked in server.asked] == [{"type": "company-research", "limit": "2"}]


def test_list_says_when_there_is_nothing(server: Server, longrun: Longrun) -> None:
    server.on("GET /api/jobs", Answer(200, {"jobs": [], "nextCursor": None}))
    assert longrun("jobs", "list").stdout == "no open jobs\n"
    assert longrun("jobs", "list", "--owner", "u").stdout == "no such jobs\n"
    assert json.loads(longrun("jobs", "list", "--json").stdout) == []


def test_get_shows_steps_error_and_result(server: Server, longrun: Longrun) -> None:
    steps = [
        {"name": "scrape_website", "status": "failed", "error": {"code": "blocked", "message": "[red]says no[/red]"}},
        {"name": "analyze", "status": "running", "attempt": 2, "maxAttempts": 2},
    ]
    server.on(f"GET /api/jobs/{ID}", Answer(200, job(ID, 1, steps=steps, result={"name": "Stripe"})))

    shown = longrun("jobs", "get", ID).stdout

    assert "✗  scrape_website  blocked: [red]says no[/red]" in shown
    assert "analyze         attempt 2 of 2" in shown
    assert '"name": "Stripe"' in shown


def test_get_as_json_is_what_the_server_said(server: Server, longrun: Longrun) -> None:
    said = job(ID, 4, "completed", result={"text": "[bold]no markup[/bold] " + "long " * 100})
    server.on(f"GET /api/jobs/{ID}", Answer(200, said))
    assert json.loads(longrun("jobs", "get", ID, "--json").stdout) == said


def test_watch_exits_0_when_the_job_completes_and_1_otherwise(server: Server, longrun: Longrun) -> None:
    for status, code in (("completed", 0), ("failed", 1), ("canceled", 1), ("timed_out", 1)):
        server.on(f"GET /api/jobs/{ID}", Answer(200, job(ID, 1)), Answer(200, job(ID, 4, status)))
        result = longrun("jobs", "watch", ID)
        assert (result.exit_code, status in result.stdout) == (code, True)
        assert result.stdout.endswith("\n")


def test_watch_as_json_prints_a_line_a_change(server: Server, longrun: Longrun) -> None:
    answers = [job(ID, 1), job(ID, 1), job(ID, 3, metadata={"note": "x" * 300}), job(ID, 4, "completed")]
    server.on(f"GET /api/jobs/{ID}", *(Answer(200, answer) for answer in answers))
    lines = longrun("jobs", "watch", ID, "--json").stdout.splitlines()
    assert [json.loads(line)["progress"]["text"] for line in lines] == ["1/4", "3/4", "4/4"]


def test_watch_gives_up_when_told_so(server: Server, longrun: Longrun) -> None:
    server.on(f"GET /api/jobs/{ID}", Answer(200, job(ID, 1)))
    result = longrun("jobs", "watch", ID, "--timeout", "0.2")
    assert result.exit_code == 1
    assert "still running after 0.2 s; it goes on" in result.stderr


def test_cancel_tells_whether_the_job_has_stopped_already(server: Server, longrun: Longrun) -> None:
    server.on(f"POST /api/jobs/{ID}/cancel", Answer(202, job(ID, 1)), Answer(202, job(ID, 1, "canceled")))
    assert longrun("jobs", "cancel", ID, "--reason", "typo").stdout == f"{ID} is told to stop\n"
    assert longrun("jobs", "cancel", ID).stdout == f"{ID} is canceled\n"
    assert server.asked[0].body == {"reason": "typo"}


def test_replay_can_follow_the_new_job(server: Server, longrun: Longrun) -> None:
    started = {"jobId": "new", "jobType": "x", "status": "queued", "statusUrl": "/s", "eventsUrl": "/e"}
    server.on(f"POST /api/jobs/{ID}/replay", Answer(202, started))
    server.on("GET /api/jobs/new", Answer(200, job("new", 4, "completed")))
    result = longrun("jobs", "replay", ID, "--watch")
    assert result.exit_code == 0
    assert result.stdout.startswith("started new\n")
    assert "4/4" in result.stdout


def test_reconcile_prints_the_report(server: Server, longrun: Longrun) -> None:
    orphan = {"workflowId": "w1", "reason": "unknown to the ledger"}
    counts = {"checked": 3, "started": 0, "closed": 1, "mended": 1}
    report = {"startedAt": NOW, "finishedAt": NOW, **counts, "orphanedJobs": [], "orphanedExecutions": [orphan]}
    server.on("POST /api/reconciliation", Answer(200, report))
    shown = longrun("reconcile").stdout
    assert "3 checked, 0 started, 1 closed, 1 mended" in shown
    assert "unknown to the ledger" in shown
    assert json.loads(longrun("reconcile", "--json").stdout) == report


def test_a_refusal_is_one_line_and_exit_1(server: Server, longrun: Longrun) -> None:
    server.on(f"POST /api/jobs/{ID}/cancel", problem(409, "not_cancelable", "the job has ended: completed"))
    result = longrun("jobs", "cancel", ID)
    assert (result.exit_code, result.stderr) == (1, "the job has ended: completed\n")


def test_watch_draws_on_a_terminal_what_changes(server: Server) -> None:
    steps = [{"name": "analyze", "status": "running", "attempt": 1}]
    server.on(f"GET /api/jobs/{ID}", Answer(200, job(ID, 2, steps=steps)), Answer(200, job(ID, 4, "completed")))
    screen = Console(file=StringIO(), force_terminal=True, width=100)
    with Client(server.url) as client:
        assert follow(client, ID, None, screen).is_success
    drawn = screen.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    assert drawn.index("2/4") < drawn.index("4/4")
    assert drawn.index("analyze") < drawn.index("completed")
