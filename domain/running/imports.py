"""Years of workouts out of an export, as a job."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from domain.model import Model, Request

KIND = "import-run-export"
REFIGURE = "refigure-runs"
# No workout is in them: pictures, tables, what services add to their exports.
NO_WORKOUT = ("unknown_format", "empty_file")


class ImportRequest(Request):
    """`export` is the SHA-256 of a file that the user has uploaded to `/api/activities`."""

    user_id: str = Field(min_length=1, max_length=256, examples=["user_1"])
    export: str = Field(pattern="^[0-9a-f]{64}$")


class ImportResult(Model):
    """What came of the export's files. `imported` are new, those that are no runs (`notRuns`) among them; `known` were
    there before; `passedOver` hold no workout; `refused` are broken, each with its reason among the job's files.
    `refigured` counts workouts whose figures changed, for the export shows more of the runner."""

    total: int = 0
    imported: int = 0
    not_runs: int = 0
    known: int = 0
    passed_over: int = 0
    refused: int = 0
    refigured: int = 0


class RefigureRequest(Request):
    """Whose activities."""

    user_id: str = Field(min_length=1, max_length=256, examples=["user_1"])


class RefigureResult(Model):
    """How many activities had figures that would come out otherwise by now."""

    refigured: int = 0


class ImportedFile(Model):
    """What came of one file of an export; `activityId` for what is kept."""

    number: int
    file: str = ""
    status: Literal["pending", "imported", "known", "passed_over", "refused"]
    activity_id: UUID | None = None
    is_run: bool | None = None
    code: str | None = None
    reason: str | None = None
