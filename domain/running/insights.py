"""The offline twin's coaching insight: what the heart did, how the pace was spread, what the next week may bring.

Rules over figures, each said with its figure. Advice on training alone: no word on health.
"""

from collections.abc import Iterator, Mapping

from domain.running.contents import RunSheet
from domain.running.figures import Fact
from domain.running.letters import NO_DIFFERENCE, hills, words_of
from domain.running.phrases import Phrases, paragraphs
from domain.running.shown import shown

# Drift in per cent: conventions (Friel), not laws.
LITTLE_DRIFT, MUCH_DRIFT = 5.0, 10.0
# The pace of the last quarter, and the kilometres' spread, in per cent.
FADING, UNEVEN = 4.0, 8.0
# Load of the last week against that of the last four.
RISING, FALLING = 1.3, 0.8
STOOD_SECONDS = 60.0
ZONES = {1: "recovery", 2: "easy", 3: "moderate", 4: "hard", 5: "maximum"}
SESSIONS = {"long": "a long run", "steady": "a steady run", "easy": "an easy run"}


def insight(sheet: RunSheet) -> str:
    """The insight; every number in it is a fact of the sheet, and nothing is said of what was not measured."""
    say = Phrases(f"{sheet.workout_id} insight", sheet.facts, words_of(sheet))
    return paragraphs(_whole(say), _heart(say, sheet), _pacing(say, sheet), _among_others(say), _next_week(say, sheet))


def _whole(say: Phrases) -> list[str]:
    stopped = say.value("stopped_time") or 0
    return [
        say.one_of(
            "whole",
            "You covered {distance} in {moving_time} of moving time, an average of {pace}.",
            "This {noun}: {distance}, {moving_time} of moving time, {pace} on average.",
            "{distance} at {pace}, {moving_time} in all without the stops.",
        )
        or say.one_of("whole", "You covered {distance} in {moving_time}.")
        or say.one_of(
            "whole", "You covered {distance}.", "You were at it for {moving_time}.", "It took {elapsed_time}."
        )
        or "The recording of this {noun} holds no distance and no time to judge it by.".replace(
            "{noun}", say.word("noun")
        ),
        say.one_of("stops", "Stops took {stopped_time} on top of that.") if stopped >= STOOD_SECONDS else "",
        say.one_of(
            "level",
            "With its {elevation_gain} of climbing it was worth {grade_adjusted_pace} on level ground.",
            "Level ground would have made it {grade_adjusted_pace}, for there were {elevation_gain} of climbing in it.",
        )
        if hills(say) in ("rolling", "hilly")
        else "",
    ]


def _heart(say: Phrases, sheet: RunSheet) -> list[str]:
    zones = {number: say.value(f"time_in_zone_{number}") or 0.0 for number in ZONES}
    most = max(zones, key=lambda number: zones[number])
    return [
        say.one_of(
            "heart",
            "Your heart rate averaged {average_heart_rate} and peaked at {max_heart_rate}.",
            "Heart rate: {average_heart_rate} on average, {max_heart_rate} at most.",
        )
        or say.one_of(
            "heart", "Your heart rate averaged {average_heart_rate}.", "Your heart rate peaked at {max_heart_rate}."
        ),
        say.one_of(
            "zones",
            f"Most of the time, {{time_in_zone_{most}}}, went into the zone of {ZONES[most]} effort.",
            f"The largest share, {{time_in_zone_{most}}}, was {ZONES[most]} effort by heart rate.",
        )
        if zones[most] > 0
        else "",
        "The zones rest on an estimated highest heart rate, so read them loosely."
        if sheet.estimated and zones[most]
        else "",
        _drift(say),
        say.one_of("load", "As a training load that comes to {trimp_banister} (Banister).") if zones[most] else "",
    ]


def _drift(say: Phrases) -> str:
    drift, said = say.value("decoupling"), "Pace and heart rate drifted apart by {decoupling}"
    if drift is None:
        return ""
    if drift < LITTLE_DRIFT:
        return say.one_of("drift", f"{said}, which is little: this pace is within your endurance.")
    if drift > MUCH_DRIFT:
        return say.one_of("drift", f"{said}, which is a lot: hold such runs a little slower until it falls.")
    return say.one_of("drift", f"{said}: there is endurance still to be won at this pace.")


def _pacing(say: Phrases, sheet: RunSheet) -> list[str]:
    halves = {
        "negative_split": (
            "You ran a negative split, {first_half_pace} and then {second_half_pace}: a start well judged.",
            "Pacing: {first_half_pace} in the first half, {second_half_pace} in the second: you kept something.",
        ),
        "positive_split": (
            "Pacing: {first_half_pace} in the first half and {second_half_pace} in the second; begin a little "
            "easier next time and see whether the end holds.",
            "The second half was slower, {second_half_pace} after {first_half_pace}; an easier start costs little.",
        ),
        "even": (
            "Your pacing was even, {first_half_pace} and {second_half_pace}, half by half.",
            "Both halves were alike, {first_half_pace} and {second_half_pace}: well controlled.",
        ),
    }
    fade, uneven = say.value("fade"), say.value("pace_variation")
    return [
        say.one_of("halves", *(halves[sheet.pacing] if sheet.pacing else ())),
        say.one_of("fade", "In the last quarter you slowed by {fade} against the rest.")
        if fade is not None and fade > FADING
        else "",
        say.one_of(
            "spread",
            "Your kilometres ranged from {fastest_km} to {slowest_km}.",
            "The fastest kilometre was {fastest_km}, the slowest {slowest_km}.",
        ),
        say.one_of("uneven", "They varied by {pace_variation}; on flat ground that could be steadier.")
        if uneven is not None and uneven > UNEVEN and hills(say) == "flat"
        else "",
        say.one_of("cadence", "Your cadence averaged {average_cadence}."),
    ]


def _among_others(say: Phrases) -> list[str]:
    difference, ratio = say.value("pace_difference_28d"), say.value("load_ratio")
    heart = say.value("average_heart_rate_difference_28d")
    return [
        say.one_of(
            "others",
            "Against the average of your weeks before it was {pace_difference_28d} {pace_difference_28d:way}.",
            "Your average of the weeks before is {pace_average_28d}; this was {pace_difference_28d} "
            "{pace_difference_28d:way}.",
        )
        if difference is not None and abs(difference) >= NO_DIFFERENCE
        else "",
        say.one_of(
            "heart against",
            "Your heart was {average_heart_rate_difference_28d} {average_heart_rate_difference_28d:way} than then.",
        )
        if heart is not None and abs(heart) >= 1
        else "",
        say.one_of(
            "ratio",
            "Your load of the past week stands at {load_ratio} of your weekly average, a trend and no more.",
        )
        if ratio is not None
        else "",
    ]


def _next_week(say: Phrases, sheet: RunSheet) -> list[str]:
    ratio, drift = say.value("load_ratio"), say.value("decoupling")
    planned = list(sessions(sheet.facts))
    week = say.one_of("week", ", {next_week_distance} in all")
    listed = f"For the next week: {'; '.join(planned)}{week}." if planned else ""
    if ratio is not None and ratio > RISING:
        advice = "The load has been rising, so let the next week be a lighter one, and keep its days easy."
    elif drift is not None and drift > MUCH_DRIFT:
        advice = "In the next week let most of your training be easy, at a pace that stays the same to the end."
    elif sheet.pacing == "positive_split":
        advice = "In the next week practise one session that begins slower than it ends, and keep the others easy."
    elif ratio is not None and ratio < FALLING:
        advice = "There is room for a little more in the next week, added to the easy days and not to the hard ones."
    else:
        advice = say.one_of(
            "advice",
            "In the next week keep most of your training easy, and let one day be longer or livelier than the rest.",
            "In the next week repeat what worked here, with an easy day before and after anything hard.",
            "In the next week let easy days be easy, so that one good session has room.",
        )
    return [listed, advice]


def sessions(facts: Mapping[str, Fact]) -> Iterator[str]:
    """The sessions of the week to come, each with its figures."""
    for kind, words in SESSIONS.items():
        figures = [
            shown(name, facts[name])
            for part in ("distance", "moving_time", "pace")
            if (name := f"next_{kind}_{part}") in facts
        ]
        if figures:
            count = facts.get(f"next_{kind}_count")
            if count is not None and count.value > 1:
                yield f"{shown('count', count)} {kind} runs ({', '.join(figures)} each)"
            else:
                yield f"{words} ({', '.join(figures)})"
