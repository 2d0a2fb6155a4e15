"""From a recording to its figures."""

from domain.running import beats, climb, effort, general, pacing, shape
from domain.running.figures import Fact, Facts, Runner, fact
from domain.running.track import ANYTHING_MPS, RUNNER_MPS, Track, track_of
from domain.workout import Workout

__all__ = ["Fact", "Facts", "Runner", "facts_of"]


def facts_of(workout: Workout, runner: Runner | None = None) -> Facts:
    """All figures of one workout. Pure: the same recording and runner give the same facts."""
    runner = runner or Runner()
    track = track_of(workout, RUNNER_MPS if workout.sport == "run" else ANYTHING_MPS)
    reason = _not_a_run(workout, track)
    if workout.sport == "run" and reason and track.jumps:
        believable, track = track.believable, track_of(workout, ANYTHING_MPS)
        track.believable = believable and track.believable
    climbed = climb.climbed(track.altitude)
    facts = general.whole(workout, track) | general.heights(workout, track, climbed) | beats.heart(workout, track)
    if reason:
        return Facts(sport=workout.sport, not_a_run=reason, facts=facts, cleaned=tuple(track.notes))
    zones = None
    heard = track.heard
    if heard is not None and heard.by_bpm:
        limits = effort.limits(runner, workout.session, workout.started_at, heard.highest)
        zones = effort.zones(heard, limits)
        for zone in zones.zones:
            facts[f"time_in_zone_{zone.number}"] = fact(zone.seconds, "s", zones.basis, zones.quality)
        facts |= beats.load(heard, limits, runner) | beats.drift(track)
    splits = [*pacing.splits(track, climbed, "km"), *pacing.splits(track, climbed, "mi")]
    facts |= shape.level_pace(track) | shape.cadence(workout, track)
    facts |= shape.spread(track, splits) | shape.efforts(track)
    return Facts(
        sport=workout.sport,
        facts=facts,
        splits=tuple(splits),
        zones=zones,
        pacing=shape.pattern(track),
        cleaned=tuple(track.notes),
    )


def _not_a_run(workout: Workout, track: Track) -> str | None:
    if workout.sport != "run":
        return f"recorded as another sport: {workout.sport}"
    if not track.believable:
        return "its positions leap faster than people run: another sport, or a receiver that failed"
    metres, seconds = (
        (track.metres, track.moved) if track.distance else (workout.session.distance_m, workout.session.timer_seconds)
    )
    if metres and seconds:
        fastest = [speed for length, speed in pacing.EFFORTS.values() if length <= metres]
        if fastest and metres / seconds > fastest[-1]:
            return f"faster than people run: {metres / seconds * 3.6:.1f} km/h on average"
    return None
