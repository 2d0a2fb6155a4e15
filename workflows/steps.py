"""What every workflow is made of: named steps that people see, isolation of failures, and one shielded end."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NoReturn, TypeVar
from uuid import UUID

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    is_cancelled_exception,
)

from workflows.children import child
from workflows.deadline import Deadline
from workflows.ending import ended
from workflows.executing import Executing
from workflows.failing import NEVER_ISOLATED, failure_of
from workflows.policies import Policy
from workflows.snapshot import Snapshot
from workflows.surely import surely
from workflows.waiting import Listener

with workflow.unsafe.imports_passed_through():
    from activities.closing import Closing, Note
    from activities.waiting import Waits
    from domain.errors import LongrunError
    from domain.job import Carried, Failure, Items, Job, Ongoing, Outcome, Status
    from domain.model import Model
    from domain.portions import Again, Portion
    from domain.waiting import Asked, Waiting, WaitRequest

T = TypeVar("T")
A = TypeVar("A")
R = TypeVar("R", bound=Ongoing)
# of these one run is made: its history stays small, however long each of them takes
PORTIONS = 50


@dataclass(frozen=True)
class Step:
    """One unit of progress: the name people see and how its activity is run."""

    name: str
    policy: Policy


class Steps:
    """A workflow's steps. Holds its own snapshot (the Query `progress`); the ledger's is written by the interceptor."""

    def __init__(self, job: Job[Any], steps: Sequence[Step]) -> None:
        carried = job.carried or Carried()
        self._job = job
        self._work = Executing(job, {step.name: step.policy for step in steps})
        self._snapshot = Snapshot(job)
        self._runs = dict(carried.runs)
        self._listener = Listener()
        self._deadline = Deadline(job)
        workflow.set_query_handler("progress", self._snapshot.wire)

    async def run(
        self,
        name: str,
        activity: Callable[..., Awaitable[T]],
        *args: Any,
        otherwise: Callable[[Failure], T | Awaitable[T]] | None = None,
    ) -> T:
        """Run a step. When it fails for good, `otherwise` (a value or another activity) answers in its place.

        Cancel, a closed job and an exceeded budget win over `otherwise`. A step whose activity has asked somebody
        outside (Asked, with a waitpoint) goes on until the answer is there.
        """
        run = self._runs[name] = self._runs.get(name, 0) + 1
        activity_id = name if run == 1 else f"{name}#{run}"
        return await self._isolated(name, activity_id, self._asked(activity_id, name, activity, args), otherwise)

    async def rounds(
        self,
        name: str,
        activity: Callable[[Any, A], Awaitable[R]],
        asked: A,
        then: Callable[[R], Awaitable[A]],
        *,
        otherwise: Callable[[Failure], R] | None = None,
        until: datetime | None = None,
    ) -> R:
        """A step of as many rounds as it takes: while the activity's answer goes on, `then` does what that wants and
        says what is asked next.

        All rounds share the step's own id, so it has one row and is running until the last of them. One that has not
        ended by `until` has failed.
        """

        async def playing() -> R:
            answer = await self._work.execute(name, name, activity, (asked,), until)
            while answer.goes_on:
                answer = await self._work.execute(name, name, activity, (await then(answer),), until)
            return answer

        return await self._isolated(name, name, playing(), otherwise)

    async def beside(
        self, name: str, activity: Callable[..., Awaitable[T]], *args: Any, until: datetime | None = None
    ) -> T:
        """An activity that belongs to a step and is none itself: nothing is written of it."""
        return await self._work.execute(None, name, activity, args, until)

    async def _asked(
        self, activity_id: str, name: str, activity: Callable[..., Awaitable[T]], args: Sequence[Any]
    ) -> T:
        """What the activity answers, or the one outside whom it has asked."""
        result: Any = await self._work.execute(activity_id, name, activity, args)
        if isinstance(result, Asked) and result.waiting is not None:
            result = await self._listener.answer_to(result.waiting, name)
        return result  # pyright: ignore[reportReturnType]

    async def _isolated(
        self,
        name: str,
        activity_id: str,
        work: Coroutine[Any, Any, T],
        otherwise: Callable[[Failure], T | Awaitable[T]] | None,
    ) -> T:
        """The step's states around its work, and `otherwise` where that fails for good."""
        self._snapshot.mark(name, "running")
        try:
            result = await work
        except (ActivityError, ApplicationError, asyncio.CancelledError) as error:
            failure = failure_of(error, name)
            self._snapshot.mark(name, "failed", failure)
            if otherwise is None or is_cancelled_exception(error) or failure.code in NEVER_ISOLATED:
                raise
            if isinstance(error, ActivityError) and not isinstance(error.cause, ApplicationError):
                await self._note(activity_id, "failed", failure)
            answer = otherwise(failure)
            return await answer if inspect.isawaitable(answer) else answer  # pyright: ignore[reportReturnType]
        self._snapshot.mark(name, "completed")
        return result

    async def portions(self, name: str, activity: Callable[..., Awaitable[Portion]], *args: Any) -> Items:
        """A step that does the job's items, a portion an activity, until none is left; answers how they ended.

        All portions share the step's own id, so it has one row and is running until the last of them. What a portion
        did stands in the ledger before it answers: one that is tried again goes on where the last one stopped.
        """
        self._snapshot.mark(name, "running")
        done = 0
        while True:
            try:
                portion = await self._work.execute(name, name, activity, args)
            except (ActivityError, asyncio.CancelledError) as error:
                self._snapshot.mark(name, "failed", failure_of(error, name))
                raise
            self._snapshot.items = portion.items
            self._snapshot.mark(name, "running" if portion.left else "completed")
            if not portion.left:
                return portion.items
            if portion.wait_seconds > 0:
                await workflow.sleep(portion.wait_seconds)
            done += 1
            if done == PORTIONS:
                self.next_run(self._job.payload)

    def again(self, name: str) -> Again:
        """How the step's policy, with what the caller asked for, offers a failed item again."""
        return self._work.again(name)

    def within(self, limit: timedelta) -> None:
        """The job may take so long from the start of this run, and no longer than it might before."""
        self._deadline.within(limit)

    @property
    def left(self) -> float:
        """Seconds until the job has taken as long as it may."""
        return self._deadline.left

    def done(self, name: str) -> bool:
        """Whether the step was completed, in this run or in one before it."""
        return self._snapshot.completed(name)

    async def wait_for(
        self,
        name: str,
        about: str,
        *,
        within: timedelta,
        otherwise: Callable[[Failure], Any] | None = None,
    ) -> Any:
        """A step that waits for somebody outside, for days if need be; answers with what was said.

        `about` says in words for whom or what. Its waitpoint (domain.waiting.waitpoint_of) is completed or failed by
        API; it fails with `wait_timed_out` after `within`. Nothing but a timer is held meanwhile.
        """
        asked = WaitRequest(about=about, within=within)
        answer: Any = await self.run(name, Waits.open_wait, asked, otherwise=otherwise)
        return answer.output if isinstance(answer, Asked) else answer

    async def stand_in(self, name: str, activity: Callable[..., Awaitable[T]], *args: Any) -> T:
        """The activity that answers in a failed step's place; it has no step of its own."""
        # counted by itself, for repeats must not be answered with each other's stored outputs
        nth = self._runs[f"{name}#otherwise"] = self._runs.get(f"{name}#otherwise", 0) + 1
        repeat = "" if nth == 1 else f"#{nth}"
        return await self._work.execute(f"{name}{repeat}#otherwise", name, activity, args)

    async def called_back(self, waiting: Waiting, name: str) -> None:
        """Between the rounds of a step: wait for somebody outside, who has answered, or will not, or has not in time.
        The next round finds in the ledger which it was."""
        with suppress(ApplicationError):
            await self._listener.answer_to(waiting, name)

    async def skip(self, name: str) -> None:
        """Say that a step is not needed."""
        self._snapshot.mark(name, "skipped")
        await self._note(name, "skipped", None)

    async def child(self, kind: str, payload: Model, child_id: UUID | None = None) -> Any:
        """Run another job as part of this one, with a public id of its own, in this job's slot."""
        return await child(self._job.id, kind, payload, child_id)

    def next_run(self, payload: Model) -> NoReturn:
        """Continue as new with this snapshot, the counts of repeats and the deadline."""
        snapshot, deadline = self._snapshot, self._deadline
        carried = Carried(
            steps=snapshot.states,
            runs=self._runs,
            deadline=deadline.at,
            allowed=deadline.allowed,
            items=snapshot.items,
        )
        workflow.continue_as_new(self._job.model_copy(update={"payload": payload, "carried": carried}))

    async def to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work within the job's deadline, write the end whatever it is, and end as the ledger says.

        A programmer's error passes: Temporal suspends the task, and a fixed deploy mends it.
        """
        result: T | None = None
        try:
            async with self._deadline.clock():
                result = await work
            outcome = self._outcome(Status.COMPLETED, result=result)
        except (FailureError, LongrunError, asyncio.CancelledError, TimeoutError) as error:
            if late := self._deadline.failure:
                outcome = self._outcome(Status.TIMED_OUT, error=late)
            elif is_cancelled_exception(error) and workflow.cancellation_reason() is not None:
                outcome = self._outcome(Status.CANCELED)
            else:
                outcome = self._outcome(Status.FAILED, error=failure_of(error))
        return await ended(outcome, result)

    async def _note(self, activity_id: str, status: Literal["failed", "skipped"], failure: Failure | None) -> None:
        note = Note(job_id=self._job.id, activity_id=activity_id, at=workflow.now(), status=status, error=failure)
        await surely(Closing.note, note)

    def _outcome(self, status: Status, *, result: Any = None, error: Failure | None = None) -> Outcome:
        answered_by, listed = getattr(result, "answered_by", None), getattr(result, "listed", None)
        return Outcome(
            job_id=self._job.id, status=status, result=result, error=error, answered_by=answered_by, listed=listed
        )
