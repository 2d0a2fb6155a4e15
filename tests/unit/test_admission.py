"""Who starts next, without a ledger: order, limits and fairness."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from domain.admission import Lane, Limits, Slots, Waiting, choose, ranked

CLOCK: Mapping[str, float] = {}


def job(owner: str = "", **given: Any) -> Waiting:
    usual: dict[str, Any] = {"id": uuid4(), "kind": "toy", "key": "", "tier": "free", "priority": 3}
    return Waiting(owner=owner, **(usual | given))


def none(_: Waiting) -> None:
    return None


def started(jobs: Sequence[Waiting], limits: Limits, room: int = 100, running: Mapping[Lane, int] | None = None):
    return choose(ranked(jobs, CLOCK, none), Slots({"toy": limits}, running or {}), room, CLOCK)


def test_an_owner_with_one_job_waits_for_one_of_anothers_five_thousand() -> None:
    [single] = ranked([job("few")], {"toy": 7.0}, none)
    many = ranked([job("many") for _ in range(5000)], {"toy": 7.0}, none)
    admitted, _ = choose([*many, single], Slots({}, {}), 2, {"toy": 7.0})
    assert single.id in {one.id for one in admitted}


def test_premium_starts_four_jobs_to_one_of_free() -> None:
    jobs = [job("free") for _ in range(100)] + [job("premium", tier="premium") for _ in range(100)]
    admitted, _ = started(jobs, Limits(), room=50)
    assert Counter(one.owner for one in admitted) == {"premium": 40, "free": 10}


def test_a_rank_follows_the_owners_last_job_that_waits_or_the_clock() -> None:
    first, second = ranked([job("a"), job("a")], {"toy": 10.0}, lambda _: 4.0)
    assert (first.rank, second.rank) == (11.0, 12.0)
    [behind] = ranked([job("a")], {"toy": 10.0}, lambda _: 20.0)
    assert behind.rank == 21.0


def test_kinds_are_compared_by_how_far_behind_they_are() -> None:
    old, new = job(kind="old", rank=5001.0), job(kind="new", rank=3.0)
    [admitted], _ = choose([old, new], Slots({}, {}), 1, {"old": 5000.0, "new": 0.0})
    assert admitted == old


def test_a_bulk_waits_for_no_place() -> None:
    admitted, _ = choose([job(), job(kind="bulk")], Slots({}, {}), 0, CLOCK)
    assert [one.kind for one in admitted] == ["bulk"]


def test_who_names_no_owner_and_no_key_knows_no_limit_of_them() -> None:
    admitted, stopped = started([job() for _ in range(5)], Limits(per_owner=1, per_key=1))
    assert (len(admitted), stopped) == (5, {})


def test_premium_owners_may_have_a_limit_of_their_own() -> None:
    limits = Limits(per_owner=1, per_premium_owner=3)
    admitted, _ = started([job(tier, tier=tier) for tier in ("free", "premium") for _ in range(5)], limits)
    assert Counter(one.owner for one in admitted) == {"free": 1, "premium": 3}


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "k", "l"]), st.integers(1, 5)), max_size=60),
    st.builds(
        Limits,
        total=st.none() | st.integers(0, 8),
        per_owner=st.none() | st.integers(0, 4),
        per_key=st.none() | st.integers(0, 4),
        starts_per_minute=st.none() | st.integers(0, 8),
    ),
    st.integers(0, 10),
)
def test_no_limit_is_passed_no_slot_is_left_free_and_lanes_keep_their_order(
    asked: list[tuple[str, str, int]], limits: Limits, room: int
) -> None:
    numbers = count(1)
    jobs = [job(owner, key=key, priority=priority, id=UUID(int=next(numbers))) for owner, key, priority in asked]
    admitted, _ = started(jobs, limits, room)
    assert len(admitted) <= min(
        room, *(limit for limit in (limits.total, limits.starts_per_minute) if limit is not None), 99
    )
    for limit, name in ((limits.per_owner, "owner"), (limits.per_key, "key")):
        counted = Counter(getattr(one, name) for one in admitted if getattr(one, name))
        assert limit is None or all(number <= limit for number in counted.values())
    slots = Slots({"toy": limits}, Counter(one.lane for one in admitted), {"toy": len(admitted)})
    left = [one for one in ranked(jobs, CLOCK, none) if one.id not in {each.id for each in admitted}]
    assert len(admitted) == room or all(slots.stop(one) for one in left)
    for one in admitted:
        assert not [
            each for each in left if each.lane == one.lane and (each.priority, each.rank) < (one.priority, one.rank)
        ]
