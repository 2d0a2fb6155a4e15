"""A company's public code on GitHub as evidence: its organisation, main repositories, languages, activity, manifests.

Calls: 1 to 8 for the organisation, up to 2 (3) for its list, then per repository 2 and one for each manifest, in all
about 30 (150 in deep mode). GitHub allows 60 an hour without a token and 5 000 with one; repositories are read in the
order of their weight, so that what is found before a limit is what matters most.
"""

import asyncio
import math
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from domain.errors import RateLimited, VendorError
from domain.job import Failure
from domain.research import CodeFound, CompanyResearchRequest, Evidence, Topic
from providers.github_api import Entry, GitHubApi, Repository, talking
from providers.github_organisation import find_organisation
from providers.manifests import canonical, priority, read

T = TypeVar("T")
AT_ONCE = 4
ACTIVE = timedelta(days=365)
MAX_MANIFEST_BYTES = 200_000
MAX_LINES = 300
MAX_LANGUAGES = 8
# GitHub counts these as languages; they are recipes, and what they choose is read from them instead.
RECIPES = frozenset({"Dockerfile", "Makefile", "CMake", "Batchfile", "Procfile", "Roff"})


class Depth(NamedTuple):
    repositories: int
    pages: int
    manifests: int


NORMAL, DEEP = Depth(5, 2, 4), Depth(15, 3, 8)


@dataclass
class Reading:
    """What is known of one repository so far, most telling first; `error` is why its reading ended early."""

    id: str
    repository: Repository
    lines: list[Evidence] = field(default_factory=list[Evidence])
    detailed: bool = False
    error: VendorError | None = None

    def add(
        self, quote: str, *, url: str | None = None, file: str = "", topic: Topic = "repository", technology: str | None
    ) -> None:
        if quote and len(self.lines) < MAX_LINES:
            title = f"{self.repository.full_name}: {file}" if file else self.repository.full_name
            evidence = Evidence(
                id=f"{self.id}.{len(self.lines) + 1}", kind="repository", url=url or self.repository.html_url,
                title=title, quote=quote, topic=topic, technology=technology,
            )  # fmt: skip
            self.lines.append(evidence)


class GitHub:
    """domain.protocols.CodeReader over the REST API.

    `timeout` of a request and `patience` with a limit are in seconds.
    """

    def __init__(
        self,
        base_url: str = "https://api.github.com",
        token: str | None = None,
        *,
        timeout: float = 20.0,
        patience: float = 60.0,
    ) -> None:
        """Raises ValueError for a token that no header can carry."""
        # The HTTP library's own complaint would quote the token.
        if token and not (token.isascii() and token.isprintable()):
            raise ValueError("the GitHub token has characters that a token cannot have")
        self._base_url = base_url
        self._token = token
        self._timeout = timeout
        self._patience = patience

    async def read(self, request: CompanyResearchRequest) -> tuple[CodeFound, Sequence[Evidence]]:
        """What GitHub shows of the company, and its lines as evidence (`r<repository>.<line>`).

        Raises VendorError `github_not_found`, `github_empty` and `github_rate_limited`, not retryable; RateLimited for
        a limit within `patience`; the retryable VendorErrors of providers.vendor. A limit met midway raises nothing:
        what was found is returned, with the limit as the result's `failure`.
        """
        depth = DEEP if request.deep_mode else NORMAL
        talk = talking(self._base_url, self._token, timeout=self._timeout, patience=self._patience)
        async with talk as api:
            organisation = await find_organisation(api, request)
            if organisation is None:
                message = "no GitHub organisation was found that is surely this company's"
                raise VendorError(message, code="github_not_found", retryable=False)
            repositories = chosen(await api.repositories(organisation.login, depth.pages), depth.repositories)
            if not repositories:
                message = "the company's GitHub organisation shows no public code of its own"
                raise VendorError(message, code="github_empty", retryable=False)
            readings = await _read_all(api, repositories, depth)
        lines = [line for reading in readings for line in reading.lines]
        cut = _cut_short(readings, lines)
        return (
            CodeFound(
                github=organisation.html_url,
                repositories=sum(bool(reading.lines) for reading in readings),
                lines=len(lines),
                failure=cut,
            ),
            lines,
        )


def chosen(repositories: Sequence[Repository], most: int) -> list[Repository]:
    """The main ones: the company's own, those pushed within a year first, then by stars, then by last push."""
    now = datetime.now(UTC)

    def weight(repository: Repository) -> tuple[bool, bool, int, float]:
        pushed = repository.pushed_at
        active = pushed is not None and now - pushed < ACTIVE
        stars = repository.stargazers_count or 0
        return not repository.archived, active, stars, pushed.timestamp() if pushed else -math.inf

    # A repository named .github holds the organisation's profile and forms.
    own = [each for each in repositories if not (each.fork or each.private or each.name == ".github")]
    return sorted(own, key=weight, reverse=True)[:most]


async def _read_all(api: GitHubApi, repositories: Sequence[Repository], depth: Depth) -> list[Reading]:
    """Whole repositories are read at once, a few at a time, so that a limit leaves some complete and none halved."""
    readings = [Reading(f"r{number}", repository) for number, repository in enumerate(repositories, start=1)]
    places = asyncio.Semaphore(AT_ONCE)

    async def read_one(reading: Reading) -> None:
        async with places:
            _describe(reading)
            # Asking on would only prolong GitHub's limit.
            if not any(_is_limit(other.error) for other in readings):
                await _read_details(api, reading, depth)

    async with asyncio.TaskGroup() as tasks:
        for reading in readings:
            tasks.create_task(read_one(reading))
    return readings


def _describe(reading: Reading) -> None:
    """What the list of repositories already says."""
    repository = reading.repository
    reading.add(" ".join((repository.description or "").split()), technology=None)
    if repository.topics:
        reading.add(f"Topics: {', '.join(repository.topics)}", technology=None)
    known: list[str] = []
    if repository.pushed_at:
        known.append(f"last pushed on {repository.pushed_at.date().isoformat()}")
    if repository.stargazers_count:
        known.append(f"{repository.stargazers_count} stars")
    if repository.archived:
        known.append("archived")
    reading.add(f"Activity: {', '.join(known)}" if known else "", technology=None)


async def _read_details(api: GitHubApi, reading: Reading, depth: Depth) -> None:
    """Languages and manifests, each apart: what cannot be read (empty, gone, blocked) is left out."""
    repository = reading.repository
    try:
        for quoted, technology in shares(await _or(reading, api.languages(repository), {})):
            reading.add(quoted, technology=technology)
            reading.detailed = True
        for entry in manifests(await _or(reading, api.root(repository), []), depth.manifests):
            url = entry.html_url or _file_url(repository, entry.name)
            for found in read(entry.name, await _or(reading, api.file(repository, entry.name), "")):
                reading.add(found.line, url=url, file=entry.name, topic="manifest", technology=found.technology)
                reading.detailed = True
    except VendorError as error:
        reading.error = error


async def _or(reading: Reading, asked: Awaitable[T], nothing: T) -> T:
    """The answer, or `nothing`. Raises what ends the whole reading: a limit, or a GitHub that no longer answers."""
    try:
        return await asked
    except VendorError as error:
        if _is_limit(error) or error.code in ("timeout", "connection"):
            raise
        reading.error = error
        return nothing


def shares(languages: dict[str, int]) -> Iterator[tuple[str, str | None]]:
    """(quote, technology) of the languages that make up at least 1 % of the code, the largest first."""
    total = sum(languages.values())
    for name, size in sorted(languages.items(), key=lambda pair: -pair[1])[:MAX_LANGUAGES]:
        percent = round(100 * size / total) if total else 0
        if percent:
            yield f"{name}: {percent} % of the code", None if name in RECIPES else canonical("language", name)


def manifests(entries: Sequence[Entry], most: int) -> list[Entry]:
    readable = [each for each in entries if each.type == "file" and (each.size or 0) <= MAX_MANIFEST_BYTES]
    ranked = [(rank, each) for each in readable if (rank := priority(each.name)) is not None]
    return [each for _, each in sorted(ranked, key=lambda pair: (pair[0], pair[1].name))[:most]]


def _file_url(repository: Repository, name: str) -> str:
    return f"{repository.html_url}/blob/{quote(repository.default_branch or 'HEAD')}/{quote(name)}"


def _is_limit(error: VendorError | None) -> bool:
    return isinstance(error, RateLimited) or (error is not None and error.code == "github_rate_limited")


def _cut_short(readings: Sequence[Reading], lines: Sequence[Evidence]) -> Failure | None:
    """The limit that cut the reading short, for the result; raised instead when waiting, or another try, gives more."""
    detailed = any(reading.detailed for reading in readings)
    limit = next((reading.error for reading in readings if reading.error and _is_limit(reading.error)), None)
    if limit:
        if not lines or (limit.again and not detailed):
            raise limit
        whole = sum(reading.detailed and reading.error is None for reading in readings)
        message = f"GitHub's request limit was met: {whole} of {len(readings)} repositories were read to the end"
        return Failure(code="github_rate_limited", message=message)
    passing = [reading.error for reading in readings if reading.error and reading.error.again]
    if len(passing) == len(readings) and not detailed:
        raise passing[0]
    return None
