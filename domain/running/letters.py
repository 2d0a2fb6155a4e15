"""The offline twin's letter about a run: nothing but its figures, in words that leave room for the runner."""

from collections.abc import Mapping
from datetime import datetime

from domain.running.contents import Pattern, RunSheet
from domain.running.phrases import Phrases, paragraphs
from domain.running.traced import WEEKDAYS
from domain.text import MONTHS
from domain.workout import Sport

NOUNS: Mapping[Sport, tuple[str, str]] = {
    "run": ("run", "ran"),
    "walk": ("walk", "walked"),
    "hike": ("hike", "hiked"),
    "ride": ("ride", "rode"),
    "swim": ("swim", "swam"),
    "row": ("row", "rowed"),
    "ski": ("ski tour", "skied"),
    "other": ("outing", "covered"),
}
# From which hour on the day is called so.
PARTS = (
    (22, "night"),
    (18, "evening"),
    (14, "afternoon"),
    (12, "midday"),
    (9, "morning"),
    (5, "early morning"),
    (0, "night"),
)
# Metres of climbing a kilometre.
FLAT, HILLY = 5.0, 12.0
# Seconds a kilometre: less is no difference.
NO_DIFFERENCE = 1.0


def letter(sheet: RunSheet) -> str:
    """The letter; every number in it is a fact of the sheet."""
    say = Phrases(f"{sheet.workout_id} letter", sheet.facts, words_of(sheet))
    return paragraphs(
        _opening(say), [*_shape(say, sheet.pacing), _heart(say), _feet(say)], [*_among_others(say), _closing(say)]
    )


def words_of(sheet: RunSheet) -> dict[str, str]:
    """What is known of a run besides its figures, by name."""
    noun, verb = NOUNS[sheet.sport]
    return {
        "noun": noun,
        "verb": verb,
        "weekday": WEEKDAYS[sheet.started_at.weekday()],
        "month": MONTHS[sheet.started_at.month - 1],
        "part": part_of_day(sheet.started_at),
    }


def part_of_day(moment: datetime) -> str:
    return next(name for hour, name in PARTS if moment.hour >= hour)


def hills(say: Phrases) -> str:
    """`hilly`, `rolling` or `flat`, or nothing where the climbing is not known."""
    gain, distance = say.value("elevation_gain"), say.value("distance")
    if gain is None or not distance:
        return ""
    steep = gain / distance * 1_000
    return "flat" if steep < FLAT else "hilly" if steep >= HILLY else "rolling"


def _opening(say: Phrases) -> list[str]:
    return [
        say.one_of(
            "opening",
            "It was a {weekday} {part} in {month}, and you turned {distance} into something that is yours now.",
            "{distance} lay ahead of you that {weekday} {part}, and {moving_time} later they lay behind you.",
            "Some days leave no trace. This {weekday} in {month} left {distance}, one small decision after another.",
            "There is a {weekday} {part} in {month} that will always hold {distance} of you.",
            "You went out on a {weekday} {part} in {month}, and you came back {distance} later.",
        )
        or say.one_of(
            "opening",
            "On a {weekday} {part} in {month} you gave {moving_time} to yourself, and nobody can take them back.",
            "{moving_time} of a {weekday} {part} in {month} went into this {noun}.",
        )
        or say.one_of(
            "opening",
            "You went out on a {weekday} {part} in {month}. The recording kept little of it; the going out is yours.",
            "Of this {weekday} {part} in {month} hardly a figure is left, only that there was a {noun}.",
        ),
        say.one_of(
            "clock",
            "The clock counted {moving_time}, and every kilometre had its say: {pace}, all told.",
            "Call it {moving_time}, call it {pace}; what it was like, only you know.",
            "It settled into {pace}, and stayed with you for {moving_time}.",
            "{pace} is how it reads in the log, {moving_time} is how long it was true.",
        ),
    ]


def _shape(say: Phrases, pacing: Pattern | None) -> list[str]:
    halves: dict[Pattern | None, tuple[str, ...]] = {
        "negative_split": (
            "You began at {first_half_pace} and finished at {second_half_pace}: patience first, and then its reward.",
            "The first half knew restraint, {first_half_pace}; the second half, at {second_half_pace}, knew why.",
        ),
        "positive_split": (
            "The first half went by at {first_half_pace}, the second at {second_half_pace}; a bold beginning has its "
            "price, and you went on paying it to the end.",
            "What began at {first_half_pace} became {second_half_pace}, and still you did not stop.",
        ),
        "even": (
            "The halves lie side by side, {first_half_pace} and {second_half_pace}, like one long held note.",
            "{first_half_pace}, then {second_half_pace}: you found your rhythm and you kept it.",
        ),
    }
    ground = {
        "hilly": (
            "The ground rose {elevation_gain} in all, and you rose with it.",
            "There were {elevation_gain} of climbing in it, each of them lifted by nobody but you.",
        ),
        "rolling": (
            "The ground breathed under you, {elevation_gain} of climbing, never quite still.",
            "With {elevation_gain} of climbing the way was not flat, and neither was the day.",
        ),
        "flat": (
            "The ground was kind: {elevation_gain} of climbing, no more.",
            "The way lay nearly level, {elevation_gain} of climbing, and left the work to you.",
        ),
    }
    return [
        say.one_of("halves", *halves.get(pacing, ())),
        say.one_of("ground", *ground.get(hills(say), ())),
        say.one_of(
            "quickest",
            "Somewhere in there lives your quickest kilometre, {fastest_km}.",
            "For one kilometre you flew: {fastest_km}.",
        ),
    ]


def _heart(say: Phrases) -> str:
    return say.one_of(
        "heart",
        "Your heart kept a diary of its own: {average_heart_rate} on average, {max_heart_rate} at its loudest.",
        "Beneath it all your heart worked at {average_heart_rate}, and rose to {max_heart_rate} when you asked.",
    ) or say.one_of("heart", "Your heart carried it at {average_heart_rate}.")


def _feet(say: Phrases) -> str:
    return say.one_of(
        "feet",
        "Your feet kept time at {average_cadence}, like rain that has made up its mind.",
        "{average_cadence}: that was the drum you moved to.",
    )


def _among_others(say: Phrases) -> list[str]:
    difference = say.value("pace_difference_28d")
    way = "" if difference is None or abs(difference) < NO_DIFFERENCE else "faster" if difference < 0 else "slower"
    said = {
        "faster": (
            "Set beside your own weeks before, it was {pace_difference_28d} quicker, and it is yours to say why.",
            "The weeks before would have been {pace_difference_28d} behind you.",
        ),
        "slower": (
            "It was {pace_difference_28d} slower than your weeks before, and not every day owes you speed.",
            "Your weeks before were {pace_difference_28d} quicker; a gentle day is also a day of the work.",
        ),
    }
    return [say.one_of("others", *said.get(way, ()))]


def _closing(say: Phrases) -> str:
    return say.one_of(
        "closing",
        "Nothing about it needs to be larger than it is. You went, and now it is part of you.",
        "Keep it. On a day when you doubt yourself, it will be there, exactly as it was.",
        "The next one will be different. This one is finished, and it is good.",
        "Rest now. The way keeps its place, and so do you.",
        "That is all the figures know. The rest of the {noun} you carry yourself.",
    )
