"""What writers are told: a run as it stood on its day, more than one as asked, and nothing that nobody knows."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from domain.running.brief import brief, heading
from domain.running.contents import About, ReviewSheet
from domain.running.figures import Fact, Facts, fact
from domain.running.reviewed import review
from domain.running.reviews import comparison_sheet, suggestion_sheet, trends_sheet, week_sheet
from domain.running.runs import RunSummary
from domain.running.sheet import offered, run_sheet
from domain.running.traced import Known, faults, has_heart
from domain.workout import Sport
from tests.support.run_oracle import HEART, marks, untraced

# a Sunday
NOON = datetime(2026, 6, 14, 12, tzinfo=UTC)


def facts(kilometres: float = 10, *, pace: float = 360, heart: float | None = None, sport: Sport = "run") -> Facts:
    found = {
        "distance": fact(1000 * kilometres, "m", "GPS"),
        "moving_time": fact(kilometres * pace, "s", "GPS"),
        "pace": fact(pace, "s/km", "GPS"),
        "best_5km": fact(5 * pace - 20, "s", "GPS"),
    }
    if heart is not None:
        found |= {"average_heart_rate": fact(heart, "bpm", "measured"), "trimp_banister": fact(80, "points", "x")}
    return Facts(sport=sport, facts=found, not_a_run=None if sport == "run" else "another sport")


def run(days: float, of: Facts, name: str = "Morning run") -> RunSummary:
    """That many days before NOON."""
    return RunSummary.of(str(uuid4()), name, NOON - timedelta(days=days), of)


def history(count: int = 40, *, heart: float | None = 150) -> list[RunSummary]:
    """One every other day, the newer ones faster and longer."""
    return [run(2 * n, facts(12 - n / 8, pace=340 + 2 * n, heart=heart)) for n in range(count)]


def test_a_run_is_set_beside_those_before_it() -> None:
    today, before = run(0, facts(heart=150)), history()[1:]
    sheet = run_sheet("ann", today, facts(heart=150), recent=before, near=before)
    for name in ("pace_difference_28d", "runs_28d", "load_ratio", "next_long_distance", "similar_run_pace_difference"):
        assert name in sheet.facts, name
    assert sheet.facts["window_28d"].value == 28
    assert sheet.facts["length_5km"].value == 5000


def test_without_a_heart_on_the_day_the_others_hearts_are_not_spoken_of() -> None:
    today, before = run(0, facts()), history()[1:]
    sheet = run_sheet("ann", today, facts(), recent=before, near=before)
    assert not has_heart(sheet.facts)
    assert not [name for name in sheet.facts if HEART.search(name.replace("_", " "))]
    assert not HEART.search(brief(heading(sheet), sheet.facts))


@pytest.mark.parametrize(("timezone", "weekday", "day"), [(None, "Sunday", 14), ("Pacific/Auckland", "Monday", 15)])
def test_a_day_is_that_of_where_the_runner_lives(timezone: str | None, weekday: str, day: int) -> None:
    sheet = run_sheet("ann", run(0, facts()), facts(), timezone=timezone)
    assert sheet.facts["start_day"].value == day
    assert f"When: {weekday} {day} June 2026" in heading(sheet)


def test_a_name_with_digits_is_not_told_for_they_are_no_figures() -> None:
    assert run_sheet("ann", run(0, facts(), "Intervals 6x800"), facts()).title == ""
    assert run_sheet("ann", run(0, facts(), "Evening run"), facts()).title == "Evening run"


def test_what_is_no_run_is_set_beside_none() -> None:
    ride = facts(sport="ride")
    sheet = run_sheet("ann", run(0, ride), ride, recent=history(), near=history())
    assert not [name for name in sheet.facts if "28d" in name or name.startswith("next")]
    assert heading(sheet).startswith("Ride")


def test_a_letter_is_told_less_than_an_insight() -> None:
    sheet = run_sheet("ann", run(0, facts(heart=150)), facts(heart=150), recent=history()[1:], near=())
    letter, insight = offered(sheet, "letter"), offered(sheet, "insight")
    assert letter.keys() < insight.keys()
    assert len(brief(heading(sheet), letter)) < len(brief(heading(sheet), insight)) / 2


def sheet_of(about: About, runs: list[RunSummary]) -> ReviewSheet:
    monday = date(2026, 6, 8)
    if about == "week":
        return week_sheet("ann", runs, monday, "Europe/Berlin")
    if about == "comparison":
        a, b = facts(10, heart=150), facts(12, pace=350, heart=144)
        return comparison_sheet("ann", (run(9, a), a), (run(1, b), b), None)
    make = trends_sheet if about == "trends" else suggestion_sheet
    return make("ann", runs, NOON, "Europe/Berlin")


ABOUT: tuple[About, ...] = ("week", "comparison", "trends", "suggestion")


@pytest.mark.parametrize("about", ABOUT)
@pytest.mark.parametrize("count", [0, 1, 5, 100])
@pytest.mark.parametrize("heart", [None, 150.0])
def test_reviews_say_what_their_figures_say(about: About, count: int, heart: float | None) -> None:
    sheet = sheet_of(about, history(count, heart=heart))
    text = review(sheet)
    assert marks(text) == []
    assert untraced(text, sheet.facts) == []
    assert faults(text, Known.of(sheet.facts, sheet.named)) == []
    if not has_heart(sheet.facts):
        assert not HEART.search(text)


def test_a_week_is_told_with_what_is_usual() -> None:
    sheet = sheet_of("week", history(40))
    assert sheet.key == "2026-06-08"
    assert sheet.facts["runs"].value == 4
    assert "more than a usual week" in review(sheet)
    assert "Your heart rate averaged 150 bpm." in review(sheet)


def test_months_are_told_from_the_first_to_the_last() -> None:
    sheet = sheet_of("trends", history(100))
    assert sheet.facts["pace_change"].value < 0
    assert "faster" in review(sheet)
    assert sheet.title == "Months of running, from November to May"


def test_a_comparison_without_a_heart_on_both_sides_is_silent_on_it() -> None:
    a, b = facts(10, heart=150), facts(12)
    sheet = comparison_sheet("ann", (run(9, a), a), (run(1, b), b), None)
    assert not has_heart(sheet.facts)
    assert sheet.facts["distance_difference"] == Fact(
        value=2000, unit="m", basis="one run less the other", quality="good"
    )
