"""The GitHub REST API: requests, answers by shape, and what a limit means. No retries: Temporal owns them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from domain.errors import RateLimited, VendorError
from providers.vendor import answering, refused
from providers.web import authorities

T = TypeVar("T")
WHO = "GitHub"
JSON = "application/vnd.github+json"
RAW = "application/vnd.github.raw+json"


class Account(BaseModel):
    login: str


class Organisation(BaseModel):
    """GET /orgs/{org}; `blog` is the website people see, a URL or a bare host."""

    login: str
    name: str | None = None
    blog: str | None = None
    html_url: str


class Repository(BaseModel):
    """One of GET /orgs/{org}/repos."""

    name: str
    full_name: str
    html_url: str
    description: str | None = None
    topics: list[str] | None = None
    stargazers_count: int | None = None
    pushed_at: AwareDatetime | None = None
    default_branch: str | None = None
    fork: bool | None = None
    archived: bool | None = None
    private: bool | None = None


class Entry(BaseModel):
    """One of GET /repos/{owner}/{repo}/contents/; `size` in bytes."""

    name: str
    type: str
    size: int | None = None
    html_url: str | None = None


class Found(BaseModel):
    """GET /search/users."""

    items: list[Account]


ORGANISATION = TypeAdapter(Organisation)
REPOSITORIES = TypeAdapter(list[Repository])
ENTRIES = TypeAdapter(list[Entry])
LANGUAGES = TypeAdapter(dict[str, int])
FOUND = TypeAdapter(Found)


class GitHubApi:
    """One conversation with GitHub. Every method raises VendorError or, for a limit that is over soon, RateLimited.

    `patience` is in seconds: a limit that lasts longer is a VendorError `github_rate_limited` that is not retryable.
    """

    def __init__(self, http: httpx2.AsyncClient, patience: float) -> None:
        self._http = http
        self._patience = patience

    async def organisation(self, login: str) -> Organisation | None:
        try:
            return self._shaped(await self._get(f"/orgs/{quote(login, safe='')}"), ORGANISATION)
        except VendorError as error:
            if error.code == "http_404":
                return None
            raise

    async def search_organisations(self, words: str, most: int) -> list[str]:
        """Logins, best first."""
        response = await self._get("/search/users", q=f"{words} type:org", per_page=most)
        return [account.login for account in self._shaped(response, FOUND).items]

    async def repositories(self, login: str, pages: int) -> list[Repository]:
        """Public repositories, last pushed first, 100 a page."""
        found: list[Repository] = []
        path = f"/orgs/{quote(login, safe='')}/repos"
        for page in range(1, pages + 1):
            response = await self._get(path, type="public", sort="pushed", per_page=100, page=page)
            found += self._shaped(response, REPOSITORIES)
            if "next" not in response.links:
                break
        return found

    async def languages(self, repository: Repository) -> dict[str, int]:
        """Bytes of code by language."""
        return self._shaped(await self._get(f"/repos/{quote(repository.full_name)}/languages"), LANGUAGES)

    async def root(self, repository: Repository) -> list[Entry]:
        return self._shaped(await self._get(f"/repos/{quote(repository.full_name)}/contents/"), ENTRIES)

    async def file(self, repository: Repository, name: str) -> str:
        path = f"/repos/{quote(repository.full_name)}/contents/{quote(name)}"
        return (await self._get(path, RAW)).content.decode("utf-8-sig", errors="replace")

    async def _get(self, path: str, accept: str = JSON, **params: Any) -> httpx2.Response:
        try:
            with answering(WHO):
                response = await self._http.get(path, params=params, headers={"Accept": accept})
        except httpx2.TooManyRedirects as error:
            raise VendorError(f"{WHO} sent a broken answer", code="bad_response") from error
        if response.is_success:
            return response
        error = refused(response, WHO)
        if isinstance(error, RateLimited) and (error.retry_after or 0) > self._patience:
            raise VendorError(
                f"{WHO}'s request limit is spent for now", code="github_rate_limited", retryable=False,
                retry_after=error.retry_after,
            )  # fmt: skip
        raise error

    def _shaped(self, response: httpx2.Response, shape: TypeAdapter[T]) -> T:
        try:
            return shape.validate_json(response.content)
        except ValidationError:
            # Without its cause: pydantic's message quotes the answer.
            raise VendorError(f"{WHO} sent a broken answer", code="bad_response") from None


@asynccontextmanager
async def talking(base_url: str, token: str | None, *, timeout: float, patience: float) -> AsyncGenerator[GitHubApi]:
    """`timeout` and `patience` in seconds. The token travels in its header alone, and to `base_url`'s host alone."""
    headers = {"X-GitHub-Api-Version": "2022-11-28", "User-Agent": "longrun"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    limits = httpx2.Timeout(timeout, connect=min(5.0, timeout))
    # Renamed organisations and repositories answer 301 to the same host.
    async with httpx2.AsyncClient(
        base_url=base_url, headers=headers, timeout=limits, verify=authorities(), follow_redirects=True, max_redirects=3
    ) as http:
        yield GitHubApi(http, patience)
