"""A runner's activity as it was recorded, whatever file it came in. On the wire it is an *activity*."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.errors import CallerError
from domain.model import Model

Sport = Literal["run", "walk", "hike", "ride", "swim", "row", "ski", "other"]
Source = Literal["fit", "gpx", "tcx", "json"]

ABSENT = math.nan

# What a recording may hold beside its clock. Each is as long as `seconds`, or empty; NaN where a sample is missing.
CHANNELS = (
    "distance_m",
    "altitude_m",
    "heart_rate_bpm",
    "cadence_spm",
    "latitude_deg",
    "longitude_deg",
)


class WorkoutRefused(CallerError):
    """A file, or one member of an export, that holds no workout to keep. `code` is stable, `message` says why.

    `empty_file`, `unknown_format`, `broken_file`, `checksum_mismatch`, `truncated_file`, `unsafe_xml`,
    `not_an_activity`, `no_samples`, `bad_clock`, `too_large`, `unsafe_archive`, `encrypted_archive`, `invalid_streams`.
    """

    code = "broken_file"


class WorkoutKnown(WorkoutRefused):
    """A file that was kept before, as its content says: it was not read."""

    def __init__(self, content_hash: str) -> None:
        super().__init__("this workout was there before", code="known")
        self.content_hash = content_hash


def _none() -> "array[float]":
    return array("d")


@dataclass(frozen=True, slots=True)
class Streams:
    """Samples in the order of time: `seconds` since the start, never falling; the channels as CHANNELS says.

    `distance_m` is cumulative as the device counted it; `cadence_spm` counts both feet, in steps a minute.
    """

    seconds: "array[float]" = field(default_factory=_none)
    distance_m: "array[float]" = field(default_factory=_none)
    altitude_m: "array[float]" = field(default_factory=_none)
    heart_rate_bpm: "array[float]" = field(default_factory=_none)
    cadence_spm: "array[float]" = field(default_factory=_none)
    latitude_deg: "array[float]" = field(default_factory=_none)
    longitude_deg: "array[float]" = field(default_factory=_none)

    def __len__(self) -> int:
        return len(self.seconds)

    def channel(self, name: str) -> "array[float]":
        """A channel of CHANNELS by its name."""
        found: array[float] = getattr(self, name)
        return found


class Lap(Model):
    """A lap as the device counted it. `start_seconds` is since the start of the workout."""

    start_seconds: float
    elapsed_seconds: float | None = None
    timer_seconds: float | None = None
    distance_m: float | None = None
    average_heart_rate_bpm: float | None = None


class Pause(Model):
    """The device's timer stood still, in seconds since the start of the workout."""

    start_seconds: float
    end_seconds: float


class Session(Model):
    """What the device itself says of the whole; None where it says nothing."""

    distance_m: float | None = None
    elapsed_seconds: float | None = None
    timer_seconds: float | None = None
    average_heart_rate_bpm: float | None = None
    max_heart_rate_bpm: float | None = None
    average_cadence_spm: float | None = None
    ascent_m: float | None = None
    descent_m: float | None = None
    # From the profile of the person who wore it.
    profile_max_heart_rate_bpm: float | None = None
    profile_resting_heart_rate_bpm: float | None = None


@dataclass(frozen=True, slots=True)
class Workout:
    """One recording. `content_hash` is the SHA-256 (hexadecimal) of its uncompressed bytes: the same file again is the
    same workout; another file with the same `started_at` to the second is the same workout in another format."""

    sport: Sport
    name: str
    started_at: datetime
    source: Source
    content_hash: str
    streams: Streams = field(default_factory=Streams)
    laps: Sequence[Lap] = ()
    pauses: Sequence[Pause] = ()
    session: Session = field(default_factory=Session)

    @property
    def start_key(self) -> datetime:
        """`started_at` to the second, in UTC: what two recordings of one workout share."""
        return self.started_at.replace(microsecond=0)
