"""What is taken out of the streams before anything is counted, and what is left alone."""

import math

import pytest

from domain.running.climb import climbed, cost, level_distance
from domain.running.course import device_distance, gps_distance
from domain.running.facts import facts_of
from domain.running.heart import clean_heart_rate
from domain.running.track import track_of
from tests.support.recordings import METRES_A_DEGREE, made, recorded

NONE = math.nan


def absent(values: list[float]) -> list[int]:
    return [i for i, value in enumerate(values) if math.isnan(value)]


def clock(length: int) -> list[float]:
    return [float(now) for now in range(length)]


def test_dropouts_and_what_no_heart_does_are_absent() -> None:
    told, _ = clean_heart_rate(clock(6), [0, 140, 141, 255, 12, 142], [])
    assert absent(told) == [0, 3, 4]


def test_a_spike_is_left_out_and_what_follows_it_kept() -> None:
    told, notes = clean_heart_rate(clock(9), [140, 141, 215, 216, 142, 142, 143, 143, 144], [])
    assert absent(told) == [2, 3]
    assert notes == ["heart rate: samples of spikes left out: 2"]


def test_a_rise_that_stays_is_no_spike() -> None:
    rising = [100.0] * 20 + [135.0] * 40
    told, notes = clean_heart_rate(clock(60), rising, [])
    assert told == rising
    assert notes == []


def test_a_sensor_that_repeats_itself_for_minutes_is_not_believed() -> None:
    told, _ = clean_heart_rate(clock(500), [120.0 + now % 2 for now in range(100)] + [133.0] * 400, [])
    assert absent(told) == list(range(100, 500))


def test_a_heart_rate_that_leaps_on_to_the_cadence_is_the_cadence() -> None:
    hearts = [130.0 + now % 2 for now in range(300)] + [172.0 + now % 3 for now in range(120)]
    told, notes = clean_heart_rate(clock(420), hearts, [172.0] * 420)
    assert absent(told) == list(range(300, 420))
    assert "cadence" in notes[0]


def test_a_heart_rate_that_climbs_to_the_cadence_is_one() -> None:
    hearts = [130 + min(42, now / 15) + 0.5 * (now % 2) for now in range(1_500)]
    told, _ = clean_heart_rate(clock(1_500), hearts, [172.0] * 1_500)
    assert absent(told) == []
    # A real run of somebody whose heart beats as fast as they step, for most of it.
    assert not [note for note in facts_of(recorded("activity-small")).cleaned if "heart" in note]


@pytest.mark.parametrize(("hole", "known"), [(1, 400), (29, 400), (30, 369)])
def test_a_heart_is_known_between_moments_as_near_as_samples_may_be(hole: int, known: int) -> None:
    """Whether the samples in between say nothing of it or are not there at all."""
    silent = range(100, 100 + hole)
    hearts = [NONE if now in silent else 140 + now / 100 for now in range(401)]
    told = track_of(made(clock(401), distance=[3.0 * now for now in range(401)], heart_rate=hearts))
    left = [float(now) for now in range(401) if now not in silent]
    heard = [140 + now / 100 for now in left]
    rarely = track_of(made(left, distance=[3 * now for now in left], heart_rate=heard))
    for track in (told, rarely):
        assert track.heard is not None
        assert sum(track.heard.by_bpm.values()) == track.heard.seconds[-1] == known
        assert track.heard.beats[-1] == pytest.approx(142 * known / 60, rel=0.002)


def test_the_devices_count_is_carried_on_where_it_begins_anew() -> None:
    assert device_distance(clock(7), [0, 50, 100, 0, 40, NONE, 60]) == [0, 50, 100, 100, 140, 150, 160]
    assert device_distance(clock(4), [0, 50, 49, 60]) == [0, 50, 50, 60]
    assert device_distance(clock(3), [NONE, NONE, NONE]) is None
    assert device_distance(clock(3), [0, 0, 0]) is None


def test_a_jump_of_the_receiver_counts_as_the_pace_around_it() -> None:
    metres = [3.0 * now for now in range(100)]
    metres[50] += 80
    latitude = [48 + way / METRES_A_DEGREE for way in metres]
    found = gps_distance(clock(100), latitude, [11.0] * 100, [False] * 100, 7.0)
    assert found is not None
    cumulative, hops, jumps = found
    assert (hops, jumps) == (99, 2)
    assert cumulative[-1] == pytest.approx(297, abs=0.5)


def test_a_hop_over_the_date_line_is_a_short_one() -> None:
    found = gps_distance([0, 10], [0.0, 0.0], [179.9999, -179.9999], [False, False], 7.0)
    assert found is not None
    assert found[0][-1] == pytest.approx(22.24, abs=0.01)


def test_a_receiver_that_lies_still_runs_nothing() -> None:
    seconds = clock(600)
    # Half a metre there and back every ten seconds.
    wandering = [0.5 * (now // 10 % 2) for now in range(600)]
    facts = facts_of(made(seconds, northward=wandering)).facts
    assert facts["distance"].value < 10
    assert "pace" not in facts


def test_altitude_is_smoothed_and_climbs_counted_between_turning_points() -> None:
    seconds = clock(1_201)
    # Up forty metres and down again, the barometer trembling by half a metre.
    heights = [100 + 40 * (1 - abs(now - 600) / 600) + 0.5 * (now % 2) for now in range(1_201)]
    facts = facts_of(made(seconds, distance=[3.0 * now for now in seconds], altitude=heights)).facts
    assert facts["elevation_gain"].value == pytest.approx(40, abs=1.5)
    assert facts["elevation_loss"].value == pytest.approx(40, abs=1.5)


def test_what_trembles_climbs_nothing() -> None:
    steps = climbed([100 + 0.4 * (i % 2) for i in range(500)])
    assert sum(steps.gains) == sum(steps.losses) == 0


def test_gain_less_loss_is_the_height_won() -> None:
    heights = [100 + 30 * math.sin(i / 20) + i / 10 for i in range(700)]
    steps = climbed(heights)
    # To the last turning point, which is less than a metre off.
    assert sum(steps.gains) - sum(steps.losses) == pytest.approx(heights[-1] - heights[0], abs=1)


@pytest.mark.parametrize(
    ("slope", "by_level"),
    [(0.0, 1.0), (0.1, 5.97 / 3.6), (0.2, 9.007 / 3.6), (-0.1, 0.88), (-0.2, 0.88), (0.9, cost(0.45))],
)
def test_slopes_cost_what_minetti_measured_and_give_little_back(slope: float, by_level: float) -> None:
    assert cost(slope) == pytest.approx(by_level, rel=0.01)


def test_a_flat_run_is_its_own_level_and_a_hill_costs_more() -> None:
    seconds = clock(1_000)
    metres = [3.0 * now for now in seconds]
    flat = track_of(made(seconds, distance=metres, altitude=[80 + now // 500 for now in seconds]))
    assert level_distance(flat) == pytest.approx(2_997, rel=0.005)
    hill = track_of(made(seconds, distance=metres, altitude=[80 + 0.05 * way for way in metres]))
    assert level_distance(hill) == pytest.approx(2_997 * cost(0.05), rel=0.005)
    facts = facts_of(made(seconds, distance=metres, altitude=[80 + 0.05 * way for way in metres])).facts
    assert facts["grade_adjusted_pace"].value < facts["pace"].value
