"""Workouts as bytes, and workouts that come as JSON."""

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.running.facts import facts_of
from domain.running.given import GivenWorkout, workout_given
from domain.running.packed import packed, unpacked
from domain.workout import CHANNELS, Workout, WorkoutRefused
from tests.support.recordings import made, recorded

STARTS = ["activity-small", "runpandas-11km", "68d141b2", "sample-activity-indoor", "3472f2dc"]


@pytest.mark.parametrize("start", STARTS)
def test_a_workout_comes_back_as_it_was(start: str) -> None:
    workout = recorded(start)
    back = unpacked(packed(workout))
    assert replace(back, streams=workout.streams) == workout
    assert len(back.streams) == len(workout.streams)
    for name in CHANNELS:
        assert list(back.streams.channel(name)) == pytest.approx(
            list(workout.streams.channel(name)), abs=0.0051, nan_ok=True
        )
    first, again = facts_of(workout).facts, facts_of(back).facts
    assert first.keys() == again.keys()
    for name, fact in first.items():
        assert again[name].value == pytest.approx(fact.value, rel=0.002, abs=0.11), name


@pytest.mark.parametrize("start", STARTS)
def test_it_is_kept_in_a_few_bytes_a_sample_and_always_in_the_same_ones(start: str) -> None:
    stored = packed(recorded(start))
    assert len(stored) < 8 * len(recorded(start).streams)
    assert packed(recorded(start)) == stored == packed(unpacked(stored))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 3_600), st.one_of(st.just(math.nan), st.floats(-1e9, 1e9)), st.floats(-89, 89)),
        max_size=50,
    )
)
def test_any_numbers_are_kept_to_their_resolution(rows: list[tuple[float, float, float]]) -> None:
    seconds: list[float] = []
    for gap, _, _ in rows:
        seconds.append((seconds[-1] if seconds else 0.0) + gap)
    workout = made(seconds, altitude=[row[1] for row in rows], northward=[row[2] for row in rows])
    back = unpacked(packed(workout)).streams
    assert list(back.seconds) == pytest.approx(seconds, abs=0.00051)
    assert list(back.altitude_m) == pytest.approx([row[1] for row in rows], abs=0.0051, nan_ok=True)


@pytest.mark.parametrize("stored", [b"", b"other bytes", packed(made([0, 1]))[:-3], b"LRW1" + b"x" * 40])
def test_other_bytes_are_not_unpacked(stored: bytes) -> None:
    with pytest.raises(ValueError, match="packed workout"):
        unpacked(stored)


def told(**more: Any) -> GivenWorkout:
    return GivenWorkout.model_validate({"startedAt": "2024-05-05T06:00:00Z", **more})


def test_streams_laps_and_summary_of_json_become_a_workout() -> None:
    workout = workout_given(
        told(
            name="Lunch",
            summary={"distanceMeters": 1_000, "movingSeconds": 300, "avgCadence": 170},
            laps=[{"startSeconds": 0, "distanceMeters": 1_000, "avgHeartRate": 140}],
            streams={"time": [0, 100, 200, 300], "distance": [0, 333, None, 1_000], "heartRate": [130, 140, 150, 160]},
        )
    )
    assert (workout.source, workout.sport, workout.name) == ("json", "run", "Lunch")
    assert workout.started_at == datetime(2024, 5, 5, 6, tzinfo=UTC)
    assert workout.session.timer_seconds == 300
    assert workout.laps[0].average_heart_rate_bpm == 140
    facts = facts_of(workout).facts
    assert facts["distance"].value == 1_000
    assert "average_heart_rate" not in facts  # its samples are too far apart to know the time between them


def test_the_same_json_is_the_same_workout_whatever_its_name() -> None:
    one = workout_given(told(name="a", summary={"distanceMeters": 5}))
    assert one.content_hash == workout_given(told(name="b", summary={"distanceMeters": 5})).content_hash
    assert one.content_hash != workout_given(told(name="a", summary={"distanceMeters": 6})).content_hash


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"streams": {"time": [0, 1], "altitude": [1]}}, "invalid_streams"),
        ({"streams": {"altitude": [1]}}, "invalid_streams"),
        ({"streams": {"time": [1, 0]}}, "invalid_streams"),
        ({"streams": {"time": [-1, 0]}}, "invalid_streams"),
        ({"streams": {"time": [0, 1e12]}}, "bad_clock"),
        ({"startedAt": "1970-01-01T00:00:00Z"}, "bad_clock"),
    ],
)
def test_streams_that_cannot_be_are_refused(more: dict[str, Any], code: str) -> None:
    with pytest.raises(WorkoutRefused) as caught:
        workout_given(told(**more))
    assert caught.value.code == code


def test_two_recordings_of_a_workout_share_their_start_to_the_second() -> None:
    one: Workout = made([0, 1])
    assert replace(one, started_at=one.started_at.replace(microsecond=900_000)).start_key == one.start_key
