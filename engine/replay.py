"""Asking for an old job again: the same or another payload, from the first step or from a later one."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.errors import JobNotFound, PayloadGone, UnknownStep
from domain.options import Budget, Options
from engine.submit import Submission, Submitter
from ledger.replays import given

if TYPE_CHECKING:
    from ledger.jobs import Jobs
    from ledger.rows import JobRow, Opened
    from workflows.kind import Catalog

# Options that say how a job is run. Those that say when or whether (delay, ttl, debounce, idempotency key, joining)
# were for that one time.
KEPT = ("priority", "concurrency_key", "webhook", "email")


class Replays:
    """A replay is a job of its own that points at the old one; what the old one cost is not counted in it."""

    def __init__(self, jobs: "Jobs", catalog: "Catalog") -> None:
        self._jobs, self._catalog = jobs, catalog

    async def replay(
        self,
        old: "JobRow",
        *,
        payload: dict[str, Any] | None = None,
        from_step: str | None = None,
        new_id: UUID | None = None,
        by: str | None = None,
    ) -> "Opened":
        """Open the new job, `by` whom it is asked. With `new_id` the same call repeated opens one.

        Raises UnknownKind, PayloadGone, UnknownStep, StepNotFinished, and what Submitter.submit raises.
        """
        if old.blanked_at is not None and (payload is None or from_step is not None):
            raise PayloadGone("what this job was given is no longer kept: send the payload to have the work done again")
        before = self._before(old, from_step)
        if payload is None:
            kind = self._catalog[old.kind]
            payload = kind.whole(old.payload, await self._jobs.given_items(old.id) if kind.items else None)
        asked = Submission(old.kind, payload, options_of(old), by)
        submitter = Submitter(self._jobs.also(given(old.id, before, from_step)), self._catalog)
        [opened] = await submitter.submit([asked], replay_of=old.id, ids=[new_id] if new_id else None)
        return opened

    async def again(self, job_id: UUID, new_id: UUID, by: str | None = None) -> UUID:
        """Replay the job of that id as it was. Raises JobNotFound, and what `replay` raises."""
        if (old := await self._jobs.get(job_id)) is None:
            raise JobNotFound("the job is gone")
        return (await self.replay(old, new_id=new_id, by=by)).id

    def _before(self, old: "JobRow", from_step: str | None) -> list[str]:
        """The steps that are not run again, in the order of the workflow's class, or of the payload that names them."""
        kind = self._catalog[old.kind]
        names = [step.name for step in (old.plan if kind.steps_of else kind.steps)]
        if from_step is None:
            return []
        if from_step not in names:
            raise UnknownStep(f"there is no such step; there are {', '.join(names)}", pointer="/fromStep")
        return names[: names.index(from_step)]


def options_of(row: "JobRow") -> Options:
    """The options with which the job would be asked for again."""
    named: dict[str, Any] = {
        "owner": row.owner or None,
        "tier": row.tier,
        "tags": row.tags,
        "metadata": row.metadata,
        "max_duration": row.max_duration_seconds,
        "retry": row.retry,
        **{name: getattr(row, name) or None for name in KEPT},
    }
    usual = {name: field.default for name, field in Options.model_fields.items()}
    if row.max_tokens is not None or row.max_usd is not None:
        named["budget"] = Budget(max_tokens=row.max_tokens, max_cost_usd=row.max_usd)
    return Options.model_validate({name: value for name, value in named.items() if value != usual[name]})
