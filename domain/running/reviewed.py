"""The offline twin's words on more than one run, each from its figures alone."""

from collections.abc import Callable, Mapping

from domain.running.contents import About, ReviewSheet
from domain.running.insights import sessions
from domain.running.phrases import Phrases, paragraphs


def review(sheet: ReviewSheet) -> str:
    """The words; every number in them is a fact of the sheet."""
    say = Phrases(f"{sheet.user_id} {sheet.key}", sheet.facts, {"title": sheet.title})
    return SORTS[sheet.about](say, sheet)


def _week(say: Phrases, sheet: ReviewSheet) -> str:
    runs, change = say.value("runs"), say.value("distance_change")
    if not runs:
        return "There is no run on record for this week. A week of rest is a week too; the next one is open."
    return paragraphs(
        [
            "There was a single run in this week."
            if runs == 1
            else say.one_of("runs", "You ran {runs} times in this week."),
            say.one_of(
                "whole",
                "That makes {distance} in {moving_time}, at {pace} over all.",
                "Together they came to {distance}, {moving_time} of moving, {pace} on average."
                if runs > 1
                else "It came to {distance} in {moving_time}, {pace} on average.",
            )
            or say.one_of("whole", "That makes {distance}.", "That makes {moving_time} of moving."),
            say.one_of("long", "The longest of them went over {longest}.") if runs > 1 else "",
            say.one_of(
                "climb", "There were {elevation_gain} of climbing in it.", "You climbed {elevation_gain} along the way."
            ),
            say.one_of("heart", "Your heart rate averaged {average_heart_rate}."),
        ],
        [
            say.one_of(
                "change",
                "That is {distance_change} more than a usual week of the weeks before, {distance_week_average}.",
            )
            if change is not None and change > 1
            else say.one_of(
                "change",
                "That is {distance_change} less than a usual week of the weeks before, {distance_week_average}.",
            )
            if change is not None and change < -1
            else say.one_of("change", "That is about your usual week of the weeks before, {distance_week_average}."),
            say.one_of(
                "closing",
                "Let the next week begin with an easy day.",
                "Keep what worked, and let the next week come.",
                "The week is written; the next one is still blank.",
            ),
        ],
    )


def _comparison(say: Phrases, _sheet: ReviewSheet) -> str:
    return (
        paragraphs(
            [
                say.one_of("a", "Run A went over {a_distance} in {a_moving_time}, at {a_pace}."),
                say.one_of("b", "Run B went over {b_distance} in {b_moving_time}, at {b_pace}."),
            ],
            [
                _differs(say, "pace", "Run B was {pace_difference} {pace_difference:way} than run A."),
                _differs(say, "distance", "It was {distance_difference} {distance_difference:way}."),
                _differs(
                    say,
                    "elevation_gain",
                    "Its climbing was {elevation_gain_difference} {elevation_gain_difference:way}.",
                ),
                _differs(
                    say,
                    "average_heart_rate",
                    "The heart rate was {average_heart_rate_difference} {average_heart_rate_difference:way} in run B.",
                ),
            ],
        )
        or "These two recordings share no figure by which they could be set side by side."
    )


def _differs(say: Phrases, name: str, sentence: str) -> str:
    change = say.value(f"{name}_difference")
    return say.one_of(name, sentence) if change is not None and abs(change) >= 1 else ""


def _trends(say: Phrases, _sheet: ReviewSheet) -> str:
    def change(name: str, more: str, less: str) -> str:
        value = say.value(f"{name}_change")
        return "" if value is None or abs(value) < 1 else say.one_of(name, more if value > 0 else less)

    return (
        paragraphs(
            [
                say.one_of(
                    "first",
                    "The first whole month on record has {first_month_distance}, the last {last_month_distance}.",
                ),
                say.one_of("paces", "The pace went from {first_month_pace} to {last_month_pace}."),
            ],
            [
                change(
                    "distance",
                    "Set half against half, a month of the newer ones has {distance_change} more.",
                    "Set half against half, a month of the newer ones has {distance_change} less.",
                ),
                change(
                    "pace", "Your pace has become {pace_change} slower.", "Your pace has become {pace_change} faster."
                ),
                change(
                    "average_heart_rate",
                    "Your heart rate on runs has risen by {average_heart_rate_change}.",
                    "Your heart rate on runs has fallen by {average_heart_rate_change}.",
                ),
            ],
        )
        or "There are too few whole months on record to speak of a trend."
    )


def _suggestion(say: Phrases, sheet: ReviewSheet) -> str:
    planned = list(sessions(sheet.facts))
    return paragraphs(
        [
            say.one_of(
                "usual", "Your usual week of late is {distance_week_average}, and the past one came to {distance_7d}."
            ),
            say.one_of("target", "For the next week take about {next_week_distance}."),
        ],
        [f"That could be {'; '.join(planned)}." if planned else "", "Leave rest between, and let easy days be easy."],
    )


SORTS: Mapping[About, Callable[[Phrases, ReviewSheet], str]] = {
    "week": _week,
    "comparison": _comparison,
    "trends": _trends,
    "suggestion": _suggestion,
}
