"""The figures that every workout has: how far, how long, how high."""

from domain.running import climb, pacing
from domain.running.climb import Climb
from domain.running.figures import Fact, Quality, fact
from domain.running.track import Track
from domain.workout import Workout

# A pace over less is noise.
LEAST_FOR_PACE_M = 100.0


def whole(workout: Workout, track: Track) -> dict[str, Fact]:
    session, told = workout.session, {}
    if not track.seconds:
        return _as_told(workout)
    told["elapsed_time"] = fact(track.elapsed, "s", "first to last sample")
    if not track.distance:
        told["moving_time"] = fact(sum(track.active), "s", "the device's timer; there is no distance to see stops by")
        return told | ({} if session.distance_m is None else {"distance": _device_distance(session.distance_m)})
    if track.by_device:
        told["distance"] = _device_distance(track.metres)
        quality: Quality = "good"
    else:
        quality = "fair" if track.believable else "poor"
        told["distance"] = fact(track.metres, "m", "from position to position while moving", quality)
    told["moving_time"] = fact(track.moved, "s", "time faster than 0.5 m/s", quality)
    told["stopped_time"] = fact(max(0.0, track.elapsed - track.moved), "s", "elapsed less moving time", quality)
    if track.metres >= LEAST_FOR_PACE_M and track.moved > 0:
        told["pace"] = fact(track.moved / track.metres * 1000, "s/km", "moving time by distance", quality)
        told["elapsed_pace"] = fact(track.elapsed / track.metres * 1000, "s/km", "elapsed time by distance", quality)
        told["average_speed"] = fact(track.metres / track.moved, "m/s", "distance by moving time", quality)
        if workout.sport == "run" and (fastest := pacing.fastest_speed(track)):
            told["max_speed"] = fact(fastest, "m/s", "fastest ten seconds", quality)
    return told


def _device_distance(metres: float) -> Fact:
    return fact(metres, "m", "counted by the device")


def _as_told(workout: Workout) -> dict[str, Fact]:
    """Of a workout without samples: what its summary says."""
    session, told, basis = workout.session, dict[str, Fact](), "as told in the summary; no samples"
    if session.elapsed_seconds is not None:
        told["elapsed_time"] = fact(session.elapsed_seconds, "s", basis, "fair")
    if session.timer_seconds is not None:
        told["moving_time"] = fact(session.timer_seconds, "s", basis, "fair")
    if session.distance_m is not None:
        told["distance"] = fact(session.distance_m, "m", basis, "fair")
        if session.distance_m >= LEAST_FOR_PACE_M and session.timer_seconds:
            pace = session.timer_seconds / session.distance_m * 1000
            told["pace"] = fact(pace, "s/km", basis, "fair")
            told["average_speed"] = fact(1000 / pace, "m/s", basis, "fair")
    if session.average_cadence_spm is not None:
        told["average_cadence"] = fact(session.average_cadence_spm, "spm", basis, "fair")
    return told


def heights(workout: Workout, track: Track, steps: Climb) -> dict[str, Fact]:
    if not track.altitude:
        said = {"elevation_gain": workout.session.ascent_m, "elevation_loss": workout.session.descent_m}
        return {
            name: fact(value, "m", "as told in the summary; no altitudes", "fair")
            for name, value in said.items()
            if value is not None
        }
    basis = f"altitude smoothed over 30 s, turning points {climb.TURN_M:g} m apart and more"
    return {
        "elevation_gain": fact(sum(steps.gains), "m", basis, "fair"),
        "elevation_loss": fact(sum(steps.losses), "m", basis, "fair"),
        "altitude_min": fact(min(track.altitude), "m", "altitude smoothed over 30 s", "fair"),
        "altitude_max": fact(max(track.altitude), "m", "altitude smoothed over 30 s", "fair"),
    }
