"""The shapes of the running diary's endpoints, built from the ledger's rows here and only here."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from domain.model import Model
from domain.running.figures import Fact, Split, Zones
from domain.running.given import GivenWorkout
from domain.running.history import Similar
from domain.running.imports import ImportedFile
from domain.running.prediction import Prediction
from domain.workout import Source, Sport

if TYPE_CHECKING:
    from ledger.items import Item
    from ledger.workouts import WorkoutRow

ACTIVITY_ID = "7b0e62a5-3c1e-4a0b-9d63-0f6f1f2f8a11"
WHAT_CAME = {"done": "imported", "failed": "refused", "skipped": "passed_over"}


class ActivityGiven(GivenWorkout):
    """A runner's activity as JSON. Without streams its facts are the summary's own."""

    model_config = ConfigDict(extra="ignore")
    user_id: str | None = Field(default=None, max_length=256, description="a token of one user need not say it")


class ActivitySummary(Model):
    """A runner's activity in short. Figures that the recording does not give are null. One that is no run says why in
    `notARun`."""

    id: UUID = Field(examples=[ACTIVITY_ID])
    user_id: str
    name: str
    type: Sport
    not_a_run: str | None
    started_at: datetime
    distance_meters: float | None
    moving_seconds: float | None
    elapsed_seconds: float | None
    elevation_gain_meters: float | None
    avg_heart_rate: float | None
    source: Source
    created_at: datetime

    @classmethod
    def of(cls, row: "WorkoutRow") -> Self:
        return cls(**_brief(row))


class Activity(ActivitySummary):
    """A runner's activity with all that is known of it in figures; absent data gives no figure.

    `facts` are `{value, unit, basis, quality}` by name; seconds, metres, beats a minute. `splits` are those of
    kilometres and those of miles. `comparison` and `similar` are the run against the runner's own before it.
    """

    facts: dict[str, Fact]
    splits: list[Split]
    zones: Zones | None
    pacing: str | None
    cleaned: list[str] = Field(description="what was repaired or left out before counting")
    comparison: dict[str, Fact]
    similar: list[Similar]

    @classmethod
    def told(cls, row: "WorkoutRow", comparison: dict[str, Fact], similar: tuple[Similar, ...]) -> Self:
        found = row.facts
        return cls(
            **_brief(row),
            facts=found.facts,
            splits=list(found.splits),
            zones=found.zones,
            pacing=found.pacing,
            cleaned=list(found.cleaned),
            comparison=comparison,
            similar=list(similar),
        )


def _brief(row: "WorkoutRow") -> dict[str, Any]:
    def value(name: str) -> float | None:
        found = row.facts.facts.get(name)
        return found.value if found else None

    return {
        "id": row.id,
        "user_id": row.user_id,
        "name": row.name,
        "type": row.type,
        "not_a_run": row.facts.not_a_run,
        "started_at": row.started_at,
        "distance_meters": value("distance"),
        "moving_seconds": value("moving_time"),
        "elapsed_seconds": value("elapsed_time"),
        "elevation_gain_meters": value("elevation_gain"),
        "avg_heart_rate": value("average_heart_rate"),
        "source": row.source,
        "created_at": row.created_at,
    }


class ActivityPage(Model):
    """A user's activities, the latest start first. `nextCursor` is null on the last page."""

    activities: list[ActivitySummary]
    next_cursor: str | None


class TakenFile(Model):
    """What came of one of several files: the activity that is kept (`known`: it was there before), the job that imports
    it, or why it was refused."""

    file: str
    status: Literal["new", "known", "importing", "refused"]
    activity: ActivitySummary | None = None
    job_id: UUID | None = None
    code: str | None = None
    reason: str | None = None


class TakenFiles(Model):
    """One entry a file, in the order given."""

    files: list[TakenFile]


class Comparison(Model):
    """Two runs of one user. `differences` are b minus a, for every figure that both have."""

    a: ActivitySummary
    b: ActivitySummary
    differences: dict[str, Fact]


class Predictions(Model):
    """Race times by several methods, and the training load they stand on."""

    predictions: list[Prediction]
    load: dict[str, Fact]


class ImportedFiles(Model):
    """What came of an export's files, in its own order. `nextAfter` is `after` for the next page, null on the last."""

    files: list[ImportedFile]
    next_after: int | None


def imported(item: "Item") -> ImportedFile:
    told = item.outcome or {}
    status = "known" if told.get("code") == "known" else WHAT_CAME.get(item.status, item.status)
    return ImportedFile.model_validate(
        {"number": item.position, **told, "status": status, "reason": told.get("message")}
    )
