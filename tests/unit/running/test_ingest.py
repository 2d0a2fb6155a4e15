"""What an ingest may take, and what it will: tiers, hours, dollars."""

from decimal import Decimal

import pytest

from domain.errors import TierLimit
from domain.job import Tier
from domain.portions import Again
from domain.running.ingest import IngestRequest, ToDo, estimated, hours, most_runs, tier_of
from domain.usage import Usage


@pytest.mark.parametrize(
    ("own", "asked", "tier"),
    [
        (None, None, "free"),
        (None, "premium", "free"),
        ("free", "premium", "free"),
        ("premium", None, "premium"),
        ("premium", "free", "free"),
    ],
)
def test_a_payload_lowers_a_tier_and_never_raises_it(own: Tier | None, asked: Tier | None, tier: Tier) -> None:
    assert tier_of(own, asked) == tier


def asked(most: int | None) -> IngestRequest:
    return IngestRequest(user_id="ann", max_activities=most)


def test_a_free_user_has_twenty_runs_at_most() -> None:
    assert [most_runs("free", asked(most)) for most in (None, 1, 20)] == [20, 1, 20]
    assert [most_runs("premium", asked(most)) for most in (None, 1, 10_000)] == [None, 1, 10_000]
    with pytest.raises(TierLimit, match="Upgrade to premium for full history"):
        most_runs("free", asked(21))


def test_an_hour_for_each_thousand_runs() -> None:
    assert [hours(runs) for runs in (0, 1, 1000, 1001, 10_000)] == [1, 1, 1, 2, 10]


def test_an_item_rests_longer_each_time_and_never_too_long() -> None:
    again = Again(attempts=5, first_wait=2.0, factor=3.0, longest_wait=20.0)
    assert [again.wait(failures) for failures in (1, 2, 3, 4)] == [2.0, 6.0, 18.0, 20.0]


def a_dollar_a_token(usage: Usage) -> Decimal:
    return Decimal(usage.input_tokens + usage.output_tokens)


def test_an_estimate_knows_pauses_limits_and_what_is_measured() -> None:
    todo = ToDo(tier="premium", runs=20, batches=2, missing={"letter": 20, "insight": 10})
    first = estimated(todo, "ann", pause=2.0, model="m", price=a_dollar_a_token)
    assert (first.basis, first.cost_usd) == ("assumed", Decimal(20 * 450 + 10 * 900))
    assert first.seconds == 2 * 6 + 2
    slow = estimated(todo, "ann", pause=2.0, model="m", price=a_dollar_a_token, calls_per_minute=6)
    assert slow.seconds == 300, "thirty calls"
    own = {"letter": Usage(input_tokens=10, output_tokens=1), "insight": Usage(input_tokens=20, output_tokens=2)}
    known = todo.model_copy(update={"averages": own, "seconds_a_run": 0.5})
    measured = estimated(known, "ann", pause=2.0, model="m", price=a_dollar_a_token)
    assert (measured.basis, measured.cost_usd, measured.seconds) == ("measured", Decimal(20 * 11 + 10 * 22), 10.0)


def test_an_unknown_price_is_unknown_and_the_twin_costs_nothing() -> None:
    todo = ToDo(tier="free", runs=1, batches=1, missing={"letter": 1, "insight": 1})
    assert estimated(todo, "ann", pause=0, model="m", price=lambda _: None).cost_usd is None
    twin = estimated(todo, "ann", pause=0, model=None, price=lambda _: None)
    assert (twin.cost_usd, twin.input_tokens, twin.model) == (Decimal(0), 0, None)
