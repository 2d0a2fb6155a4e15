"""GitHub on loopback for tests: organisations are data, and any path can be made to fail.

    async with GitHubServer() as github:
        github.add("acme", Repo("web", files={"package.json": "…"}), name="Acme", blog="https://acme.example")
        github.fail(r"/orgs/acme", limited(403, reset_in=30), times=1)
        ...github.url, github.hits["/orgs/acme"], github.asked[0].headers["authorization"]

With `shipped=True` it answers what the stand-in of the product answers, so that faults can be put before it.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from local.github_standin import build
from tests.support.site_server import Answer, Asked, SiteServer

WEB = "https://github.com"


@dataclass(frozen=True)
class Repo:
    """A repository; None is what GitHub leaves null."""

    name: str
    description: str | None = None
    topics: tuple[str, ...] = ()
    stars: int | None = None
    pushed_at: str | None = None
    fork: bool = False
    archived: bool = False
    languages: Mapping[str, int] = field(default_factory=dict[str, int])
    files: Mapping[str, str] = field(default_factory=dict[str, str])

    def listed(self, owner: str) -> dict[str, Any]:
        full_name = f"{owner}/{self.name}"
        return {
            "name": self.name, "full_name": full_name, "html_url": f"{WEB}/{full_name}", "default_branch": "main",
            "description": self.description, "topics": list(self.topics), "stargazers_count": self.stars,
            "pushed_at": self.pushed_at, "fork": self.fork, "archived": self.archived, "private": False,
        }  # fmt: skip


def limited(status: int = 403, *, reset_in: float | None = None, retry_after: str | None = None) -> Answer:
    """GitHub's answer at a limit: the primary one by its reset (seconds from now), a secondary one by Retry-After."""
    headers = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0" if reset_in is not None else "12"}
    if reset_in is not None:
        headers["x-ratelimit-reset"] = str(int(time.time() + reset_in))
    if retry_after is not None:
        headers["retry-after"] = retry_after
    return Answer(status, headers, json.dumps({"message": "API rate limit exceeded", "status": str(status)}))


def answer(body: object, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(200, {"content-type": "application/json", **(headers or {})}, json.dumps(body))


class GitHubServer(SiteServer):
    """`page_size` caps what `per_page` asks for; `first_delay` seconds pass before the first answer."""

    def __init__(self, *, shipped: bool = False, page_size: int = 100, first_delay: float = 0.0) -> None:
        super().__init__(first_delay=first_delay)
        self.page_size = page_size
        self._answers: dict[str, Answer] = {}
        self._lists: dict[str, list[Any]] = {}
        self._accounts: list[dict[str, Any]] = []
        self._faults: list[tuple[re.Pattern[str], Answer, Iterator[int]]] = []
        self._shipped = httpx.ASGITransport(app=build()) if shipped else None

    def add(self, login: str, *repos: Repo, name: str | None = None, blog: str | None = None) -> None:
        """An organisation, found by the search for words of its name or login."""
        account = {"login": login, "name": name, "blog": blog, "html_url": f"{WEB}/{login}", "type": "Organization"}
        self._accounts.append(account)
        self._answers[f"/orgs/{login}"] = answer(account)
        self._lists[f"/orgs/{login}/repos"] = [repo.listed(login) for repo in repos]
        for repo in repos:
            base = f"/repos/{login}/{repo.name}"
            self._answers[f"{base}/languages"] = answer(dict(repo.languages))
            files = [{"name": name, "type": "file", "size": len(text)} for name, text in repo.files.items()]
            if files:
                self._answers[f"{base}/contents/"] = answer([*files, {"name": "src", "type": "dir", "size": 0}])
            for file, text in repo.files.items():
                self._answers[f"{base}/contents/{file}"] = Answer(body=text)

    def fail(self, path: str, fault: Answer, *, times: int | None = None) -> None:
        """Answer `fault` wherever the pattern fits the whole path: `times` times, or always."""
        self._faults.append((re.compile(path), fault, iter(range(times)) if times is not None else count()))

    async def _answer(self, asked: Asked) -> Answer:
        self.routes[asked.path] = self._route
        return await super()._answer(asked)

    async def _route(self, asked: Asked) -> Answer:
        for pattern, fault, turns in self._faults:
            if pattern.fullmatch(asked.path) and next(turns, None) is not None:
                return fault
        if asked.path in self._lists:
            return self._page(asked)
        if asked.path == "/search/users" and not self._shipped:
            words = parse_qs(urlsplit(asked.target).query)["q"][0].lower().removesuffix(" type:org").split()
            hits = [
                each
                for each in self._accounts
                if any(word in f"{each['login']} {each['name']}".lower() for word in words)
            ]
            return answer({"total_count": len(hits), "incomplete_results": False, "items": hits})
        if self._shipped:
            async with httpx.AsyncClient(transport=self._shipped, base_url=self.url) as product:
                told = await product.get(asked.target, headers={"accept": asked.headers.get("accept", "")})
                return Answer(told.status_code, {"content-type": told.headers["content-type"]}, told.content)
        return self._answers.get(asked.path) or Answer(404, body=json.dumps({"message": "Not Found"}))

    def _page(self, asked: Asked) -> Answer:
        query = parse_qs(urlsplit(asked.target).query)
        size, page = min(self.page_size, int(query["per_page"][0])), int(query["page"][0])
        everything = self._lists[asked.path]
        more = page * size < len(everything)
        link = {"link": f'<{self.url}{asked.path}?per_page={size}&page={page + 1}>; rel="next"'} if more else {}
        return answer(everything[(page - 1) * size : page * size], link)
