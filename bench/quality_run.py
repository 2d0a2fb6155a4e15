"""The two runs that bench/quality.py measures: real readers over loopback, the real activity, no stack needed."""

import asyncio
import json
import tomllib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import uvicorn
from llmock.scenarios import Reply
from llmock.testing import LLMockServer
from selectolax.lexbor import LexborHTMLParser
from temporalio.testing import ActivityEnvironment

from activities.analysis import Analysis
from domain.research import Briefing, CompanyResearchRequest, Evidence, Sections, Sources
from domain.usage import Call, Spent, Totals
from local import github_standin, samples
from providers.github import GitHub
from providers.models import Models
from providers.site import CompanySite
from providers.web import GuardedClient

SCRIPT: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("quality_draft.toml").read_text(encoding="utf-8")
)["claim"]
SECTIONS = tuple(Sections.model_fields)


class Material(NamedTuple):
    """What the readers brought home, and the plain text of every page and file it came from, by URL."""

    sources: Sources
    evidence: list[Evidence]
    texts: dict[str, str]


class Shelf:
    """The evidence of one job, in memory."""

    def __init__(self, evidence: list[Evidence]) -> None:
        self._evidence = evidence

    async def read(self, job_id: UUID) -> list[Evidence]:
        return self._evidence


class Purse:
    """A till that only remembers what was spent."""

    def __init__(self) -> None:
        self.spent: list[Spent] = []

    async def answered(self, call: Call, prompt_hash: str) -> tuple[str, str, Any] | None:
        return None

    async def totals(self, job_id: UUID) -> Totals:
        return Totals()

    async def record(self, spent: Spent, *, prompt_hash: str, answer: Any) -> Totals:
        self.spent.append(spent)
        return Totals()


@asynccontextmanager
async def github() -> AsyncGenerator[str]:
    server = uvicorn.Server(uvicorn.Config(github_standin.build(), port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def gather() -> Material:
    """Read the shipped site (12 pages) and repository with the real readers."""
    with samples.serve() as site_url:
        request = CompanyResearchRequest.model_validate(
            {"companyName": "18F", "role": "Backend Engineer", "companyUrl": site_url, "deepMode": True}
        )
        async with GuardedClient(allow=[urlsplit(site_url).netloc]) as client, github() as github_url:
            site, sentences = await CompanySite(client).read(request)
            code, lines = await GitHub(github_url).read(request)
        texts: dict[str, str] = {}
        async with httpx.AsyncClient(trust_env=False) as plain_client:
            for url in {item.url for item in sentences}:
                texts[url] = _visible((await plain_client.get(url)).text)
    shipped = github_standin.SHIPPED / "18F" / "18f.gsa.gov"
    files = "\n".join(path.read_text(encoding="utf-8") for path in sorted(shipped.iterdir()) if path.is_file())
    texts |= {item.url: files for item in lines}
    return Material(Sources(request=request, site=site, code=code), [*sentences, *lines], texts)


def _visible(html: str) -> str:
    """Everything a page says: its text with the tags stripped, its title, and what its meta tags describe."""
    tree = LexborHTMLParser(html)
    described = " ".join(node.attributes.get("content") or "" for node in tree.css("meta"))
    for node in tree.css("script, style"):
        node.decompose()
    titles = " ".join(node.text() for node in tree.css("title"))
    return f"{tree.body.text(separator=' ') if tree.body else ''} {titles} {described}"


async def by_twin(material: Material) -> Briefing:
    """The briefing when no key is set."""
    return await _analyze(material, Models(Purse()))


async def by_model(material: Material) -> Briefing:
    """The briefing of the scripted answer, over HTTP."""
    purse = Purse()
    with LLMockServer() as server:
        server.state.scenarios.add(Reply(text=json.dumps(scripted(material.evidence))))
        model = Models(purse, anthropic_key="scripted", anthropic_base_url=server.base_url("anthropic"))
        try:
            briefing = await _analyze(material, model)
        finally:
            await model.close()
    if len(purse.spent) != 1:
        raise RuntimeError("the scripted model was not asked exactly once")
    return briefing


async def _analyze(material: Material, model: Models) -> Briefing:
    environment = ActivityEnvironment()
    environment.info = replace(environment.default_info(), workflow_id=str(uuid4()))
    return await environment.run(Analysis(Shelf(material.evidence), model).analyze, material.sources)


def scripted(evidence: Sequence[Evidence]) -> dict[str, Any]:
    """The draft as a model would send it; each citation is found by words of the sentence it means."""
    answer: dict[str, Any] = {"sections": {}, "interview": {}}
    for entry in SCRIPT:
        path = f"sections.{entry['section']}" if entry["section"] in SECTIONS else entry["section"]
        holder, _, name = path.rpartition(".")
        place = answer[holder] if holder else answer
        cited = [_cited(words, evidence) for words in entry["cites"]]
        place.setdefault(name, []).append({"text": entry["text"], "evidence": cited})
    return answer


def _cited(wanted: str, evidence: Sequence[Evidence]) -> str:
    if wanted.startswith("="):
        return wanted[1:]
    found = next((item.id for item in evidence if wanted in item.quote), None)
    if found is None:
        raise RuntimeError(f"no evidence says: {wanted}")
    return found
