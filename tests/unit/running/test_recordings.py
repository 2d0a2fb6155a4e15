"""The figures of real recordings, beside what the device that made them says."""

import math

import pytest

from domain.running.facts import facts_of
from domain.running.figures import Facts
from tests.support.recordings import recorded

WITH_A_SESSION = [
    "activity-small",
    "garmin-fenix-5",
    "runpandas-run",
    "sweatpy-4801048867",
    "sample-activity-indoor",
]


def value(facts: Facts, name: str) -> float:
    return facts.facts[name].value


@pytest.mark.parametrize("start", WITH_A_SESSION)
def test_distance_and_heart_rate_are_those_of_the_device(start: str) -> None:
    workout = recorded(start)
    facts, session = facts_of(workout), workout.session
    if session.distance_m:
        assert value(facts, "distance") == pytest.approx(session.distance_m, rel=0.001)
    if session.average_heart_rate_bpm:
        # Over the time that the timer ran, as the device counts it.
        assert value(facts, "average_heart_rate") == pytest.approx(session.average_heart_rate_bpm, abs=1)
    assert session.distance_m or session.average_heart_rate_bpm
    if session.max_heart_rate_bpm:
        assert value(facts, "max_heart_rate") == pytest.approx(session.max_heart_rate_bpm, abs=1)
    if session.elapsed_seconds:
        assert value(facts, "elapsed_time") == pytest.approx(session.elapsed_seconds, abs=3)


@pytest.mark.parametrize("start", ["activity-small", "runpandas-run", "sweatpy-4801048867"])
def test_climbs_are_near_those_of_the_barometer(start: str) -> None:
    workout = recorded(start)
    facts = facts_of(workout)
    assert workout.session.ascent_m
    assert value(facts, "elevation_gain") == pytest.approx(workout.session.ascent_m, rel=0.15)


@pytest.mark.parametrize(
    "start", ["activity-small", "runpandas-run", "runpandas-11km", "68d141b2", "c74b49c3", "be72d594", "3472f2dc"]
)
def test_splits_of_real_runs_add_up(start: str) -> None:
    facts = facts_of(recorded(start))
    for unit in ("km", "mi"):
        splits = [split for split in facts.splits if split.unit == unit]
        assert sum(split.distance_meters for split in splits) == pytest.approx(value(facts, "distance"), abs=0.2)
        assert sum(split.moving_seconds for split in splits) == pytest.approx(value(facts, "moving_time"), abs=0.2)
        assert [split.partial for split in splits[:-1]] == [False] * (len(splits) - 1)


def test_laps_of_the_device_agree_with_the_splits() -> None:
    # Its laps are kilometres: each within two per cent of the split, which leaves out the stands.
    workout = recorded("runpandas-run")
    splits = [split for split in facts_of(workout).splits if split.unit == "km" and not split.partial]
    for lap, split in zip(workout.laps, splits, strict=False):
        assert lap.timer_seconds is not None
        assert split.moving_seconds == pytest.approx(lap.timer_seconds, rel=0.02)


def test_without_a_heart_rate_there_is_no_word_of_one() -> None:
    facts = facts_of(recorded("3472f2dc"))
    assert facts.not_a_run is None
    assert facts.zones is None
    assert not [name for name in facts.facts if "heart" in name or "zone" in name or "trimp" in name]
    assert not {"efficiency", "decoupling", "average_cadence"} & facts.facts.keys()
    assert all(split.average_heart_rate is None for split in facts.splits)


def test_a_heart_rate_known_for_a_part_says_so() -> None:
    fact = facts_of(recorded("be72d594")).facts["average_heart_rate"]
    assert fact.quality == "fair"
    assert "known for 74%" in fact.basis


@pytest.mark.parametrize(("start", "average"), [("68d141b2", 176), ("c74b49c3", 168)])
def test_a_heart_rate_told_every_few_seconds_is_known_in_between(start: str, average: float) -> None:
    """A watch that measures the heart beside the way writes it on every second or fourth of its points."""
    workout = recorded(start)
    assert any(map(math.isnan, workout.streams.heart_rate_bpm))
    facts = facts_of(workout)
    assert facts.facts["average_heart_rate"].quality == "good"
    assert value(facts, "average_heart_rate") == pytest.approx(average, abs=2)
    assert {"efficiency", "trimp_banister"} <= facts.facts.keys()
    assert sum(zone.seconds for zone in facts.zones.zones) > 0.9 * value(facts, "moving_time")  # pyright: ignore[reportOptionalMemberAccess]


def test_altitudes_that_nothing_measured_give_no_climb() -> None:
    facts = facts_of(recorded("c74b49c3"))
    assert not {"elevation_gain", "grade_adjusted_pace"} & facts.facts.keys()
    assert any("altitude" in note for note in facts.cleaned)


def test_twenty_two_kilometres_in_three_quarters_of_an_hour_are_no_run() -> None:
    facts = facts_of(recorded("556160e9"))
    assert facts.not_a_run
    assert "faster than people run" in facts.not_a_run
    assert facts.facts["distance"].quality == "poor"
    assert facts.splits == ()
    assert not [name for name in facts.facts if name.startswith("best_")]


@pytest.mark.parametrize("start", ["sweatpy-4801048867", "sweatpy-5039744860.tcx", "sample-activity-indoor"])
def test_rides_are_kept_and_labelled(start: str) -> None:
    facts = facts_of(recorded(start))
    assert facts.not_a_run == "recorded as another sport: ride"
    assert "average_heart_rate" in facts.facts
    assert not {"trimp_banister", "average_cadence", "best_1km"} & facts.facts.keys()


def test_zones_come_from_the_watch_where_it_knows_its_runner() -> None:
    zones = facts_of(recorded("garmin-fenix-5")).zones
    assert zones is not None
    assert not zones.estimated
    assert "set in the watch" in zones.basis
    assert "Karvonen" in zones.basis
    # 47 at rest, 183 at most: zone 1 begins in their middle.
    assert zones.zones[0].from_bpm == 115
