"""Ways to ask for a job: one, a batch, an old one again. Nobody waits for the engine: the ledger's commit answers."""

from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Response
from pydantic import Field

from api.dependencies import Auth, Given, IdempotencyKey, Services, keyed, note_job
from api.errors import NotFound, Problem
from api.grants import Caller
from api.wire import Batch, BatchStarted, Start, Started, reply
from domain.errors import CallerError
from domain.model import Request
from domain.options import Options
from engine.submit import Submission
from ledger.rows import Opened
from workflows.kind import Kind

router = APIRouter(prefix="/api", tags=["jobs"])
REFUSALS: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "A token says premium: only a server may"},
    409: {"model": Problem, "description": "The idempotency key came with another payload before"},
    413: {"model": Problem, "description": "The body, the payload or the metadata is too large"},
    503: {"model": Problem, "description": "The ledger does not answer; `jobId`, if there, names a job that may exist"},
}
REPLAY_REFUSALS: dict[int | str, dict[str, Any]] = REFUSALS | {
    409: {"model": Problem, "description": "A step before `fromStep` has left nothing to begin after"},
}


class Again(Request):
    """What a replay changes: the payload; the step to begin with."""

    payload: dict[str, Any] | None = None
    from_step: str | None = Field(
        default=None, max_length=200, description="Steps before it answer with what they answered in the old job."
    )


@router.post(
    "/jobs",
    status_code=202,
    response_model=Started,
    responses={200: {"model": Started, "description": "The idempotency key is known"}, **REFUSALS},
)
async def start(asked: Start, given: Given, caller: Auth, key: IdempotencyKey = None) -> Response:
    """Start a job.

    Answers as soon as the ledger holds it; the engine may be down. `GET /api/kinds` lists the kinds. The same
    idempotency key with the same payload answers 200 with the first job; `options.skipIfActive` joins an open job that
    is the same.
    """
    kind = given.catalog[asked.job_type]
    submission = _submission(kind, asked.payload, given.served(keyed(asked.options, key), caller), caller)
    [opened] = await given.submitter.submit([submission])
    return started(opened, kind)


@router.post("/jobs/batch", status_code=202, response_model=BatchStarted, responses=REFUSALS)
async def start_batch(asked: Batch, given: Given, caller: Auth) -> Response:
    """Start up to 1,000 jobs together: all or, if any is refused, none. Pointers name the item: `/items/3/options`."""
    submissions: list[Submission] = []
    try:
        for item in asked.items:
            kind = given.catalog[item.job_type]
            submissions.append(_submission(kind, item.payload, given.served(item.options, caller), caller))
        return await open_batch(submissions, given)
    except CallerError as error:
        at = len(submissions) if error.item is None else error.item
        error.within(f"/items/{at}")
        raise


@router.post("/jobs/{job_id}/replay", status_code=202, response_model=Started, responses=REPLAY_REFUSALS)
async def replay(job_id: str, given: Given, caller: Auth, asked: Again | None = None) -> Response:
    """Start a new job with the payload and options of an old one, or with another payload.

    `fromStep` begins later: steps before it are not run again but answer what they answered in the old job. 409
    `step_not_finished` when the old job has kept nothing of one of them. Delay, ttl, debounce and idempotency key are
    not taken over.
    """
    row, asked = await given.job(job_id, caller), asked or Again()
    if not caller.changes(row):
        raise NotFound
    kind = given.catalog[row.kind]
    if asked.payload is not None and kind.only_by_name(asked.payload):
        caller.starts(kind.name, kind.aliases, row.owner or None, by_name=True)
    by = caller.acting_for(row.owner)
    opened = await given.replays.replay(row, payload=asked.payload, from_step=asked.from_step, by=by)
    return started(opened, kind)


def started(opened: Opened, kind: Kind, **told: Any) -> Response:
    """202, or 200 for a known idempotency key; `told` is said besides."""
    note_job(opened.id)
    url = f"/api/jobs/{opened.id}"
    body: dict[str, Any] = {
        "jobId": opened.id,
        "jobType": kind.name,
        "status": opened.status,
        "statusUrl": url,
        "eventsUrl": f"{url}/events",
        **told,
    }
    if opened.why == "key":
        return reply(body | {"isCached": True}, 200, Location=url)
    return reply(body, 202, Location=url)


async def open_batch(submissions: list[Submission], given: Services) -> Response:
    """One transaction, one batch id."""
    batch_id = uuid4()
    opened = await given.submitter.submit(submissions, batch_id=batch_id)
    body = {"batchId": batch_id, "jobIds": [one.id for one in opened]}
    return reply(body, 202, Location=f"/api/batches/{batch_id}")


def _submission(kind: Kind, payload: dict[str, Any], options: Options, caller: Caller) -> Submission:
    owner = caller.starts(kind.name, kind.aliases, options.owner, by_name=kind.only_by_name(payload))
    if owner != options.owner:
        options = options.model_copy(update={"owner": owner})
    return Submission(kind.name, payload, options, by=caller.acting_for(owner))
