"""Asking the running product for a company research, and reading what came of it."""

from collections.abc import Iterator
from typing import Any

from longrun import Client, Job, Options
from tests.support.processes import Stack
from tests.support.stand_ins import Outside


def start(stack: Stack, outside: Outside, owner: str, **changed: Any) -> tuple[Client, str]:
    """An owner of its own has no cached answer."""
    client = stack.client()
    return client, client.start("company-research", outside.payload(**changed), Options(owner=owner)).job_id


def run(stack: Stack, outside: Outside, owner: str, **changed: Any) -> Job:
    client, job_id = start(stack, outside, owner, **changed)
    return client.wait(job_id, 60)


def claims(briefing: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in (briefing["sections"], briefing["interview"]):
        for listed in part.values():
            yield from listed
    yield from [*briefing["prepare"], *briefing["askThem"], *briefing["stack"]]


def standing(job: Job) -> dict[str, str]:
    return {step.name: step.status for step in job.steps}


def broken(job: Job) -> dict[str, tuple[str, int]]:
    """Code of the error and attempt of each failed step."""
    return {step.name: (step.error.code, step.attempt) for step in job.steps if step.status == "failed" and step.error}
