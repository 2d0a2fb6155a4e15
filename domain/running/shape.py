"""The figures of a run alone: level pace, steps, how the pace was spread, its fastest stretches."""

from typing import Literal

from domain.running import climb, pacing
from domain.running.figures import Fact, Quality, Split, fact
from domain.running.series import variation
from domain.running.track import GAP_SECONDS, Track
from domain.workout import Workout

# Halves of less tell nothing, and nobody fades in it.
LEAST_FOR_HALVES_M, LEAST_FOR_FADE_M = 2_000.0, 3_000.0

# Halves whose paces differ by less are even.
EVEN = 0.02

# Steps a minute of anybody who moves.
STEPS = (60.0, 260.0)


def level_pace(track: Track) -> dict[str, Fact]:
    """Grade-adjusted pace."""
    metres = climb.level_distance(track)
    if not metres or track.metres < climb.LEAST_WAY_M or not track.moved:
        return {}
    basis = (
        f"Minetti's cost of slopes, downhill benefit capped at {1 - climb.CHEAPEST:.0%}; altitude smoothed over 30 s"
    )
    return {"grade_adjusted_pace": fact(track.moved / metres * 1000, "s/km", basis, "fair")}


def cadence(workout: Workout, track: Track) -> dict[str, Fact]:
    """Both feet's steps; nothing where no foot pod or watch counted them."""
    seconds = steps = metres = 0.0
    for i, spm in enumerate(track.cadence):
        if STEPS[0] <= spm <= STEPS[1] and 0 < track.moving[i] <= GAP_SECONDS:
            seconds += track.moving[i]
            steps += spm * track.moving[i] / 60
            metres += track.distance[i] - track.distance[i - 1] if track.distance else 0.0
    if not seconds:
        return {}
    doubled = "one foot's strides doubled" if workout.source in ("fit", "tcx") else "as recorded"
    told = {"average_cadence": fact(steps / seconds * 60, "spm", f"steps of both feet while moving; {doubled}")}
    if metres:
        told["step_length"] = fact(metres / steps, "m", "distance by steps while moving")
    return told


def spread(track: Track, splits: list[Split]) -> dict[str, Fact]:
    """Halves, the fade towards the end, and the kilometres beside each other."""
    told: dict[str, Fact] = {}
    quality: Quality = "good" if track.by_device else "fair"
    if (halves := _halves(track)) is not None:
        first, second = halves
        told["first_half_pace"] = fact(first, "s/km", "first half of the distance, moving time", quality)
        told["second_half_pace"] = fact(second, "s/km", "second half of the distance, moving time", quality)
        told["half_difference"] = fact(second - first, "s/km", "second half less first: above 0 is slower", quality)
    if track.metres >= LEAST_FOR_FADE_M:
        before = pacing.clock_at(track, track.metres * 0.75)
        if before > 0:
            fade = (track.moved - before) / (before / 3) - 1
            told["fade"] = fact(
                fade * 100, "%", "pace of the last quarter against the rest: above 0 is slower", quality
            )
    whole = [split.pace_seconds_per_km for split in splits if split.unit == "km" and not split.partial]
    paces = [pace for pace in whole if pace is not None]
    if len(paces) >= 2:
        told["fastest_km"] = fact(min(paces), "s/km", "fastest of the kilometre splits", quality)
        told["slowest_km"] = fact(max(paces), "s/km", "slowest of the kilometre splits", quality)
    if len(paces) >= 3:
        basis = "standard deviation of the kilometre splits by their mean"
        told["pace_variation"] = fact(variation(paces) * 100, "%", basis, quality)
    return told


def pattern(track: Track) -> Literal["negative_split", "even", "positive_split"] | None:
    """Whether the second half was faster, about the same, or slower."""
    halves = _halves(track)
    if halves is None:
        return None
    first, second = halves
    if abs(second - first) < EVEN * first:
        return "even"
    return "negative_split" if second < first else "positive_split"


def efforts(track: Track) -> dict[str, Fact]:
    quality: Quality = "good" if track.by_device else "fair"
    told = {
        f"best_{name}": fact(seconds, "s", "fastest stretch of the distance, standing included", quality)
        for name, seconds in pacing.best_efforts(track).items()
    }
    if short := pacing.short_of(track):
        basis = f"the whole run, {short.lacking:.1f} m short of it as watches err, its time scaled to the distance"
        told[f"best_{short.name}"] = fact(short.seconds, "s", f"{basis}; standing included", "fair")
    return told


def _halves(track: Track) -> tuple[float, float] | None:
    if track.metres < LEAST_FOR_HALVES_M:
        return None
    half = track.metres / 2
    middle = pacing.clock_at(track, half)
    first, second = middle / half * 1000, (track.moved - middle) / half * 1000
    return (first, second) if first > 0 and second > 0 else None
