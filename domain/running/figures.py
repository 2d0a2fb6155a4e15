"""Everything that is known of a workout in figures. Absent data gives no figure."""

from datetime import date
from typing import Literal

from pydantic import Field, TypeAdapter

from domain.model import Model
from domain.workout import Sport

# Raised when a figure is computed differently, so that stored facts of an older version can be computed again.
VERSION = 3

# good: measured and clean. fair: derived from GPS, sparse or partly repaired. poor: rests on an assumption; say so.
Quality = Literal["good", "fair", "poor"]

# m, s, s/km, bpm, spm, m/s, %, ml/kg/min, points (training load, no unit of nature), count, and "" for a ratio.
Unit = Literal["m", "s", "s/km", "bpm", "spm", "m/s", "m/beat", "%", "ml/kg/min", "points", "count", ""]


class Fact(Model):
    """A figure that a text may cite. `basis` says in words how it came about."""

    value: float
    unit: Unit
    basis: str
    quality: Quality


class Split(Model):
    """A kilometre or mile of moving; the last one may be `partial`. All splits of a unit add up to the whole."""

    unit: Literal["km", "mi"]
    number: int
    distance_meters: float
    moving_seconds: float
    pace_seconds_per_km: float | None
    partial: bool = False
    elevation_gain_meters: float | None = None
    elevation_loss_meters: float | None = None
    average_heart_rate: float | None = None


class Zone(Model):
    """A heart-rate zone from `from_bpm` up to below `to_bpm` (None: no upper end), and the moving seconds in it."""

    number: int
    name: str
    from_bpm: float
    to_bpm: float | None
    seconds: float


class Zones(Model):
    """Five zones. `estimated` when the runner's highest heart rate had to be guessed; `basis` says from what."""

    basis: str
    estimated: bool
    quality: Quality
    zones: tuple[Zone, ...]


class Runner(Model):
    """What is known of the person. `highest_seen_bpm` is from their other workouts. All may be unknown."""

    resting_bpm: float | None = None
    max_bpm: float | None = None
    highest_seen_bpm: float | None = None
    born: date | None = None
    sex: Literal["female", "male"] | None = None


class Facts(Model):
    """`not_a_run` says why this is none (another sport, or faster than people run); such a workout has the general
    figures only. `cleaned` says in words what was repaired or left out before counting.

    Names in `facts`, where the data allows: distance, elapsed_time, moving_time, stopped_time, pace, elapsed_pace,
    average_speed, max_speed, elevation_gain, elevation_loss, altitude_min, altitude_max, grade_adjusted_pace,
    average_heart_rate, average_heart_rate_moving, max_heart_rate, time_in_zone_1 … time_in_zone_5, trimp_banister,
    trimp_edwards, efficiency, decoupling, average_cadence, step_length, first_half_pace, second_half_pace,
    half_difference, fade, pace_variation, fastest_km, slowest_km, best_400m, best_1km, best_1mi, best_5km, best_10km,
    best_15km, best_half_marathon, best_marathon.
    """

    version: int = VERSION
    sport: Sport
    not_a_run: str | None = None
    facts: dict[str, Fact] = Field(default_factory=dict)
    splits: tuple[Split, ...] = ()
    zones: Zones | None = None
    pacing: Literal["negative_split", "even", "positive_split"] | None = None
    cleaned: tuple[str, ...] = ()


_DIGITS: dict[Unit, int] = {"m/s": 2, "m/beat": 3, "": 3}


# what a model's own __init__ does, at two thirds of the time: a run's sheet has eighty figures
_made = TypeAdapter(Fact).validator.validate_python


def fact(value: float, unit: Unit, basis: str, quality: Quality = "good") -> Fact:
    """A figure, rounded to what its unit can carry."""
    return _made({"value": round(value, _DIGITS.get(unit, 1)), "unit": unit, "basis": basis, "quality": quality})
