"""`make demo`: start everything, research one company, print the briefing, stop everything."""

import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import httpx2
from rich.console import Console

from local import ports, samples
from local.briefing_view import show
from local.interrupts import interruptible
from local.job_view import follow
from local.live import say
from local.part import KeepsDyingError
from local.process import Process, StartError, wait_until
from local.sample_pages import NAME
from local.stack import ROOT, Stack
from local.temporal import TemporalMissingError
from local.wiring import PARTS
from longrun import Client, Job, LongrunError
from settings import Settings

ROLE = "Software Engineer"
JOB_SECONDS = 900.0
# Vendors that would be asked for pages of this machine, which they cannot reach.
ELSEWHERE = ("WEB_SCRAPING_TOKEN", "SEARCH_API_KEY", "GITHUB_TOKEN")


@dataclass(frozen=True)
class Asked:
    """What to research, and the environment it takes."""

    company: str
    role: str
    url: str | None
    environment: dict[str, str] = field(default_factory=dict[str, str])


def demo(settings: Settings, company: str | None, role: str | None, url: str | None) -> int:
    """Research `company`, or the organisation that ships with this checkout; returns the exit status."""
    if url and not company:
        say("URL needs a COMPANY: make demo COMPANY=… URL=…")
        return 2
    if company and not _way_out(settings, url):
        say(f"There is no way out to the internet from here, so {company} cannot be researched.")
        say("Plain `make demo` works without one: it researches an organisation that ships with this checkout.")
        return 2
    home = settings.home / "demo"
    alone = replace(settings, home=home, host=ports.LOOPBACK, api_keys=(), ui_url=None, stack=PARTS)
    alone = replace(alone, port=ports.free(), ui_port=ports.free(), temporal_port=ports.free())
    stack: Stack | None = None

    def kill() -> None:
        if stack:
            stack.kill()

    try:
        with interruptible(kill), ExitStack() as started:
            if company:
                asked = Asked(company, role or ROLE, url)
            else:
                asked = started.enter_context(_shipped(settings, role or ROLE))
            say("Starting PostgreSQL, Temporal, API and worker …")
            stack = Stack(alone, extra=asked.environment)
            with stack, _tended(stack):
                return _research(stack, asked)
    except KeyboardInterrupt:
        say("Stopped.")
        return 130
    except (StartError, KeepsDyingError, TemporalMissingError, LongrunError, TimeoutError) as error:
        say(str(error))
        return 1


def _way_out(settings: Settings, url: str | None) -> bool:
    places = [urlsplit(address) for address in (url, settings.github_api_url) if address]
    targets = [(each.hostname or "", each.port or (80 if each.scheme == "http" else 443)) for each in places]
    return ports.reachable(*targets)


@contextmanager
def _shipped(settings: Settings, role: str) -> Generator[Asked]:
    """Serve the organisation that ships: its site from here, its repositories from a stand-in for GitHub."""
    say(
        f"Researching {NAME}, whose public-domain pages and manifests ship with this checkout and are served from here."
    )
    port = ports.free()
    github = f"http://{ports.LOOPBACK}:{port}"
    log = settings.home.expanduser().resolve() / "demo" / "logs" / "github.log"
    command = [sys.executable, "-m", "local.github_standin", "--port", str(port)]
    standin = Process("The GitHub stand-in", command, log=log, cwd=ROOT)
    try:
        with samples.serve() as site:
            wait_until(lambda: _answers(f"{github}/orgs/{NAME}"), [standin], 30)
            allowed = ",".join([*settings.fetch_allow, urlsplit(site).netloc, urlsplit(github).netloc])
            environment = {"GITHUB_API_URL": github, "LONGRUN_FETCH_ALLOW": allowed}
            yield Asked(NAME, role, site, environment | dict.fromkeys(ELSEWHERE, ""))
    finally:
        standin.stop()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2.0, trust_env=False).is_success
    except httpx2.TransportError:
        return False


@contextmanager
def _tended(stack: Stack) -> Generator[None]:
    """Start again what dies while the block runs, as `make up` does."""
    died: list[KeepsDyingError] = []

    def tend() -> None:
        try:
            stack.watch()
        except KeepsDyingError as error:
            died.append(error)
            stack.kill()

    tending = threading.Thread(target=tend)
    tending.start()
    try:
        yield
    except LongrunError:
        if died:
            raise died[0] from None
        raise
    finally:
        stack.close()
        tending.join()


def _research(stack: Stack, asked: Asked) -> int:
    console = Console(highlight=False)
    with Client(stack.wiring.api_url, stack.key) as client:
        started = client.research(asked.company, asked.role, asked.url, refresh=True)
        say(f"  job             {started.job_id}")
        say(f"  API description {stack.wiring.api_url}/docs")
        if stack.wiring.ui_url:
            say(f"  Temporal Web UI {stack.wiring.ui_url}")
        job = _follow(client, started.job_id, console)
    if not job.is_success:
        say(f"The research ended {job.status}: {job.error.message if job.error else 'no reason is known'}")
        return 1
    show(console, job, asked.role)
    say(f"Job {job.job_id} is done and all that was started is stopped. These were its addresses:")
    say(f"  {stack.wiring.api_url}/docs  {stack.wiring.ui_url or ''}")
    say("`make up` starts a stack that stays.")
    return 0


def _follow(client: Client, job_id: str, console: Console) -> Job:
    """A live bar on a terminal, a line for each change elsewhere."""
    if console.is_terminal:
        return follow(client, job_id, JOB_SECONDS, console)
    said: dict[str, str] = {}

    def changed(job: Job) -> None:
        for step in job.steps:
            if said.get(step.name, "pending") != step.status:
                said[step.name] = step.status
                reason = f" ({step.error.message})" if step.error else ""
                say(f"  {job.progress.text}  {step.name} {step.status}{reason}")

    return client.wait(job_id, JOB_SECONDS, changed)
