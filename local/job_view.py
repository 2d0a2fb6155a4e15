"""A job as a person at a terminal sees it. What comes from a job is shown as text, never read as markup."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from longrun import Client, Job, Step

STYLES = {"completed": "green", "failed": "red", "timed_out": "red", "expired": "red", "canceled": "yellow"}
MARKS = {"pending": "·", "completed": "✓", "failed": "✗", "skipped": "–"}


def follow(client: Client, job_id: str, timeout: float | None, console: Console) -> Job:
    """Show a job live until it has ended, where nothing can be redrawn its end alone; raises as `Client.wait` does."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=10) as live:
            return client.wait(job_id, timeout, lambda job: live.update(job_view(job), refresh=True))
    job = client.wait(job_id, timeout)
    console.print(job_view(job))
    return job


def job_view(job: Job) -> RenderableType:
    """Progress bar, steps, and how the job stands."""
    steps = Table.grid(padding=(0, 2))
    moving = {step.name: Spinner("dots") for step in job.steps if step.status in ("running", "retrying")}
    for step in job.steps:
        steps.add_row(moving.get(step.name, Text(MARKS.get(step.status, ""))), Text(step.name), _note(step))
    return Group(_Head(job), steps, _standing(job))


def job_table(jobs: Iterable[Job]) -> Table:
    """One row a job."""
    table = Table("id", "type", "status", "steps", "owner", "created", box=None, pad_edge=False)
    for job in jobs:
        status = Text(job.status, STYLES.get(job.status, ""))
        created = job.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(job.job_id, Text(job.job_type), status, job.progress.text, Text(job.owner or ""), created)
    return table


class _Head:
    """The bar, with a clock that goes on between two changes of the job."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        job = self.job
        seconds = ((job.finished_at or datetime.now(UTC)) - job.created_at).total_seconds()
        bar = ProgressBar(total=max(job.progress.total, 1), completed=job.progress.done, width=30)
        head = Table.grid(padding=(0, 1))
        head.add_row(Text(job.job_type, "bold"), bar, Text(job.progress.text), Text(f"{max(seconds, 0):.1f} s"))
        yield head


def _note(step: Step) -> Text:
    if step.error:
        retrying = f", attempt {step.attempt} of {step.max_attempts} follows" if step.status == "retrying" else ""
        return Text(f"{step.error.code}: {step.error.message}{retrying}", "yellow")
    if step.status in ("running", "retrying") and step.attempt > 1:
        return Text(f"attempt {step.attempt} of {step.max_attempts}")
    if step.started_at and step.finished_at:
        return Text(f"{(step.finished_at - step.started_at).total_seconds():.1f} s", "dim")
    return Text("")


def _standing(job: Job) -> Text:
    line = Text.assemble((job.status, STYLES.get(job.status, "bold")), f"  {job.job_id}")
    if job.error:
        line.append(f"  {job.error.code}: {job.error.message}")
    if job.is_complete and job.answered_by:
        line.append(f"  answered by {job.answered_by}")
    if job.usage and (job.usage.input_tokens or job.usage.output_tokens):
        cost = f", ${job.usage.cost_usd:.4f}" if job.usage.cost_usd is not None else ""
        line.append(f"  {job.usage.input_tokens} + {job.usage.output_tokens} tokens{cost}", "dim")
    return line
