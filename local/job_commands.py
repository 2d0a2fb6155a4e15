"""The commands that look at jobs from outside, over HTTP: `longrun jobs …` and `longrun reconcile`."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

import typer
from rich.console import Console

if TYPE_CHECKING:
    from longrun import Client
    from longrun.options import Filters

jobs = typer.Typer(no_args_is_help=True, help="List, look at, watch, cancel and replay jobs.")
out, err = Console(highlight=False), Console(stderr=True, highlight=False)

Url = Annotated[
    str | None, typer.Option("--url", envvar="LONGRUN_URL", help="The API. Default: the stack of this folder.")
]
Key = Annotated[str | None, typer.Option("--key", envvar="LONGRUN_API_KEY", help="A secret key or a public token.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]


def reconcile(context: typer.Context, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Compare ledger and engine now, mend what differs, and report it."""
    with _connected(context, url, key) as client:
        report = client.reconcile()
    if as_json:
        out.print_json(data=report.wire())
        return
    out.print(f"{report.checked} checked, {report.started} started, {report.closed} closed, {report.mended} mended")
    for found in (*report.orphaned_jobs, *report.orphaned_executions, *report.schedules):
        out.print(f"found: {json.dumps(found)}", markup=False)


@jobs.command("list")
def list_jobs(
    context: typer.Context,
    job_type: Annotated[str | None, typer.Option("--type", help="A kind, e.g. company-research.")] = None,
    status: Annotated[str | None, typer.Option(help="queued, running, completed, failed, canceled …")] = None,
    owner: Annotated[str | None, typer.Option(help="The user the jobs belong to.")] = None,
    tag: Annotated[str | None, typer.Option(help="A tag the jobs carry.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first; without a filter all that are still open.

    Example: [bold]longrun jobs list --status failed --limit 5[/bold]
    """
    from local.job_view import job_table

    asked = {"job_type": job_type, "status": status, "owner": owner, "tag": tag}
    filters = cast("Filters", {name: value for name, value in asked.items() if value})
    with _connected(context, url, key) as client:
        found = list(islice(client.list(page_size=min(limit, 100), **filters), limit))
    if as_json:
        out.print_json(data=[job.wire() for job in found])
    elif found:
        # An id that is cut short is none: a narrow terminal may break the line.
        Console(highlight=False, width=max(out.width, 160)).print(job_table(found))
    else:
        out.print("no such jobs" if filters else "no open jobs")


@jobs.command()
def get(context: typer.Context, job_id: JobId, url: Url = None, key: Key = None, as_json: AsJson = False) -> None:
    """Show one job: its steps, what it cost, its result."""
    from local.job_view import job_view

    with _connected(context, url, key) as client:
        job = client.get(job_id)
    if as_json:
        out.print_json(data=job.wire())
        return
    out.print(job_view(job))
    if job.result is not None:
        out.print_json(data=job.wire()["result"])


@jobs.command()
def watch(
    context: typer.Context,
    job_id: JobId,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds to watch at most. Default: to the end.")] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Follow one job live; exit 0 if it completes, 1 if it ends otherwise. Ctrl-C leaves it running.

    Example: [bold]longrun jobs watch 5f0c9c1e-… && echo done[/bold]
    """
    with _connected(context, url, key) as client:
        _watch(client, job_id, timeout, as_json)


@jobs.command()
def cancel(
    context: typer.Context,
    job_id: JobId,
    reason: Annotated[str | None, typer.Option(help="Kept in the job's audit.")] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Ask a job to stop, whether it waits, runs or retries."""
    with _connected(context, url, key) as client:
        job = client.cancel(job_id, reason)
    if as_json:
        out.print_json(data=job.wire())
    else:
        out.print(f"{job.job_id} is canceled" if job.is_canceled else f"{job.job_id} is told to stop")


@jobs.command()
def replay(
    context: typer.Context,
    job_id: JobId,
    follow: Annotated[bool, typer.Option("--watch", help="Follow the new job.")] = False,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Start a new job with the payload of an old one.

    Example: [bold]longrun jobs replay 5f0c9c1e-… --watch[/bold]
    """
    with _connected(context, url, key) as client:
        started = client.replay(job_id)
        if as_json:
            out.print_json(data=started.wire())
        else:
            out.print(f"started {started.job_id}")
        if follow:
            _watch(client, started.job_id, None, as_json)


def _watch(client: "Client", job_id: str, timeout: float | None, as_json: bool) -> NoReturn:
    from local.job_view import follow

    try:
        if as_json:
            job = client.wait(job_id, timeout, lambda job: out.print(job.wire_json(), markup=False, soft_wrap=True))
        else:
            job = follow(client, job_id, timeout, out)
    except TimeoutError as error:
        stop(str(error), 1)
    except KeyboardInterrupt:
        stop(f"no longer watching; the job goes on: longrun jobs watch {job_id}", 130)
    raise typer.Exit(0 if job.is_success else 1)


@contextmanager
def _connected(context: typer.Context, url: str | None, key: str | None) -> Generator["Client"]:
    """A client of the named API, or of the stack that runs in this folder; its key goes nowhere else."""
    from longrun import Client, LongrunError

    home: Path = context.obj.home
    try:
        here = str(json.loads((home / "stack.json").read_text())["apiUrl"])
    except FileNotFoundError:
        here = None
    except (OSError, ValueError, KeyError, TypeError) as error:
        stop(f"{home / 'stack.json'} cannot be read: {error}", 2)
    if not (url := url or here):
        stop("which API? Start one with `longrun up`, or name one with --url or LONGRUN_URL", 2)
    local_key = home / "api-key"
    if not key and url == here and local_key.exists():
        key = local_key.read_text().strip()
    try:
        client = Client(url, key)
    except ValueError as error:
        stop(str(error), 2)
    with client:
        try:
            yield client
        except LongrunError as error:
            stop(str(error), 1)


def stop(message: str, status: int) -> NoReturn:
    """End the command with one line on stderr: 2 for what the caller can mend, 1 for the rest."""
    err.print(message, markup=False, soft_wrap=True)
    raise typer.Exit(status)
