"""Workouts for tests: the real ones under tests/data/running, and made ones of which every figure is known."""

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from domain.workout import Pause, Session, Source, Sport, Streams, Workout
from providers.workout_files import read_workout

FOLDER = Path(__file__).parents[1] / "data" / "running"
BEGAN = datetime(2025, 5, 4, 7, 30, tzinfo=UTC)
METRES_A_DEGREE = 6_371_008.8 * math.pi / 180


def content(start: str) -> bytes:
    """The bytes of the one file whose name starts so."""
    (path,) = FOLDER.glob(f"{start}*")
    return path.read_bytes()


@cache
def recorded(start: str) -> Workout:
    """The workout in the one file whose name starts so."""
    return read_workout(content(start))


def column(values: Iterable[float] | None) -> "array[float]":
    return array("d", () if values is None else values)


def made(
    seconds: Sequence[float],
    *,
    distance: Iterable[float] | None = None,
    altitude: Iterable[float] | None = None,
    heart_rate: Iterable[float] | None = None,
    cadence: Iterable[float] | None = None,
    northward: Iterable[float] | None = None,
    sport: Sport = "run",
    source: Source = "fit",
    pauses: Sequence[Pause] = (),
    session: Session | None = None,
) -> Workout:
    """A workout of these samples; `northward` are metres along a meridian, as positions."""
    latitudes = None if northward is None else [48 + metres / METRES_A_DEGREE for metres in northward]
    return Workout(
        sport=sport,
        name="made",
        started_at=BEGAN,
        source=source,
        content_hash="0" * 64,
        streams=Streams(
            seconds=column(seconds),
            distance_m=column(distance),
            altitude_m=column(altitude),
            heart_rate_bpm=column(heart_rate),
            cadence_spm=column(cadence),
            latitude_deg=column(latitudes),
            longitude_deg=column(None if latitudes is None else [11.0] * len(latitudes)),
        ),
        pauses=pauses,
        session=session or Session(),
    )


def steady(
    minutes: float,
    speed_mps: float = 3.0,
    *,
    every: float = 1.0,
    heart_rate: Callable[[float], float] | None = None,
    altitude: Callable[[float], float] | None = None,
) -> Workout:
    """A run at one speed with a sample `every` so many seconds, heart rate and altitude by the second."""
    seconds = [i * every for i in range(int(minutes * 60 / every) + 1)]
    return made(
        seconds,
        distance=[speed_mps * now for now in seconds],
        heart_rate=None if heart_rate is None else map(heart_rate, seconds),
        altitude=None if altitude is None else map(altitude, seconds),
    )
