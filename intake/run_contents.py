"""Before a job writes about runs: whether they are the owner's; and jobs that start by themselves for a new run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from domain.errors import CallerError, LongrunError
from domain.options import Options
from domain.running.contents import ContentRequest, ReviewRequest
from engine.submit import Check, Submission

if TYPE_CHECKING:
    from engine.submit import Submitter
    from ledger.users import Users
    from ledger.workouts import Workouts

log = structlog.get_logger()
PROCESS = "process-activity-content"
OF_ONE_RUN = ("generate-run-letter", "generate-coaching-insight", PROCESS)
OF_MORE = "review-runs"


def checks(workouts: "Workouts") -> Mapping[str, Check]:
    """For the submitter: the runs that a payload names are there, and the owner's."""

    async def there(activity_id: UUID, owner: str, name: str) -> None:
        row = await workouts.get(activity_id)
        if row is None or row.user_id != owner:
            raise CallerError(
                "there is no such activity, or it is not this user's", code="not_found", pointer=f"/payload/{name}"
            )

    async def one(asked: ContentRequest, owner: str) -> None:
        await there(asked.activity_id, owner, "activityId")

    async def more(asked: ReviewRequest, owner: str) -> None:
        for name, activity_id in (("a", asked.a), ("b", asked.b)):
            if activity_id:
                await there(activity_id, owner, name)

    return {**dict.fromkeys(OF_ONE_RUN, one), OF_MORE: more}


class AutoContent:
    """Starts the writing for a new run, where its user has asked for that."""

    def __init__(self, users: "Users", submitter: "Submitter") -> None:
        self._users, self._submitter = users, submitter

    async def for_new(self, user_id: str, activity_id: UUID) -> UUID | None:
        """The job's id, or None. A job that cannot be started is a pity, and no reason to refuse the run."""
        try:
            user = await self._users.get(user_id)
            if user is None or not user.auto_generate:
                return None
            payload = {"activityId": str(activity_id), "userId": user_id}
            # the same run again starts nothing twice
            options = Options(owner=user_id, idempotency_key=f"auto:{activity_id}")
            [opened] = await self._submitter.submit([Submission(PROCESS, payload, options, by="auto")])
        except LongrunError as error:
            log.warning("content of a new run could not be started", code=error.code)
            return None
        return opened.id
