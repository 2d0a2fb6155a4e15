"""Zones, load and drift, by hand."""

import math
from datetime import date

import pytest

from domain.running.facts import facts_of
from domain.running.figures import Facts, Runner
from domain.workout import Session, Workout
from tests.support.recordings import made, steady

KNOWN = Runner(resting_bpm=50, max_bpm=190, sex="male")


def hour(bpm: float = 150, *, minutes: float = 60) -> Workout:
    """A heart that beats at one rate and half a beat about it."""
    return steady(minutes, 3.0, heart_rate=lambda now: bpm + 0.5 * (-1) ** int(now))


def value(facts: Facts, name: str) -> float:
    return facts.facts[name].value


def test_zones_of_a_known_runner_are_parts_of_the_reserve() -> None:
    zones = facts_of(hour(), KNOWN).zones
    assert zones is not None
    assert not zones.estimated
    assert "as the runner gave it" in zones.basis
    assert [zone.from_bpm for zone in zones.zones] == [120, 134, 148, 162, 176]
    assert zones.zones[-1].to_bpm is None
    # 150 is in the third.
    assert [round(zone.seconds) for zone in zones.zones] == [0, 0, 3_600, 0, 0]


@pytest.mark.parametrize(
    ("runner", "session", "words", "third_from"),
    [
        (Runner(max_bpm=200), Session(profile_max_heart_rate_bpm=180), "as the runner gave it", 140),
        (Runner(born=date(1985, 5, 4)), Session(profile_max_heart_rate_bpm=180), "set in the watch", 126),
        (Runner(born=date(1985, 5, 4), highest_seen_bpm=200), Session(), "estimated from age", 126),
        (Runner(highest_seen_bpm=200), Session(), "highest seen", 140),
        (Runner(), Session(), "185 bpm assumed", 129.5),
    ],
)
def test_what_was_said_goes_before_what_is_guessed(
    runner: Runner, session: Session, words: str, third_from: float
) -> None:
    seconds = [float(now) for now in range(600)]
    hearts = [140.0 + now % 2 for now in range(600)]
    zones = facts_of(made(seconds, distance=seconds, heart_rate=hearts, session=session), runner).zones
    assert zones is not None
    assert words in zones.basis
    assert zones.zones[2].from_bpm == pytest.approx(third_from, abs=0.1)
    assert zones.estimated == (runner.max_bpm is None and session.profile_max_heart_rate_bpm is None)


def test_a_guess_is_never_below_what_the_run_shows() -> None:
    zones = facts_of(hour(196), Runner(born=date(1955, 1, 1))).zones
    assert zones is not None
    assert zones.zones[4].from_bpm == pytest.approx(0.9 * 196.5, abs=0.1)


def test_the_highest_seen_says_of_which_workouts_it_is() -> None:
    """One whose heart rate is known for a smaller part is poor, and its figures are set beside no other's."""
    facts = facts_of(hour(), Runner(highest_seen_bpm=200))
    assert facts.zones is not None
    for basis in (facts.zones.basis, facts.facts["trimp_edwards"].basis):
        assert "workouts that know the heart rate for 50% of their time and more" in basis
    strap_lost = facts_of(steady(60, 3.0, heart_rate=lambda now: 140 + now % 2 if now < 1_700 else math.nan))
    assert strap_lost.facts["max_heart_rate"].quality == "poor"


def test_training_load_is_that_of_the_formulas() -> None:
    facts = facts_of(hour(), KNOWN)
    reserve = (150 - 50) / (190 - 50)
    assert value(facts, "trimp_banister") == pytest.approx(60 * reserve * 0.64 * math.exp(1.92 * reserve), abs=0.2)
    # 150 is 79 % of 190: the third of Edwards' zones.
    assert value(facts, "trimp_edwards") == pytest.approx(180, abs=0.2)
    women = facts_of(hour(), Runner(resting_bpm=50, max_bpm=190, sex="female"))
    assert value(women, "trimp_banister") == pytest.approx(60 * reserve * 0.86 * math.exp(1.67 * reserve), abs=0.2)


def test_load_on_assumptions_is_called_poor() -> None:
    facts = facts_of(hour()).facts
    assert facts["trimp_banister"].quality == "poor"
    assert "assumed" in facts["trimp_banister"].basis
    assert "sex being unknown" in facts["trimp_banister"].basis
    assert facts_of(hour(), KNOWN).facts["trimp_banister"].quality == "good"


def test_drift_of_a_steady_run_is_that_of_its_halves() -> None:
    # After ten minutes of warm-up 150 for 25 minutes, then 156 for 25.
    drifting = facts_of(steady(60, 3.0, heart_rate=lambda now: 150 + 0.1 * (int(now) % 2) + 6 * (now >= 2_100)))
    assert value(drifting, "decoupling") == pytest.approx((1 - 150 / 156) * 100, abs=0.1)


def test_drift_is_not_told_of_what_is_no_steady_run() -> None:
    def hearts(now: float) -> float:
        return 150 + now / 600 + 0.5 * (int(now) % 2)

    seconds = [float(now) for now in range(3_601)]
    intervals = [3.0 * now + 150 * math.sin(now / 60) for now in seconds]
    stand = [3.0 * min(now, 1_800) + 3.0 * max(0, now - 2_000) for now in seconds]
    assert "decoupling" in facts_of(steady(60, 3.0, heart_rate=hearts)).facts
    assert "decoupling" not in facts_of(steady(39, 3.0, heart_rate=hearts)).facts
    assert "decoupling" not in facts_of(steady(60, 3.0)).facts
    for metres in (intervals, stand):
        assert "decoupling" not in facts_of(made(seconds, distance=metres, heart_rate=map(hearts, seconds))).facts


def test_efficiency_is_metres_a_heartbeat() -> None:
    assert value(facts_of(hour(150)), "efficiency") == pytest.approx(3.0 * 60 / 150, abs=0.001)
