"""A run among others: averages, likeness, predictions, weeks and months, the week to come."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.running.facts import facts_of
from domain.running.history import compared, difference, similar
from domain.running.periods import training_load, trends, week
from domain.running.prediction import best_vdot, predictions, riegel, seconds_for, speed_at, vdot
from domain.running.runs import RunSummary
from domain.running.suggestion import EASY, suggestion
from tests.support.recordings import steady

NOW = datetime(2025, 6, 30, 12, tzinfo=UTC)


def run(
    days_ago: float, kilometres: float = 10, pace: float = 300, *, is_run: bool = True, **more: float
) -> RunSummary:
    values = {"distance": kilometres * 1_000, "moving_time": kilometres * pace, "pace": pace, **more}
    return RunSummary(f"{days_ago}-{kilometres}", "Run", NOW - timedelta(days=days_ago), is_run, values)


def test_a_run_is_set_against_the_mean_of_those_before_it() -> None:
    others = [
        run(3, 8, 310),
        run(10, 10, 320),
        run(20, 12, 330),
        run(60, 30, 400),
        run(-1, 99),
        run(5, 99, is_run=False),
    ]
    told = compared(run(0, 11, 300), others)
    assert told["runs_28d"].value == 3
    assert told["distance_28d"].value == 30_000
    assert told["longest_90d"].value == 30_000
    assert told["pace_average_28d"].value == 320
    assert told["pace_difference_28d"].value == -20
    assert told["pace_average_90d"].value == 340
    assert "average_heart_rate_average_28d" not in told
    assert told["pace_difference_28d"].unit == "s/km"


def test_few_runs_give_no_mean() -> None:
    told = compared(run(0), [run(3), run(4)])
    assert told["runs_28d"].value == 2
    assert not [name for name in told if "average" in name]
    assert compared(run(0), []) == {}


def test_a_run_is_never_compared_with_itself() -> None:
    itself = run(0)
    assert compared(itself, [itself]) == {}
    assert similar(itself, [itself]) == ()


def test_similar_runs_are_as_long_and_as_steep_and_earlier() -> None:
    others = [
        run(40, 10.1, 290, elevation_gain=50),
        run(7, 10.1, 310, elevation_gain=50),
        run(2, 10, 300, elevation_gain=400),
        run(9, 11.2, 300, elevation_gain=50),
        run(8, 13, 300, elevation_gain=50),
        run(-2, 10, 300, elevation_gain=50),
    ]
    found = similar(run(0, 10, 300, elevation_gain=50), others, most=3)
    assert [one.started_at for one in found] == [NOW - timedelta(days=days) for days in (7, 40, 9)]
    assert found[0].differences["pace_difference"].value == -10


def test_two_runs_differ_in_what_both_have() -> None:
    told = difference(run(1, 10, 300, average_heart_rate=150), run(2, 12, 310))
    assert {name: fact.value for name, fact in told.items()} == {
        "distance_difference": 2_000,
        "moving_time_difference": 720,
        "pace_difference": 10,
    }


def test_what_rests_on_an_assumption_is_not_compared() -> None:
    facts = facts_of(steady(30, heart_rate=lambda now: 140 + now % 2))
    assert facts.facts["trimp_banister"].quality == "poor"
    values = RunSummary.of("1", "Run", NOW, facts).values
    assert "trimp_banister" not in values
    assert values["average_heart_rate"] == pytest.approx(140.5)


@pytest.mark.parametrize(
    ("metres", "seconds", "expected"),
    # From Daniels' tables.
    [(5_000, 1_197, 50), (10_000, 2_481, 50), (42_195, 11_449, 50), (5_000, 1_840, 30), (21_097.5, 4_101, 70)],
)
def test_vdot_is_that_of_the_tables(metres: float, seconds: float, expected: float) -> None:
    assert vdot(seconds, metres) == pytest.approx(expected, abs=0.15)
    assert seconds_for(vdot(seconds, metres), metres) == pytest.approx(seconds, abs=0.01)


def test_a_speed_costs_its_share_of_vdot() -> None:
    # Easy running at VDOT 50 in the tables: 5:07 to 5:40 a kilometre.
    assert 307 < 1000 / speed_at(50, EASY) < 340
    # All of it is the speed that costs it: the cost's own equation.
    speed = speed_at(50, 1.0) * 60
    assert -4.60 + 0.182258 * speed + 0.000104 * speed**2 == pytest.approx(50)


def test_races_are_predicted_from_the_effort_that_promises_most() -> None:
    runs = [run(10, 10, 300, best_5km=1_500, best_10km=3_100), run(20, 6, best_5km=1_440), run(95, 5, best_5km=1_000)]
    told = {(one.distance, one.method): one for one in predictions(runs, NOW)}
    assert told["10km", "riegel"].seconds.value == pytest.approx(riegel(1_440, 5_000, 10_000), abs=0.1)
    assert told["10km", "riegel"].seconds.value == pytest.approx(3_002.3, abs=0.5)
    assert told["10km", "riegel"].from_effort == "5km"
    assert told["5km", "riegel"].seconds.value == 1_440
    by_vdot = told["10km", "vdot"].vdot
    assert by_vdot is not None
    assert by_vdot.value == pytest.approx(vdot(1_440, 5_000), abs=0.1)
    # From ten kilometres, five being too far from it, and with its limit.
    assert told["marathon", "riegel"].from_effort == "10km"
    assert "ten minutes" in (told["marathon", "riegel"].limit or "")
    assert told["marathon", "riegel"].seconds.quality == "poor"
    assert told["10km", "riegel"].limit is None


def test_without_a_fitting_effort_there_is_no_prediction() -> None:
    assert predictions([run(3, best_400m=90, best_1km=250)], NOW) == ()
    assert {one.distance for one in predictions([run(3, best_1mi=420)], NOW)} == {"5km"}
    assert predictions([run(3, is_run=False, best_5km=1_000)], NOW) == ()


@pytest.mark.parametrize(
    "runs",
    [
        [run(10, 10, 300, best_5km=1_500, best_10km=3_100), run(20, 6, best_5km=1_440), run(95, 5, best_5km=1_000)],
        [run(3, best_400m=90, best_1km=250), run(4, best_1km=180, best_1mi=420)],
        [run(3, best_1km=180), run(5, is_run=False, best_5km=1_000)],
    ],
)
def test_the_best_vdot_is_the_highest_that_predictions_tell(runs: list[RunSummary]) -> None:
    told = [one.vdot.value for one in predictions(runs, NOW) if one.vdot]
    assert best_vdot(runs, NOW) == max(told, default=None)


def test_load_is_a_ratio_of_days_and_needs_weeks_of_them() -> None:
    runs = [run(day, 10, trimp_banister=80) for day in (1, 3, 8, 15, 22, 27)]
    told = training_load(runs, NOW)
    assert (told["load_7d"].value, told["load_28d"].value, told["load_7d"].unit) == (160, 480, "points")
    assert told["load_ratio"].value == pytest.approx(160 / 7 / (480 / 28), abs=0.001)
    assert "trend" in told["load_ratio"].basis
    assert "load_ratio" not in training_load(runs[:3], NOW)
    # One without a heart rate: metres for all.
    assert training_load([*runs, run(2, 5)], NOW)["load_7d"].unit == "m"
    assert training_load([], NOW) == {}


def test_a_week_has_the_days_of_the_runners_own_timezone() -> None:
    # Sunday 23:30 in Berlin, in UTC 21:30; and Monday 00:30 there, which is Sunday in UTC.
    sunday = RunSummary("a", "", datetime(2025, 6, 15, 21, 30, tzinfo=UTC), True, {"distance": 5_000})
    monday = RunSummary("b", "", datetime(2025, 6, 15, 22, 30, tzinfo=UTC), True, {"distance": 8_000})
    told = week([sunday, monday], date(2025, 6, 16), "Europe/Berlin").facts
    assert (told["runs"].value, told["distance"].value) == (1, 8_000)
    assert told["distance_week_average"].value == 1_250
    assert told["distance_change"].value == 540
    assert week([sunday, monday], date(2025, 6, 16)).facts["distance_week_average"].value == 3_250
    assert week([], date(2025, 6, 16)).facts == {}


@pytest.mark.parametrize(
    ("monday", "started_at", "inside"),
    [
        # the last hour of the Sunday on which clocks went back, and the first after the one on which they went ahead
        (date(2025, 10, 20), datetime(2025, 10, 26, 22, 30, tzinfo=UTC), True),
        (date(2025, 10, 27), datetime(2025, 10, 26, 23, 30, tzinfo=UTC), True),
        (date(2025, 3, 24), datetime(2025, 3, 30, 22, 30, tzinfo=UTC), False),
        (date(2025, 3, 24), datetime(2025, 3, 23, 23, 30, tzinfo=UTC), True),
    ],
)
def test_a_week_in_which_clocks_change_begins_and_ends_at_midnight(
    monday: date, started_at: datetime, inside: bool
) -> None:
    only = RunSummary("a", "", started_at, True, {"distance": 5_000})
    assert ("runs" in week([only], monday, "Europe/Berlin").facts) is inside


def test_a_weeks_pace_is_that_of_all_its_way() -> None:
    told = week([run(0, 5, 400), run(0.1, 15, 300)], date(2025, 6, 30)).facts
    assert told["pace"].value == 325
    assert told["longest"].value == 15_000


def test_what_only_some_of_a_weeks_runs_know_says_of_how_many() -> None:
    runs = [run(1, 10, average_heart_rate=150, elevation_gain=80), run(2, 10), run(3, 5, average_heart_rate=140)]
    told = week(runs, date(2025, 6, 23)).facts
    heart, climb = told["average_heart_rate"], told["elevation_gain"]
    assert (heart.value, heart.quality) == (pytest.approx(146.7, abs=0.1), "fair")
    assert heart.basis == "mean over the moving time of 2 of the 3 runs of these days"
    assert (climb.basis, climb.quality) == ("1 of the 3 runs of these days", "poor")
    assert (told["distance"].basis, told["distance"].quality) == ("all runs of these days", "good")
    assert (told["pace"].quality, told["longest"].quality) == ("good", "good")


def test_a_month_of_which_little_is_known_is_no_part_of_a_trend() -> None:
    def month(back: int, hearts: int) -> list[RunSummary]:
        return [
            run(31 * back + n, average_heart_rate=140 + back) if n < hearts else run(31 * back + n) for n in range(3)
        ]

    runs = [one for back, hearts in enumerate((3, 3, 3, 3, 2, 1)) for one in month(back, hearts)]
    told = trends(runs, NOW).facts["average_heart_rate_change"]
    assert told.basis == "mean of the last 2 whole months less that of the first 2"
    assert told.value == pytest.approx(-2)


def test_months_run_from_the_first_run_and_their_halves_are_compared() -> None:
    runs = [
        RunSummary(
            str(month), "", datetime(2025, month, 10, tzinfo=UTC), True, run(0, 10 * month, 400 - 10 * month).values
        )
        for month in range(2, 7)
    ]
    told = trends(runs, NOW, months=12)
    assert [period.start for period in told.periods] == [date(2025, month, 1) for month in range(2, 7)]
    assert [period.days for period in told.periods] == [28, 31, 30, 31, 30]
    # February and March against April and May; June is not over.
    assert told.facts["distance_change"].value == 20_000
    assert told.facts["pace_change"].value == -20
    assert trends([], NOW).periods == ()


def test_the_week_to_come_grows_a_little_and_adds_up() -> None:
    runs = [run(day, 10, 330, best_5km=1_500) for day in (1, 3, 5, 8, 10, 12, 15, 17, 19, 22, 24, 26)]
    told = suggestion(runs, NOW)
    assert told.facts["distance_target"].value == pytest.approx(1.05 * 120_000 / (26 / 7), rel=0.001)
    assert sum(one.facts["distance"].value for one in told.sessions) == pytest.approx(
        told.facts["distance_target"].value, abs=1
    )
    assert [one.kind for one in told.sessions] == ["long", "steady", "easy"]
    assert told.sessions[1].facts["pace"].value < told.sessions[2].facts["pace"].value
    assert told.sessions[0].facts["distance"].value <= 11_001


def test_after_much_more_than_usual_the_week_is_easier() -> None:
    told = suggestion([run(1, 20), run(2, 20), run(3, 20), run(10, 8), run(17, 8), run(27, 8)], NOW)
    assert told.facts["distance_target"].value < told.facts["distance_week_average"].value
    assert {one.kind for one in told.sessions} == {"long", "easy"}


def test_who_has_not_run_is_given_a_beginning() -> None:
    told = suggestion([run(40)], NOW)
    assert [one.kind for one in told.sessions] == ["easy"] * 3
    assert all(one.facts["moving_time"].value == 1_500 for one in told.sessions)
