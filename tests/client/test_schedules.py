"""The schedules' verbs, as they are sent and read."""

from typing import Any

import pytest

from longrun import AsyncClient, Client, LongrunError, Options
from tests.client.server import NOW, Answer, Server, problem

SCHEDULE: dict[str, Any] = {
    "id": "sched_1",
    "jobType": "company-research",
    "payload": {"companyName": "Stripe", "role": "SRE"},
    "cron": "@daily",
    "timezone": "Europe/Berlin",
    "overlap": "skip",
    "catchupWindow": "1h",
    "paused": False,
    "nextRunAt": NOW,
}


def test_a_cron_job_is_asked_for_in_the_words_of_a_job_layer(server: Server, client: Client) -> None:
    server.on("POST /api/schedules", Answer(201, SCHEDULE))
    made = client.schedule_cron_job(
        "daily-report",
        {"n": 1},
        "0 0 * * *",
        tag="daily-report",
        user_id=7,
        options=Options(max_duration=60),
        timezone="Europe/Berlin",
        overlap="cancel_other",
        catchup_window="10m",
        deduplication_key="daily",
    )
    assert server.asked[-1].body == {
        "jobType": "daily-report",
        "payload": {"n": 1},
        "cron": "0 0 * * *",
        "timezone": "Europe/Berlin",
        "overlap": "cancel_other",
        "catchupWindow": "10m",
        "deduplicationKey": "daily",
        "options": {"maxDuration": 60, "owner": "7", "tags": ["daily-report"]},
    }
    assert (made.id, made.job_type, made.next_run_at and made.next_run_at.year) == ("sched_1", "company-research", 2026)


def test_the_other_verbs(server: Server, client: Client) -> None:
    for verb in ("pause", "resume", "trigger"):
        server.on(f"POST /api/schedules/sched_1/{verb}", Answer(200, SCHEDULE))
        assert getattr(client, f"{verb}_schedule")("sched_1").cron == "@daily"
    server.on("GET /api/schedules/sched_1", Answer(200, SCHEDULE))
    assert client.get_schedule("sched_1").timezone == "Europe/Berlin"
    server.on("GET /api/schedules/sched_1/upcoming", Answer(200, {"times": [NOW, NOW]}))
    assert [at.minute for at in client.upcoming("sched_1")] == [4, 4]
    server.on(
        "GET /api/schedules",
        Answer(200, {"schedules": [SCHEDULE], "nextCursor": "sched_1"}),
        Answer(200, {"schedules": [SCHEDULE | {"id": "sched_0"}], "nextCursor": None}),
    )
    assert [one.id for one in client.list_schedules(owner="7")] == ["sched_1", "sched_0"]
    assert server.asked[-1].query == {"owner": "7", "cursor": "sched_1"}
    server.on("PATCH /api/schedules/sched_1", Answer(200, SCHEDULE))
    client.change_schedule("sched_1", cron="@daily", jitter=None)
    assert server.asked[-1].body == {"cron": "@daily", "jitter": None}
    server.on("DELETE /api/schedules/sched_1", Answer(204, b""))
    client.delete_schedule("sched_1")
    server.on("DELETE /api/schedules/sched_1", problem(404, "schedule_not_found", "there is no such schedule"))
    with pytest.raises(LongrunError) as caught:
        client.delete_schedule("sched_1")
    assert caught.value.code == "schedule_not_found"


async def test_the_asynchronous_client_has_them_too(server: Server) -> None:
    server.on("POST /api/schedules", Answer(201, SCHEDULE))
    server.on("GET /api/schedules", Answer(200, {"schedules": [SCHEDULE], "nextCursor": None}))
    server.on("DELETE /api/schedules/sched_1", Answer(204, b""))
    async with AsyncClient(server.url, "secret-key") as client:
        made = await client.schedule_cron_job("research", {}, "@daily")
        assert [one.id async for one in client.list_schedules()] == [made.id]
        await client.delete_schedule(made.id)
