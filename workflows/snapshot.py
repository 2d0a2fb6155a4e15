"""A workflow's own picture of its steps and items: the answer to the Query `progress`, and its current details."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.job import Carried, Failure, Items, Job, Progress, StepState, StepStatus


class Snapshot:
    """What is known of each step, those of earlier runs included; `items` as the last portion left them."""

    def __init__(self, job: Job[Any]) -> None:
        carried = job.carried or Carried()
        self._states = {step.name: StepState(name=step.name, max_attempts=step.max_attempts) for step in job.plan}
        self._states |= {state.name: state for state in carried.steps}
        self.items: Items | None = carried.items

    @property
    def states(self) -> tuple[StepState, ...]:
        return tuple(self._states.values())

    @property
    def progress(self) -> Progress:
        return Progress.of([state.status for state in self._states.values()], self.items)

    def wire(self) -> dict[str, Any]:
        """{progress, steps} as on the wire."""
        return {
            "progress": self.progress.model_dump(mode="json", by_alias=True),
            "steps": [state.model_dump(mode="json", by_alias=True) for state in self.states],
        }

    def completed(self, name: str) -> bool:
        """Whether the step was completed, in this run or in one before it."""
        return self._states[name].status == "completed"

    def mark(self, name: str, status: StepStatus, failure: Failure | None = None) -> None:
        """Note what becomes of a step, and show it to whoever looks at the execution."""
        state, now = self._states.get(name) or StepState(name=name), workflow.now()
        ended = status in ("completed", "failed", "skipped")
        self._states[name] = state.model_copy(
            update={
                "status": status,
                "attempt": max(1, state.attempt),
                "started_at": now if status == "running" else state.started_at,
                "finished_at": now if ended else None,
                "error": failure,
            }
        )
        progress = self.progress
        items = f" · {progress.percent} %" if progress.items else ""
        workflow.set_current_details(f"{progress.text} · {name.replace('_', ' ')} {status}{items}")
