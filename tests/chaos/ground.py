"""What the sequences are played on."""

from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from tests.chaos.outside import World
from tests.support.house import House, build, install_errand
from tests.support.site_server import SiteServer
from tests.support.stand_ins import Background

# Soon enough for a cancel that nobody is left to obey.
ENV = {"LONGRUN_CANCEL_GRACE_SECONDS": "5"}


@contextmanager
def ground(folder: Path) -> Generator[tuple[House, World]]:
    """A house, and the world outside it."""
    with Background() as background:
        opened = AsyncExitStack()
        site = background.run(opened.enter_async_context(SiteServer()))
        (folder / "installed").mkdir()
        env = ENV | {"PYTHONPATH": str(install_errand(folder / "installed"))}
        try:
            with build(folder, background, env) as house:
                yield house, World(background, site)
        finally:
            background.run(opened.aclose())
