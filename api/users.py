"""Owners of jobs, as far as the application tells of them."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Path, Response

from api.dependencies import Auth, Given
from api.errors import NotFound, Problem
from api.starting import started
from api.wire import Started, reply
from domain.errors import CallerError
from domain.options import Options
from domain.running.imports import REFIGURE
from domain.users import User, UserRequest
from engine.submit import Submission
from workflows.erasing import KIND

router = APIRouter(prefix="/api/users", tags=["users"])
UserId = Annotated[str, Path(min_length=1, max_length=256, examples=["user_1"])]


class Erasing(CallerError):
    """A user comes back while the data of the one before is being erased."""

    code = "erasing"
    status = 409


@router.put(
    "/{user_id:path}",
    response_model=User,
    responses={201: {"model": User, "description": "The user is new here"}, 409: {"model": Problem}},
)
async def put_user(user_id: UserId, asked: UserRequest, given: Given, caller: Auth) -> Response:
    """Tell of a user, whose id is the `owner` of their jobs. What is left out has its default.

    The tier holds for all jobs of theirs that are started from now on. Where a heart rate changes the zones of running
    activities that are there already, a job `refigure-runs` of the user's counts their figures again.
    """
    caller.server_only()
    if (kept := await given.users.put(user_id, asked)) is None:
        raise Erasing("the data of this user is being erased; try again when that is done")
    user, is_new = kept
    await given.audit.note(caller.name, "user.put", f"users/{user_id}")
    if await given.workout_intake.behind(user_id):
        options = Options(owner=user_id, skip_if_active=True)
        await given.submitter.submit([Submission(REFIGURE, {"userId": user_id}, options, by=caller.name)])
    return reply(user, 201 if is_new else 200)


@router.get("/{user_id:path}", response_model=User)
async def get_user(user_id: UserId, given: Given, caller: Auth) -> Response:
    """One user; a token shows those whose jobs it shows."""
    if (user := await given.users.get(caller.reads_of(user_id))) is None:
        raise NotFound
    return reply(user)


@router.delete("/{user_id:path}", status_code=202, response_model=Started, responses={503: {"model": Problem}})
async def delete_user(user_id: UserId, given: Given, caller: Auth) -> Response:
    """Erase a user and all that their jobs have left here and in the engine.

    The user is gone at once; the rest is done by the job that is answered, also through a crash, and also when there
    is no such user but jobs of that owner. It ends their schedules and webhooks, cancels open jobs, deletes their
    executions and blanks their rows: payload, result, steps, metadata, tags, addresses, answers of models, briefings,
    events. Kind, status, times and cost stay, without an owner. What the user starts meanwhile goes too.
    Asking again while it is done answers the same job.
    """
    caller.server_only()
    erasure_id = await given.users.forget(user_id, uuid4())
    # named by the id alone: what the job was handed outlives it in the engine
    [opened] = await given.submitter.submit([Submission(KIND, {})], ids=[erasure_id])
    await given.audit.note(caller.name, "user.erase", "users", jobId=str(erasure_id))
    return started(opened, given.catalog[KIND])
