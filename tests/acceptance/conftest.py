"""The product as processes, between a real PostgreSQL, a real Temporal server and an outside world on loopback."""

from collections.abc import Callable, Generator, Mapping
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from engine.schedules import RECONCILE
from local import ports
from tests.acceptance import unguarded
from tests.conftest import own_namespace
from tests.support.databases import cloned
from tests.support.house import install_errand
from tests.support.processes import ROOT, Stack
from tests.support.proxy import TcpProxy
from tests.support.site_server import SiteServer
from tests.support.stand_ins import Background, Outside, Turnstile

StackMaker = Callable[..., Stack]
Way = Callable[[TcpProxy], TcpProxy]
Without = Callable[[tuple[unguarded.Edit, ...]], Path]


class Errands:
    """Where the words come from: each request waits for the test."""

    def __init__(self, background: Background, site: SiteServer) -> None:
        name = uuid4().hex[:8]
        self.first, self.then = Turnstile(background), Turnstile(background)
        site.routes |= {f"/{name}/first": self.first, f"/{name}/then": self.then}
        self.payload = {"first": f"{site.url}/{name}/first", "then": f"{site.url}/{name}/then"}


@pytest.fixture(scope="package")
def background() -> Generator[Background]:
    with Background() as background:
        yield background


@pytest.fixture(scope="package")
def world(background: Background) -> Generator[Outside]:
    with Outside(background) as outside:
        yield outside


@pytest.fixture
def outside(world: Outside) -> Generator[Outside]:
    """The healthy world, until the test changes it."""
    yield world
    world.reset()


@pytest.fixture(scope="package")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH with the errand's package in it, as an installer would lay it there."""
    return install_errand(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="package")
def words(background: Background) -> Generator[SiteServer]:
    opened = AsyncExitStack()
    yield background.run(opened.enter_async_context(SiteServer()))
    background.run(opened.aclose())


@pytest.fixture
def errands(background: Background, words: SiteServer) -> Errands:
    return Errands(background, words)


@pytest.fixture(scope="package")
def places(
    postgres_url: str, template: str, temporal_address: str, background: Background
) -> Generator[Callable[[], Mapping[str, str]]]:
    """Makes a ledger and a namespace that nobody uses; answers with the variables that name them."""
    made = AsyncExitStack()

    async def make() -> dict[str, str]:
        url = await made.enter_async_context(cloned(postgres_url, template))
        return {"DATABASE_URL": url, **await own_namespace(temporal_address)}

    yield lambda: background.run(make())
    background.run(made.aclose())


@pytest.fixture
def make_stack(
    tmp_path: Path, background: Background, places: Callable[[], Mapping[str, str]], installed: Path
) -> Generator[StackMaker]:
    """Makes stacks of this test's own, with the errand's package installed; nothing of them runs yet."""
    with ExitStack() as made:

        def make(source: Path = ROOT, **env: str) -> Stack:
            folder = tmp_path / f"stack{uuid4().hex[:6]}"
            stack = Stack(folder, background, {**places(), "PYTHONPATH": str(installed), **env}, source)
            made.callback(stack.stop)
            return stack

        yield make


@pytest.fixture(scope="package")
def running(
    tmp_path_factory: pytest.TempPathFactory,
    background: Background,
    places: Callable[[], Mapping[str, str]],
    world: Outside,
    installed: Path,
) -> Generator[Stack]:
    """One worker and one API that tests share which kill nothing; they log all they can, and know the errand."""
    env = {**places(), **world.env, "PYTHONPATH": str(installed), "LONGRUN_LOG_LEVEL": "debug"}
    env["LONGRUN_METRICS_PORT"] = str(ports.free())
    env["LONGRUN_AUDIO_DIR"] = str(tmp_path_factory.mktemp("recordings"))
    stack = Stack(tmp_path_factory.mktemp("running"), background, env)
    try:
        services = stack.worker(), stack.api()
        for service in services:
            service.launch()
        for service in services:
            service.ready()
        # its findings are the tests' own
        stack.temporal("schedule", "toggle", "--schedule-id", RECONCILE, "--pause", "--reason", "tests")
        yield stack
    finally:
        stack.stop()


@pytest.fixture
def way(background: Background) -> Generator[Way]:
    """Opens a proxy for as long as the test."""
    opened = AsyncExitStack()
    yield lambda proxy: background.run(opened.enter_async_context(proxy))
    background.run(opened.aclose())


@pytest.fixture
def without(tmp_path: Path) -> Without:
    """A tree of the product without a guard."""

    def make(guard: tuple[unguarded.Edit, ...]) -> Path:
        folder = tmp_path / "unguarded"
        folder.mkdir()
        return unguarded.without(guard, folder)

    return make
