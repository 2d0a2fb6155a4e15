"""One thing done to many jobs."""

from typing import Literal

from domain.model import Model, Request

KIND = "bulk"
Action = Literal["cancel", "replay"]


class BulkRequest(Request):
    """What is done to the items of the job. `by` is what the audit of each says; None: its owner."""

    action: Action
    reason: str | None = None
    by: str | None = None


class BulkResult(Model):
    """How the items ended. Skipped: canceled or not, they had ended before."""

    matched: int
    done: int
    failed: int
    skipped: int
