"""What holds for the figures of any recording."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.running.facts import facts_of
from domain.running.figures import Facts
from domain.workout import Pause, Session, Workout
from tests.support.recordings import BEGAN, made, steady

# Those that tell a difference, which may go either way.
SIGNED = {"half_difference", "fade", "decoupling", "altitude_min", "altitude_max"}

speeds = st.lists(st.floats(0, 6.5), min_size=30, max_size=120)
maybe = st.one_of(st.just(math.nan), st.floats(-1_000, 10_000))


def value(facts: Facts, name: str) -> float:
    return facts.facts[name].value


@st.composite
def runs(draw: st.DrawFn) -> Workout:
    """Runs of changing speed and sampling, with heart rate and hills."""
    pace = draw(speeds)
    gaps = draw(st.lists(st.floats(1, 12), min_size=len(pace), max_size=len(pace)))
    seconds, metres = [0.0], [0.0]
    for speed, gap in zip(pace, gaps, strict=True):
        seconds.append(seconds[-1] + gap)
        metres.append(metres[-1] + speed * gap)
    steep, beat = draw(st.floats(-0.2, 0.2)), draw(st.floats(90, 180))
    return made(
        seconds,
        distance=metres,
        altitude=[500 + steep * way for way in metres],
        heart_rate=[beat + 10 * math.sin(now / 60) for now in seconds],
        cadence=[165.0] * len(seconds),
    )


@settings(max_examples=40, deadline=None)
@given(runs())
def test_nothing_is_negative_and_parts_stay_within_the_whole(workout: Workout) -> None:
    facts = facts_of(workout)
    for name, fact in facts.facts.items():
        assert math.isfinite(fact.value)
        assert fact.basis
        assert fact.value >= 0 or name in SIGNED, name
    assert value(facts, "moving_time") <= value(facts, "elapsed_time") + 0.1
    inside = sum(zone.seconds for zone in facts.zones.zones) if facts.zones else 0
    assert inside <= value(facts, "elapsed_time") + 0.5


@settings(max_examples=40, deadline=None)
@given(runs())
def test_splits_add_up_to_the_whole(workout: Workout) -> None:
    facts = facts_of(workout)
    for unit in ("km", "mi"):
        splits = [split for split in facts.splits if split.unit == unit]
        if not splits:
            continue
        assert sum(split.distance_meters for split in splits) == pytest.approx(value(facts, "distance"), abs=0.1)
        assert sum(split.moving_seconds for split in splits) == pytest.approx(value(facts, "moving_time"), abs=0.1)
        if "elevation_gain" in facts.facts:
            gain = sum(split.elevation_gain_meters or 0 for split in splits)
            assert gain == pytest.approx(value(facts, "elevation_gain"), abs=0.1)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 40), maybe, maybe, maybe, maybe, st.floats(-9_000, 9_000)), min_size=0, max_size=60)
)
def test_any_numbers_at_all_give_figures_or_none(rows: list[tuple[float, ...]]) -> None:
    clock: list[float] = []
    for row in rows:
        clock.append((clock[-1] if clock else 0.0) + row[0])
    steps, heights, hearts, cadences, north = ([row[i] for row in rows] for i in range(1, 6))
    for workout in (
        made(clock, distance=steps, altitude=heights, heart_rate=hearts, cadence=cadences),
        made(clock, northward=north, altitude=heights, heart_rate=hearts, cadence=cadences),
        made(clock, altitude=heights, heart_rate=hearts, cadence=cadences),
    ):
        facts = facts_of(workout)
        assert all(math.isfinite(fact.value) for fact in facts.facts.values())
        assert "distance" not in facts.facts or value(facts, "distance") >= 0


@pytest.mark.parametrize("every", [2, 5, 10])
def test_sampling_more_rarely_changes_little(every: int) -> None:
    def metres(now: float) -> float:
        return 3.2 * now + 60 * math.sin(now / 120)

    def sampled(gap: int) -> Facts:
        seconds = [float(now) for now in range(0, 3_001, gap)]
        return facts_of(
            made(
                seconds,
                distance=map(metres, seconds),
                altitude=[200 + 30 * math.sin(now / 300) for now in seconds],
                heart_rate=[150 + 10 * math.sin(now / 400) for now in seconds],
                cadence=[170.0] * len(seconds),
            )
        )

    fine, coarse = sampled(1), sampled(every)
    assert fine.facts.keys() == coarse.facts.keys()
    for name, fact in fine.facts.items():
        near = 3.0 if fact.unit == "s" else 0.0
        assert value(coarse, name) == pytest.approx(fact.value, rel=0.02, abs=near or 0.6), name


def test_a_stand_is_no_moving_time() -> None:
    # Five minutes of running, one of standing, five of running.
    seconds = [float(now) for now in range(661)]
    facts = facts_of(made(seconds, distance=[3 * min(now, 300) + 3 * max(0, now - 360) for now in seconds]))
    assert value(facts, "elapsed_time") == 660
    assert value(facts, "moving_time") == pytest.approx(600, abs=6)
    assert value(facts, "stopped_time") == pytest.approx(60, abs=6)
    assert value(facts, "pace") == pytest.approx(333.3, abs=4)
    assert value(facts, "elapsed_pace") == pytest.approx(366.7, abs=0.1)


def test_a_pause_of_the_timer_counts_for_nothing_but_elapsed_time() -> None:
    seconds = [*map(float, range(301)), *map(float, range(1_300, 1_601))]
    metres = [3.0 * min(now, 300) + 3.0 * max(0.0, now - 1_300) for now in seconds]
    hearts = [150.0 + now % 2 for now in seconds]
    pauses = [Pause(start_seconds=300, end_seconds=1_300)]
    facts = facts_of(made(seconds, distance=metres, heart_rate=hearts, pauses=pauses))
    assert value(facts, "elapsed_time") == 1_600
    assert value(facts, "moving_time") == 600
    assert value(facts, "average_heart_rate") == pytest.approx(150.5, abs=0.1)


def test_the_way_gone_while_the_timer_stood_is_not_run() -> None:
    seconds = [*map(float, range(101)), *map(float, range(400, 501))]
    # Half a kilometre away when it runs again.
    north = [3.0 * now if now <= 100 else 800 + 3.0 * (now - 400) for now in seconds]
    pauses = [Pause(start_seconds=100, end_seconds=400)]
    assert value(facts_of(made(seconds, northward=north, pauses=pauses)), "distance") == pytest.approx(600, abs=1)
    assert value(facts_of(made(seconds, northward=north)), "distance") == pytest.approx(1_100, abs=5)


def test_a_workout_without_samples_has_the_figures_of_its_summary_and_no_more() -> None:
    session = Session(distance_m=10_000, timer_seconds=3_000, elapsed_seconds=3_100, average_heart_rate_bpm=150)
    facts = facts_of(made([], session=session))
    assert {name: fact.value for name, fact in facts.facts.items()} == {
        "distance": 10_000,
        "moving_time": 3_000,
        "elapsed_time": 3_100,
        "pace": 300,
        "average_speed": 3.33,
        "average_heart_rate": 150,
    }
    assert all("summary" in fact.basis for fact in facts.facts.values())
    assert facts.splits == ()
    assert facts.zones is None


def test_a_run_that_is_faster_than_people_is_none() -> None:
    assert facts_of(steady(60, 5.5)).not_a_run is None
    assert "23.4 km/h" in (facts_of(steady(60, 6.5)).not_a_run or "")


def test_the_shape_on_the_wire_is_as_agreed() -> None:
    told = facts_of(steady(20, heart_rate=lambda now: 140 + now % 3)).model_dump(mode="json", by_alias=True)
    assert told["facts"]["distance"] == {
        "value": 3_600.0,
        "unit": "m",
        "basis": "counted by the device",
        "quality": "good",
    }
    assert told["splits"][0]["distanceMeters"] == 1_000
    assert told["notARun"] is None
    assert Facts.model_validate(told) == Facts.model_validate_json(Facts.model_validate(told).model_dump_json())


def test_the_same_recording_gives_the_same_facts() -> None:
    assert facts_of(steady(30)) == facts_of(steady(30))
    assert steady(1).started_at == BEGAN
