"""`longrun`: the stack on this machine, the service's processes, and a window on its jobs."""

import asyncio
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from domain.errors import LongrunError
from local.job_commands import jobs, reconcile, stop
from settings import Settings, SettingsError

# Locals of a traceback may hold keys and payloads: plain tracebacks only.
app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="rich", add_completion=False)
app.add_typer(jobs, name="jobs")
app.command()(reconcile)


@app.callback()
def longrun(context: typer.Context) -> None:
    """Durable background jobs for AI products.

    Try it: [bold]longrun demo[/bold]. Keep it running: [bold]longrun up[/bold], then in another terminal
    [bold]longrun jobs list[/bold].
    """
    with _plainly():
        context.obj = Settings.from_env(os.environ)


@app.command()
def up(context: typer.Context) -> None:
    """Run database, engine, API and worker on this machine until Ctrl-C.

    Ports move with LONGRUN_PORT, LONGRUN_UI_PORT and LONGRUN_TEMPORAL_PORT; parts that run elsewhere are left out with
    LONGRUN_STACK, e.g. [bold]LONGRUN_STACK=api,worker longrun up[/bold].
    """
    from local.stack import up

    with _plainly():
        raise typer.Exit(up(context.obj))


@app.command()
def demo(
    context: typer.Context,
    company: Annotated[str | None, typer.Option(help="The company to research. Default: a sample that ships.")] = None,
    role: Annotated[str | None, typer.Option(help="The role to prepare for.")] = None,
    url: Annotated[str | None, typer.Option(help="The company's site; spares the search for it.")] = None,
) -> None:
    """Start everything, research one company, print the briefing, stop everything.

    Example: [bold]longrun demo --company Stripe --role "Backend Engineer" --url https://stripe.com[/bold]
    """
    from local.demo import demo

    with _plainly():
        raise typer.Exit(demo(context.obj, company, role, url))


@app.command()
def api(context: typer.Context) -> None:
    """Serve the HTTP API.

    Listens on LONGRUN_HOST:LONGRUN_PORT (127.0.0.1:8000); any other host than loopback needs LONGRUN_API_KEYS.
    """
    import uvicorn

    settings: Settings = context.obj
    with _plainly():
        # No access log: the address of a stream may carry a token.
        uvicorn.run(
            "api.app:create_app",
            factory=True,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(settings.graceful_seconds),
        )


@app.command()
def worker(
    context: typer.Context,
    queues: Annotated[str | None, typer.Option(help="Comma-separated. Default: all.", metavar="QUEUES")] = None,
    check: Annotated[bool, typer.Option("--check", help="Run none; exit 0 if one of this host asks for work.")] = False,
) -> None:
    """Run workflows and activities.

    Example: [bold]longrun worker --queues workflows,io[/bold] leaves the model calls to another process.
    """
    names = tuple(name.strip() for name in queues.split(",") if name.strip()) if queues else None
    with _plainly():
        if check:
            return asyncio.run(_find_worker(names))
        from worker import main

        raise typer.Exit(main(context.obj, names))


@app.command()
def migrate(context: typer.Context) -> None:
    """Bring the database at DATABASE_URL (or DATABASE_DIRECT_URL) to this version's schema. Safe to repeat."""
    from ledger.migrate import migrate

    settings: Settings = context.obj
    with _plainly():
        applied = asyncio.run(migrate(settings.direct_url, settings.schema))
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("nothing to do: the schema is up to date")


async def _find_worker(queues: tuple[str, ...] | None) -> None:
    from engine.connect import connect
    from engine.polling import pollers
    from engine.start import QUEUE

    client = await connect(os.environ)
    for queue in queues or (QUEUE,):
        if not any(name.endswith(f"@{socket.gethostname()}") for name in await pollers(client, queue)):
            stop(f"no worker of this host asks for work of the queue {queue}", 1)


@contextmanager
def _plainly() -> Generator[None]:
    """One line instead of a traceback for what a person can mend."""
    try:
        yield
    except SettingsError as error:
        stop(str(error), 2)
    except LongrunError as error:
        stop(error.message, 1)


if __name__ == "__main__":
    app()
