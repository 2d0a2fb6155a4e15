"""Who changed what that belongs to no one job; a job's own audit is at `/api/jobs/{id}/audit`."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.dependencies import Auth, Given
from api.wire import reply
from domain.model import Model

router = APIRouter(prefix="/api/audit", tags=["upkeep"])
MOST = 100


class Deed(Model):
    """`by` names a secret key by its fingerprint (`key:1a2b3c4d`) or an owner (`owner:user_1`)."""

    id: int
    at: datetime
    by: str = Field(examples=["key:1a2b3c4d"])
    action: str = Field(examples=["queue.pause"])
    subject: str = Field(examples=["queues/company-research"])
    data: dict[str, Any]


class Deeds(Model):
    """Newest first. `nextBefore` is the `before` of the next page, null on the last."""

    deeds: list[Deed]
    next_before: int | None


@router.get("", response_model=Deeds)
async def list_deeds(
    given: Given,
    caller: Auth,
    subject: Annotated[str | None, Query(max_length=512, description="What was changed.")] = None,
    before: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Response:
    """Who changed what: queues, limits, endpoints. What was done to a job is in that job's own audit."""
    caller.server_only()
    rows = await given.audit.read(subject=subject, before=before, limit=limit + 1)
    deeds = [Deed.model_validate(vars(row)) for row in rows[:limit]]
    return reply(Deeds(deeds=deeds, next_before=deeds[-1].id if len(rows) > limit else None))
