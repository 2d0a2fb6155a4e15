"""Every number, unit and name of a text is held against the figures: what is true stands, what is not is told."""

import pytest

from domain.running.figures import Fact, Unit
from domain.running.shown import shown
from domain.running.traced import Known, faults, without_heart

FIGURES: dict[str, tuple[float, Unit]] = {
    "distance": (10_024, "m"),
    "moving_time": (3_753, "s"),
    "stopped_time": (312, "s"),
    "pace": (374.4, "s/km"),
    "pace_difference_28d": (-8.4, "s/km"),
    "elevation_gain": (182.3, "m"),
    "average_heart_rate": (151.6, "bpm"),
    "max_heart_rate": (171, "bpm"),
    "average_cadence": (172.3, "spm"),
    "average_speed": (2.67, "m/s"),
    "fade": (4.46, "%"),
    "time_in_zone_2": (1_500, "s"),
    "vdot": (48.2, "ml/kg/min"),
    "trimp_banister": (85.3, "points"),
    "load_ratio": (1.12, ""),
    "runs_28d": (9, "count"),
    "window_28d": (28, "count"),
    "best_5km": (1_510, "s"),
    "length_5km": (5_000, "m"),
    "start_day": (14, ""),
    "start_month": (6, ""),
    "start_year": (2026, ""),
}
FACTS = {name: Fact(value=value, unit=unit, basis="a test", quality="good") for name, (value, unit) in FIGURES.items()}
NAMED = ("Morning run", "Sunday", "June")
FILL = " There is nothing else that needs to be said of it today."


def wrong(text: str, *, heart: bool = True, pacing: str | None = None) -> list[str]:
    facts = FACTS if heart else without_heart(FACTS)
    return faults(text + FILL, Known.of(facts, NAMED, pacing))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "text",
    [
        "You ran 10.02 km in 1:02:33, at 6:14/km.",
        "You ran 10 km in 1 hour 2 minutes and 33 seconds, 6:14 per kilometre.",
        "Your 10-km run took 1h03.",
        "It was 6.2 miles, at 10:03 a mile.",
        "It took 62.6 minutes, which is about an hour.",
        "After ten kilometres there was no more.",
        "Your heart beat 152 times a minute, at most 171 beats per minute.",
        "Between 152 and 171 bpm you were at home.",
        "Your cadence was 172 steps per minute.",
        "You moved at 9.6 km/h, or 2.7 m/s.",
        "You stood still for 5:12, about five minutes.",
        "The end was 4.5% slower, or 4 percent.",
        "It was 8 s/km faster than usual, 8 seconds per kilometre.",
        "You spent 25 minutes in zone 2.",
        "Your VO2max would be 48.2 ml/kg/min, and the load 85 points.",
        "The ratio is 1.12.",
        "It was one of nine runs of the last 28 days, or of the last four weeks.",
        "Your best 5 km took 25:10, your best 5K indeed.",
        "On Sunday, 14 June 2026, you went out. It was June 14th.",
        "On 2026-06-14 you went out.",
        "You climbed 182 m, or 598 feet.",
        "One step, then one more; one kilometre, the two halves, the second half, the final third, a half marathon.",
        "Well done, Morning run. Dear Runner, I mean it.",
    ],
)
def test_what_the_figures_say_stands(text: str) -> None:
    assert wrong(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("You ran 10.2 km.", "10.2 km"),
        ("You ran 10.02 miles.", "10.02 miles"),
        ("It took 1:02:35.", "1:02:35"),
        ("It went at 6:20/km.", "6:20/km"),
        ("It went at 6:14 per mile.", "6:14 per mile"),
        ("It took half an hour.", "half an hour"),
        ("It took twenty minutes.", "20 minutes"),
        ("Your heart rate was 160 bpm.", "160 bpm"),
        ("Your heart rate was 172 bpm.", "172 bpm"),
        ("Between 140 and 171 bpm.", "140"),
        ("You burnt 182 kcal.", "182 kcal"),
        ("It was 9 °C.", "9 °"),
        ("You set out at 6:14 am.", "6:14"),
        ("You did it for the eleventh time, the third this week.", "third"),
        ("Run 8 km tomorrow.", "8 km"),
        ("A thousand steps, two hundred breaths.", "200"),
        ("It was 4.5 km.", "4.5 km"),
        ("You spent it in zone 4.", "zone 4"),
        ("On 15 June you went out.", "15 june"),
        ("On 14 July you went out.", "14 july"),
        ("In 2025 you went out.", "2025"),
        ("Over the last 30 days.", "30 days"),
        ("Dozens of runs led here.", "dozens"),
        ("Two thirds of it were hard.", "2 thirds"),
        ("You ran 10.02 km at 374 m/km.", "374 m/km"),
    ],
)
def test_what_they_do_not_say_is_told(text: str, said: str) -> None:
    told = wrong(text)
    assert told, text
    assert any(said in one for one in told), told


@pytest.mark.parametrize(
    "text",
    [
        "Your heart was calm.",
        "A wholehearted run.",
        "No heart rate was recorded.",
        "Your pulse rose.",
        "HR was low.",
        "You stayed in zone 2.",
        "An aerobic effort.",
        "Cardiac drift was small.",
        "It was easy at 152 bpm.",
    ],
)
def test_nothing_is_said_of_a_heart_that_nobody_heard(text: str) -> None:
    assert wrong(text, heart=False)


def test_without_a_heart_the_rest_stands() -> None:
    assert wrong("You ran 10.02 km at 6:14/km.", heart=False) == []
    assert not any(fact.unit == "bpm" or "zone" in name for name, fact in without_heart(FACTS).items())


@pytest.mark.parametrize(
    "text",
    ["You ran through Central Park.", "Well run, Ann.", "It was a Monday.", "Monday it was.", "In May you went out."],
)
def test_nobody_and_nowhere_is_invented(text: str) -> None:
    assert wrong(text)


def test_a_negative_split_is_one() -> None:
    assert wrong("A negative split!", pacing="negative_split") == []
    assert wrong("A negative split!", pacing="positive_split")
    assert wrong("A negative split!")
    assert wrong("It was not a negative split.", pacing="even") == []


def test_a_text_is_neither_empty_nor_endless() -> None:
    assert faults("Fine.", Known.of(FACTS))
    assert faults("Fine. " * 2_000, Known.of(FACTS))


@pytest.mark.parametrize(
    "name", [name for name in FIGURES if not name.startswith(("start", "length", "window", "time_in"))]
)
def test_a_figure_as_it_is_printed_is_that_figure(name: str) -> None:
    """What the writer is shown may be copied."""
    assert wrong(f"The figure is {shown(name, FACTS[name])}.") == []
