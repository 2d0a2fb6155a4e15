"""What a job leaves in the figures: of the ledger, of the API's process and of the worker's."""

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.asking import start
from tests.support.processes import KEY, Stack
from tests.support.stand_ins import Outside


def scraped(url: str) -> Mapping[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = httpx.get(url, headers={"Authorization": f"Bearer {KEY}"}, timeout=20)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def labelled(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_a_job_is_in_the_figures_of_ledger_api_and_worker(running: Stack, outside: Outside) -> None:
    client, job_id = start(running, outside, "figures")
    job = client.wait(job_id, 60)
    assert job.status == "completed"
    assert job.usage

    answer = httpx.get(
        f"{running.url}/api/stats", params={"owner": "figures"}, headers={"Authorization": f"Bearer {KEY}"}, timeout=20
    ).json()
    total = answer["total"]
    assert (total["jobs"], total["successRate"]) == (1, 1.0)
    assert total["tokens"] == job.usage.input_tokens + job.usage.output_tokens
    assert job.started_at
    assert job.finished_at
    ran = (job.finished_at - job.started_at).total_seconds()
    assert abs(total["p50Seconds"] - ran) <= 0.1 * ran

    of_api = scraped(f"{running.url}/metrics")
    assert of_api[labelled("longrun_jobs_ended_total", kind="company-research", status="completed")] >= 1
    assert of_api[labelled("longrun_http_seconds_count", method="POST", route="/api/jobs", status="202")] >= 1
    of_worker = scraped(f"http://127.0.0.1:{running.env['LONGRUN_METRICS_PORT']}/metrics")
    assert of_worker[labelled("longrun_activity_seconds_count", activity="analyze", outcome="completed")] >= 1
    assert of_worker[labelled("longrun_dispatcher_turn_seconds_count")] >= 1
