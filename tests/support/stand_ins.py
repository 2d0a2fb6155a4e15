"""The outside world on loopback for tests that block: a company's site, GitHub, a model's vendor, Deepgram and
Supabase.

Their servers live on an event loop in a thread of its own; a test changes their routes and modes between requests.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Self, TypeVar

from tests.support.deepgram import DeepgramServer, hears
from tests.support.github_server import GitHubServer, Repo
from tests.support.model_server import ModelServer, answers
from tests.support.site_server import Answer, Asked, Route, SiteServer, page
from tests.support.supabase_server import SERVICE_KEY, SupabaseServer
from tests.support.their_rows import TheirTables

T = TypeVar("T")
SECRETS = {
    "ANTHROPIC_API_KEY": "key-of-the-model-stand-in",
    "GITHUB_TOKEN": "token-of-the-github-stand-in",
    "DEEPGRAM_API_KEY": "key-of-the-deepgram-stand-in",
    "SUPABASE_SERVICE_ROLE_KEY": SERVICE_KEY,
}
COMPANY, ROLE = "Acme Widgets", "Backend Engineer"
ABOUT = (
    "Acme Widgets builds billing software for small breweries in Oregon and has done so since 2009. "
    "The company employs 140 people in Portland and serves 1,200 breweries. "
)
PRODUCTS = "Acme Ledger keeps the books of a brewery, and Acme Tap shows its owners what they sold each evening. "
CAREERS = (
    "Engineers at Acme Widgets work in teams of five people and release the billing software every Tuesday. "
    "We value careful writing and patient listening, and every engineer talks with brewers each month. "
)
BLOG = "In March 2024 the engineering team moved the billing software from nightly batches to PostgreSQL and Python. "
CONVERSATION = [(0, "What did you build?"), (1, "Um, a billing system for breweries.")]
MANIFEST = '[project]\nname = "acme-ledger"\ndependencies = ["django>=5.0", "psycopg>=3.1"]\n'


class Background:
    """An event loop in a thread of its own."""

    def __enter__(self) -> Self:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, T], seconds: float = 30.0) -> T:
        """Do `work` there and wait for what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call `function` there, between two steps of whatever runs."""

        async def calling() -> T:
            return function(*args)

        return self.run(calling())


class Turnstile:
    """A route whose n-th request (from 0) waits until the test answers it."""

    def __init__(self, background: Background) -> None:
        self._loop = background.loop
        self._waiting: list[asyncio.Future[Answer]] = []
        self._free: Answer | None = None

    async def __call__(self, _asked: Asked) -> Answer:
        answer = self._loop.create_future()
        self._waiting.append(answer)
        if self._free is not None:
            return self._free
        return await answer

    @property
    def arrived(self) -> int:
        return len(self._waiting)

    def answer(self, number: int, body: str) -> None:
        """Let that one through with `body`."""
        self._loop.call_soon_threadsafe(self._set, self._waiting[number], Answer(body=body))

    def open(self, body: str) -> None:
        """Let through whoever waits and whoever comes."""
        self._free = Answer(body=body)
        for answer in self._waiting:
            self._loop.call_soon_threadsafe(self._set, answer, self._free)

    @staticmethod
    def _set(answer: "asyncio.Future[Answer]", value: Answer) -> None:
        if not answer.done():
            answer.set_result(value)


class Organisations(GitHubServer):
    """GitHub, with an end to its faults; each request goes by `before` first, if there is one."""

    before: Turnstile | None = None

    def forget(self) -> None:
        self._faults.clear()
        self.before = None

    async def _answer(self, asked: Asked) -> Answer:
        if self.before is not None:
            await self.before(asked)
        return await super()._answer(asked)


class Outside:
    """All of them, started once and set back between tests."""

    def __init__(self, background: Background) -> None:
        self.background = background
        self.site, self.github, self.model = SiteServer(), Organisations(), ModelServer()
        self.deepgram, self.supabase = DeepgramServer(), SupabaseServer()
        # a port that a server picks for itself is never this one
        self.nowhere = "127.0.0.1:1"
        self._opened = AsyncExitStack()

    def __enter__(self) -> Self:
        async def open_all() -> None:
            for server in (self.site, self.github, self.model, self.deepgram, self.supabase):
                await self._opened.enter_async_context(server)

        self.background.run(open_all())
        self.github.add(
            "acmewidgets",
            Repo("ledger", "Billing for breweries", languages={"Python": 90_000}, files={"pyproject.toml": MANIFEST}),
            name=COMPANY,
        )
        self.reset()
        return self

    def __exit__(self, *_: object) -> None:
        self.background.run(self._opened.aclose())

    def reset(self) -> None:
        """The healthy world, nothing asked yet."""
        self.site.routes = dict(company_pages())
        self.github.forget()
        self.model.mode = answers()
        self.model.answered = self.model.dropped = 0
        self.deepgram.mode = hears(CONVERSATION)
        self.deepgram.listened.clear()
        self.deepgram.dropped = 0
        self.supabase.fault, self.supabase.buckets = None, {}
        self.theirs = TheirTables(self.supabase)
        for server in (self.site, self.github, self.model, self.deepgram, self.supabase):
            server.hits.clear()
            server.asked.clear()
            server.first_delay = 0.0

    def payload(self, **changed: Any) -> dict[str, Any]:
        """What to ask company research for."""
        return {"companyName": COMPANY, "role": ROLE, "companyUrl": f"{self.site.url}/"} | changed

    @property
    def env(self) -> dict[str, str]:
        return {
            "LONGRUN_FETCH_ALLOW": f"{self.site.authority},{self.nowhere}",
            "GITHUB_API_URL": self.github.url,
            "ANTHROPIC_BASE_URL": self.model.url,
            "DEEPGRAM_BASE_URL": self.deepgram.url,
            "SUPABASE_URL": self.supabase.url,
            # rows that are not there are the ledger's own
            "LONGRUN_ROWS": "supabase",
            # six seconds, so that short recordings are waited for
            "LONGRUN_DEEPGRAM_CALLBACK_MINUTES": "0.1",
            **SECRETS,
        }

    def asked(self) -> dict[str, int]:
        """How many requests each has had."""
        return {name: sum(getattr(self, name).hits.values()) for name in ("site", "github", "model")}


def company_pages() -> dict[str, Route]:
    links = '<nav><a href="/about">About</a> <a href="/careers">Careers</a> <a href="/blog">Blog</a></nav>'
    told = {"/": ABOUT + PRODUCTS, "/about": ABOUT, "/careers": CAREERS, "/blog": BLOG}
    return {
        path: page(f"{links}<main><h1>{COMPANY}</h1><p>{text}</p></main>", title=f"{COMPANY} {path.strip('/')}".strip())
        for path, text in told.items()
    }
