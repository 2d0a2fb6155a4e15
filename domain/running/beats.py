"""The figures of the heart. Without a heart rate there is none of them."""

import math

from domain.running import effort
from domain.running.figures import Fact, Quality, Runner, fact
from domain.running.track import Heard, Track
from domain.workout import Workout


def heart(workout: Workout, track: Track) -> dict[str, Fact]:
    session, told = workout.session, dict[str, Fact]()
    if track.heard is None:
        said = {"average_heart_rate": session.average_heart_rate_bpm, "max_heart_rate": session.max_heart_rate_bpm}
        # A device that tells an average beside unbelievable samples is not believed either.
        if not workout.streams.heart_rate_bpm:
            for name, value in said.items():
                if value is not None:
                    told[name] = fact(value, "bpm", "as told in the summary; no samples", "fair")
        return told
    seconds = math.fsum(track.heard.by_bpm.values())
    if seconds <= 0:
        return told
    known = seconds / (math.fsum(track.active) or 1.0)
    quality: Quality = "good" if known >= effort.ENOUGH_KNOWN else "fair" if known >= effort.LEAST_KNOWN else "poor"
    share = "" if quality == "good" else f"; known for {known:.0%} of it"
    average = math.fsum(bpm * lasted for bpm, lasted in track.heard.by_bpm.items()) / seconds
    told["average_heart_rate"] = fact(average, "bpm", f"over the time the timer ran{share}", quality)
    told["max_heart_rate"] = fact(track.heard.highest, "bpm", f"highest sample that is no spike{share}", quality)
    if track.distance and track.heard.seconds[-1] > 0:
        moving = track.heard.beats[-1] / track.heard.seconds[-1] * 60
        told["average_heart_rate_moving"] = fact(moving, "bpm", f"over the time in motion{share}", quality)
    return told


def load(heard: Heard, limits: effort.Limits, runner: Runner) -> dict[str, Fact]:
    rest = (
        "resting rate given" if limits.resting is not None else f"resting rate {effort.ASSUMED_RESTING_BPM:.0f} assumed"
    )
    weights = "weights for women" if runner.sex == "female" else "weights for men"
    assumed = "" if runner.sex else ", the sex being unknown"
    guessed: Quality = "good" if limits.resting is not None and runner.sex else "fair"
    quality: Quality = limits.quality if limits.quality != "good" else guessed
    return {
        "trimp_banister": fact(
            effort.banister(heard, limits, runner.sex),
            "points",
            f"heart-rate reserve (Banister), {weights}{assumed}, {rest}; {limits.basis}",
            quality,
        ),
        "trimp_edwards": fact(
            effort.edwards(heard, limits),
            "points",
            f"minutes in five zones of the highest heart rate (Edwards); {limits.basis}",
            limits.quality,
        ),
    }


def drift(track: Track) -> dict[str, Fact]:
    told: dict[str, Fact] = {}
    ratio = effort.metres_a_beat(track, 0.0, track.moved) if track.distance else None
    if ratio is not None:
        told["efficiency"] = fact(ratio, "m/beat", "metres a heartbeat in motion")
    fallen = effort.decoupling(track)
    if fallen is not None:
        basis = "metres a heartbeat, first against second half of moving time after 10 minutes of warm-up; steady run"
        told["decoupling"] = fact(fallen, "%", basis)
    return told
