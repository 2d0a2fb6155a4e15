"""Splits, fastest stretches and the shape of the pace."""

import math
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.running.facts import facts_of
from domain.running.figures import Facts
from domain.running.pacing import EFFORTS, best_efforts
from domain.running.prediction import predictions
from domain.running.runs import RunSummary
from domain.running.track import track_of
from tests.support.recordings import BEGAN, made, steady


def value(facts: Facts, name: str) -> float:
    return facts.facts[name].value


def halves(first_mps: float, second_mps: float, seconds_each: int = 1_200) -> Facts:
    seconds = [float(now) for now in range(2 * seconds_each + 1)]
    metres = [first_mps * min(now, seconds_each) + second_mps * max(0.0, now - seconds_each) for now in seconds]
    return facts_of(made(seconds, distance=metres))


def test_an_even_run_has_even_splits() -> None:
    facts = facts_of(steady(50, 10 / 3))
    splits = [split for split in facts.splits if split.unit == "km"]
    assert [split.number for split in splits] == list(range(1, 11))
    assert {split.pace_seconds_per_km for split in splits} == {300.0}
    assert not any(split.partial for split in splits)
    assert facts.pacing == "even"
    assert value(facts, "pace_variation") == 0
    assert value(facts, "best_5km") == 1_500
    assert value(facts, "best_10km") == 3_000


def test_what_is_left_over_is_a_partial_split() -> None:
    facts = facts_of(steady(40, 3.0))
    kilometres, miles = ([split for split in facts.splits if split.unit == unit] for unit in ("km", "mi"))
    assert [split.distance_meters for split in kilometres] == [1_000] * 7 + [200]
    assert [split.partial for split in kilometres] == [False] * 7 + [True]
    assert miles[-1].distance_meters == pytest.approx(7_200 - 4 * 1_609.344, abs=0.01)


@pytest.mark.parametrize(
    ("first", "second", "pattern"), [(3.0, 3.3, "negative_split"), (3.3, 3.0, "positive_split"), (3.0, 3.03, "even")]
)
def test_the_second_half_makes_the_pattern(first: float, second: float, pattern: str) -> None:
    facts = halves(first, second)
    assert facts.pacing == pattern
    assert math.copysign(1, value(facts, "half_difference")) == (1 if second < first else -1)
    assert value(facts, "half_difference") == pytest.approx(
        value(facts, "second_half_pace") - value(facts, "first_half_pace"), abs=0.11
    )


def test_fading_in_the_last_quarter_is_measured_against_the_rest() -> None:
    seconds = [float(now) for now in range(3_001)]
    # 9 km in 3,000 s: the first three quarters at 3.2 m/s, the rest slower by a quarter of the time.
    facts = facts_of(made(seconds, distance=[3.2 * min(now, 2_109) + 2.56 * max(0.0, now - 2_109) for now in seconds]))
    assert value(facts, "fade") == pytest.approx(25, abs=0.5)


def test_short_runs_have_no_shape() -> None:
    facts = facts_of(steady(8, 3.0))
    assert facts.pacing is None
    assert not {"half_difference", "fade", "pace_variation", "best_5km"} & facts.facts.keys()
    assert "best_1km" in facts.facts


def brute_force(seconds: list[float], metres: list[float], length: float) -> float:
    """Over every stretch that ends at a sample, its start found by going back sample by sample."""
    best = math.inf
    for end in range(len(seconds)):
        needed = metres[end] - length
        if needed < 0:
            continue
        start = max(i for i in range(end) if metres[i] <= needed)
        part = (needed - metres[start]) / (metres[start + 1] - metres[start])
        best = min(best, seconds[end] - seconds[start] - part * (seconds[start + 1] - seconds[start]))
    return best


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 5.5), min_size=100, max_size=250))
def test_best_efforts_are_those_of_brute_force(speeds: list[float]) -> None:
    seconds, metres = [0.0], [0.0]
    for speed in speeds:
        seconds.append(seconds[-1] + 6)
        metres.append(metres[-1] + 6 * speed)
    found = best_efforts(track_of(made(seconds, distance=metres)))
    for name in ("400m", "1km"):
        if metres[-1] >= EFFORTS[name][0]:
            assert found[name] == pytest.approx(brute_force(seconds, metres, EFFORTS[name][0]), abs=0.01)


def test_a_stretch_faster_than_people_is_a_fault_of_the_recording() -> None:
    seconds = [float(now) for now in range(1_201)]
    # The count of a foot pod leaps by 300 metres once.
    facts = facts_of(made(seconds, distance=[3.0 * now + 300 * (now >= 600) for now in seconds]))
    assert value(facts, "best_400m") == pytest.approx(133.3, abs=0.1)


def whole(metres: float, seconds: int = 1_500, *, stood: int = 0) -> Facts:
    """An even run of so many metres, after which its runner stands before they stop the watch."""
    clock = [float(now) for now in range(seconds + stood + 1)]
    return facts_of(made(clock, distance=[metres * min(now, seconds) / seconds for now in clock]))


def test_a_race_that_the_watch_saw_a_little_short_is_the_distance() -> None:
    facts = whole(4_990)
    best = facts.facts["best_5km"]
    assert best.value == pytest.approx(1_500 * 5_000 / 4_990, abs=0.05)
    assert best.quality == "fair"
    assert "10.0 m short" in best.basis
    assert "scaled" in best.basis
    # What was run in full is as it was.
    assert facts.facts["best_1mi"].quality == "good"
    assert "short" not in whole(5_001).facts["best_5km"].basis
    told = predictions([RunSummary.of("race", "Race", BEGAN, facts)], BEGAN + timedelta(days=1))
    assert {one.from_effort for one in told if one.distance == "5km"} == {"5km"}


def test_the_time_of_a_short_race_is_that_from_the_first_step_to_the_last() -> None:
    assert value(whole(4_990, stood=300), "best_5km") == value(whole(4_990), "best_5km")


def test_what_a_watch_does_not_err_by_is_a_shorter_run() -> None:
    assert "best_5km" in whole(4_975.1).facts
    assert "best_5km" not in whole(4_974.9).facts
    assert "best_half_marathon" in whole(21_090, 6_000).facts
    # faster than anybody
    assert "best_1km" not in whole(998, 140).facts


def test_a_run_whose_count_leapt_is_not_filled_up() -> None:
    seconds = [float(now) for now in range(1_501)]
    facts = facts_of(made(seconds, distance=[3.0 * now + 490 * (now >= 700) for now in seconds]))
    assert value(facts, "distance") == 4_990
    assert "best_5km" not in facts.facts


def test_cadence_is_that_of_moving_and_gives_the_length_of_a_step() -> None:
    seconds = [float(now) for now in range(1_201)]
    steps = [170.0 if 300 < now < 1_000 else 0.0 for now in range(1_201)]
    facts = facts_of(made(seconds, distance=[3.0 * now for now in seconds], cadence=steps))
    assert value(facts, "average_cadence") == 170
    assert value(facts, "step_length") == pytest.approx(3.0 * 60 / 170, abs=0.05)
    assert "strides doubled" in facts.facts["average_cadence"].basis
    assert "average_cadence" not in facts_of(made(seconds, distance=seconds, cadence=[0.0] * 1_201)).facts
