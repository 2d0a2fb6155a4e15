"""`http-task`: the application is asked, and told when nobody wants its answer any more."""

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from temporalio import activity

from activities.waiting import answer_at
from domain.tasks import HttpTaskRequest
from domain.waiting import Asked

if TYPE_CHECKING:
    from activities.waiting import Waits
    from domain.protocols import TaskRunner
    from ledger.waitpoints import Waitpoints


class HttpTasks:
    """The activities of the kind `http-task`. `within`: how long the result may take where the task does not say."""

    def __init__(
        self, waitpoints: "Waitpoints", waits: "Waits", application: "TaskRunner", *, within: timedelta
    ) -> None:
        self._waitpoints, self._waits, self._application = waitpoints, waits, application
        self._within = within

    @activity.defn(name="call_application")
    async def call(self, task: HttpTaskRequest) -> Asked:
        """The application's result, or a wait for its callback, which may come before the answer to our request."""
        about = f"the application at {urlsplit(str(task.url)).hostname}"
        point = await self._waits.opened(about, task.timeout or self._within)
        if (known := answer_at(point)) is not None:
            return known
        answer = await self._application.call(task, _job_id(), point.expires_at)
        if answer.accepted:
            return await self._waits.waiting(point)
        await self._waitpoints.forget(point.id)
        return Asked(output=answer.output)

    @activity.defn(name="cancel_in_application")
    async def cancel(self, task: HttpTaskRequest) -> None:
        await self._application.cancel(task, _job_id())


def _job_id() -> UUID:
    return UUID(activity.info().workflow_id)
