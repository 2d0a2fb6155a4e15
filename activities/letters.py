"""The letter that says how a job ended, plain and in HTML."""

from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING

from domain.job import Status
from domain.telling import Letter

if TYPE_CHECKING:
    from ledger.rows import JobRow

SUBJECT = 120
WORDS = {
    Status.COMPLETED: "Completed",
    Status.EXPIRED: "Expired before it could start",
    Status.TIMED_OUT: "Stopped, as it took too long",
}
HTML = """\
<!DOCTYPE html>
<html lang="en"><body style="font-family: sans-serif">
<h1 style="font-size: 1.2em">{headline}</h1>
{paragraphs}
</body></html>
"""


def letter_about(job: "JobRow", event_id: str) -> Letter:
    """Without the payload and the result: a letter is no place for them."""
    title = " ".join(job.title.split()) or job.kind
    said = WORDS.get(job.status, "Failed")
    lines = [f"{said}: {title}.", *_reason(job), *_items(job), _figures(job), f"Job {job.id} ({job.kind})"]
    paragraphs = "\n".join(f"<p>{escape(line)}</p>" for line in lines[1:])
    return Letter(
        id=event_id,
        subject=f"{said}: {title}"[:SUBJECT],
        text="\n\n".join(lines) + "\n",
        html=HTML.format(headline=escape(lines[0]), paragraphs=paragraphs),
    )


def _reason(job: "JobRow") -> list[str]:
    if job.error is None:
        return []
    where = f" in the step {job.error.step}" if job.error.step else ""
    return [f"Why: {job.error.message} ({job.error.code}{where})."]


def _items(job: "JobRow") -> list[str]:
    items = job.items
    if items is None or items.unit or not items.total:
        return []
    rest = {"failed": items.failed, "skipped": items.skipped, "not reached": items.left}
    return [", ".join([f"{items.done} of {items.total} done", *(f"{n} {what}" for what, n in rest.items() if n)]) + "."]


def _figures(job: "JobRow") -> str:
    steps = f"{job.progress.done} of {job.progress.total} steps"
    if job.started_at is None or job.finished_at is None:
        return steps
    took = timedelta(seconds=round((job.finished_at - job.started_at).total_seconds()))
    return f"{steps}, {took} (hours:minutes:seconds)"
