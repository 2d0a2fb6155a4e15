"""What files call a sport, in our own few words."""

from array import array
from dataclasses import replace

from domain.workout import Sport, Streams

# The first word found in what the file says decides: `trail_running` is a run, `indoor_cycling` a ride.
_WORDS: tuple[tuple[str, Sport], ...] = (
    ("run", "run"),
    ("jog", "run"),
    ("treadmill", "run"),
    ("cycl", "ride"),
    ("bik", "ride"),
    ("ride", "ride"),
    ("hik", "hike"),
    ("trek", "hike"),
    ("walk", "walk"),
    ("swim", "swim"),
    ("row", "row"),
    ("ski", "ski"),
)

# Strava writes its own numbers into GPX files.
_NUMBERS: dict[str, Sport] = {"1": "ride", "4": "hike", "9": "run", "10": "walk", "16": "swim"}

_ON_FOOT = frozenset({"run", "walk", "hike"})


def sport_of(said: str | None) -> Sport:
    """The sport that a file names. One that names none is taken for a run: what it did then shows whether it was."""
    if not said:
        return "run"
    word = said.strip().lower()
    if word in _NUMBERS:
        return _NUMBERS[word]
    if word == "generic":
        return "run"
    for part, sport in _WORDS:
        if part in word:
            return sport
    return "other"


def both_feet(sport: Sport, streams: Streams, times: int) -> Streams:
    """The cadence counting both feet. What is not done on foot has no steps: its cadence is dropped."""
    steps = array("d", (times * cadence for cadence in streams.cadence_spm) if sport in _ON_FOOT else ())
    return replace(streams, cadence_spm=steps)
