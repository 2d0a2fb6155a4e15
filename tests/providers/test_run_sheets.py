"""What runs are written from is made apart, and the same wherever it is made."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic_core import to_json

from domain.running.batch import Batch, Ready, Unready, ready
from domain.running.figures import Fact, Facts
from providers.run_sheets import RunSheets

MORNING = datetime(2026, 6, 14, 7, 30, tzinfo=UTC)


def batch(runs: int) -> Batch:
    """So many runs, a day between them, and as many before them."""
    distance = {"distance": Fact(value=5_000, unit="m", basis="counted", quality="good")}
    facts = Facts(sport="run", facts=distance).model_dump_json(by_alias=True)
    told = [(str(uuid4()), "Morning run", MORNING + timedelta(days=day), facts) for day in range(runs)]
    figures = to_json({"distance": 4_900.0}).decode()
    others = [(None, str(uuid4()), "Run", MORNING - timedelta(days=day), True, figures) for day in range(1, runs + 1)]
    return Batch("ann", "Europe/Berlin", told, others)


async def test_a_batch_is_made_in_a_process_of_its_own() -> None:
    sheets, asked = RunSheets(), batch(5)
    try:
        made = await sheets.ready(asked)
    finally:
        await sheets.close()
    assert made == ready(asked)
    first = made[asked.runs[0][0]]
    assert isinstance(first, Ready)
    assert "Sunday 14 June 2026, morning" in first.told["letter"].prompt
    assert "runs of the 28 days before: 5" in first.told["insight"].prompt


@pytest.mark.parametrize("cap", [{"seconds": 1, "memory": 8 * 1024**2}, {"memory": 1}])
async def test_what_the_system_does_not_let_be_made_apart_is_made_here(cap: dict[str, int]) -> None:
    sheets, asked = RunSheets(**cap), batch(2)
    try:
        assert await sheets.ready(asked) == ready(asked)
    finally:
        await sheets.close()


async def test_a_run_that_cannot_be_read_leaves_the_others_alone() -> None:
    sheets, asked = RunSheets(), batch(3)
    broken = asked._replace(runs=[(*asked.runs[0][:3], '{"sport": "no sport"}'), *asked.runs[1:]])
    try:
        first, *others = (await sheets.ready(broken)).values()
    finally:
        await sheets.close()
    assert first == Unready("ValidationError")
    assert all(isinstance(one, Ready) for one in others)
