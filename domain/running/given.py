"""A workout that an application sends as JSON instead of as a file."""

import hashlib
from datetime import UTC, datetime
from itertools import pairwise

from pydantic import Field

from domain.model import Request
from domain.samples import EARLIEST, LATEST, MOST_SAMPLES, Samples, number
from domain.workout import Lap, Session, Sport, Streams, Workout, WorkoutRefused


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
    streams, told = Streams(), given.streams
    began = given.started_at if given.started_at.tzinfo else given.started_at.replace(tzinfo=UTC)
    if began.timestamp() < EARLIEST or began.timestamp() > LATEST:
        raise WorkoutRefused("it started before 1990 or after 2100", code="bad_clock")
    channels = (told.distance, told.altitude, told.heart_rate, told.cadence, told.latitude, told.longitude)
    if any(channel and len(channel) != len(told.time) for channel in channels):
        raise WorkoutRefused("the streams are not as long as their `time`", code="invalid_streams")
    if told.time:
        if told.time[0] < 0 or any(after < before for before, after in pairwise(told.time)):
            raise WorkoutRefused("the stream `time` falls or begins before 0", code="invalid_streams")
        samples = Samples()
        filled = [channel or [None] * len(told.time) for channel in channels]
        for at, *row in zip(told.time, *filled, strict=True):
            samples.add(began.timestamp() + at, tuple(number(value) for value in row))
        samples.started_at()
        streams = samples.streams(began)
    summary = given.summary
    return Workout(
        sport=given.type,
        name=given.name,
        started_at=began.astimezone(UTC),
        source="json",
        content_hash=hashlib.sha256(given.model_dump_json(exclude={"name"}).encode()).hexdigest(),
        streams=streams,
        laps=tuple(
            Lap(
                start_seconds=lap.start_seconds,
                elapsed_seconds=lap.elapsed_seconds,
                timer_seconds=lap.moving_seconds,
                distance_m=lap.distance_meters,
                average_heart_rate_bpm=lap.avg_heart_rate,
            )
            for lap in given.laps
        ),
        session=Session(
            distance_m=summary.distance_meters,
            elapsed_seconds=summary.elapsed_seconds,
            timer_seconds=summary.moving_seconds,
            average_heart_rate_bpm=summary.avg_heart_rate,
            max_heart_rate_bpm=summary.max_heart_rate,
            average_cadence_spm=summary.avg_cadence,
            ascent_m=summary.elevation_gain_meters,
        ),
    )
