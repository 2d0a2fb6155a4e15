"""A workout that an application sends as JSON instead of as a file."""

from datetime import datetime

from pydantic import Field

from domain.model import Request
from domain.workout import Sport, Workout

MOST_SAMPLES = 200_000


class GivenSummary(Request):
    """What the application knows of the whole."""

    distance_meters: float | None = Field(default=None, ge=0, le=1e6)
    moving_seconds: float | None = Field(default=None, ge=0, le=1e6)
    elapsed_seconds: float | None = Field(default=None, ge=0, le=1e6)
    elevation_gain_meters: float | None = Field(default=None, ge=0, le=2e4)
    avg_heart_rate: float | None = Field(default=None, ge=25, le=250)
    max_heart_rate: float | None = Field(default=None, ge=25, le=250)
    avg_cadence: float | None = Field(default=None, ge=0, le=300, description="steps a minute, both feet")


class GivenLap(Request):
    start_seconds: float = Field(ge=0)
    elapsed_seconds: float | None = Field(default=None, ge=0)
    moving_seconds: float | None = Field(default=None, ge=0)
    distance_meters: float | None = Field(default=None, ge=0)
    avg_heart_rate: float | None = Field(default=None, ge=25, le=250)


class GivenStreams(Request):
    """Equally long lists; `null` where a sample is missing. `time` is in seconds since the start."""

    time: list[float] = Field(default_factory=list, max_length=MOST_SAMPLES)
    distance: list[float | None] = Field(default_factory=list, description="metres since the start")
    altitude: list[float | None] = Field(default_factory=list, description="metres")
    heart_rate: list[float | None] = Field(default_factory=list, description="beats a minute")
    cadence: list[float | None] = Field(default_factory=list, description="steps a minute, both feet")
    latitude: list[float | None] = Field(default_factory=list, description="degrees")
    longitude: list[float | None] = Field(default_factory=list, description="degrees")


class GivenWorkout(Request):
    """Without streams the facts are the summary's own, and no more."""

    name: str = Field(default="", max_length=200)
    type: Sport = "run"
    started_at: datetime
    summary: GivenSummary = GivenSummary()
    laps: list[GivenLap] = Field(default_factory=list, max_length=1_000)
    streams: GivenStreams = GivenStreams()


def workout_given(given: GivenWorkout) -> Workout:
    """The workout of a JSON body; raises WorkoutRefused for streams that do not fit each other."""
    raise NotImplementedError
