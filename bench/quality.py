"""How good a briefing is, on the shipped organisation: `python -m bench.quality` exits 1 when a bar is missed.

The real readers read the shipped site and repository over loopback, then the real activity writes two briefings: by the
offline twin, and by a model whose answer (quality_draft.toml, true claims and planted falsehoods) comes over the
wire of the real client. Facts and stack were written by hand beforehand (quality_facts.toml).

- recall: share of the facts that one claim of their section tells; all sections together, and each by itself;
- stack: precision and recall against the manifests;
- citations: share of (claim, citation) pairs where the citation is genuine (stands in the served page with its tags
  stripped, or in the shipped file) and supports the claim. The judge shares no code with the claim check: it compares
  words by their first five letters, asks for every figure letter by letter, and of advice that quotes it judges the
  quotation as it stands, of other advice the capitalised words and one more;
- falsehoods: planted claims left in the briefing.
"""

import asyncio
import json
import re
import sys
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
from domain.research import Briefing, Claim, CompanyResearchRequest, Evidence, Sections, Sources
from domain.usage import Call, Spent, Totals
from local import github_standin, samples
from providers.github import GitHub
from providers.models import Models
from providers.site import CompanySite
from providers.web import GuardedClient

HERE = Path(__file__).parent
FACTS: dict[str, Any] = tomllib.loads((HERE / "quality_facts.toml").read_text(encoding="utf-8"))
SCRIPT: list[dict[str, Any]] = tomllib.loads((HERE / "quality_draft.toml").read_text(encoding="utf-8"))["claim"]
SECTIONS = tuple(Sections.model_fields)
LETTERS = 5


class Figure(NamedTuple):
    """One line of the table; a bar of None only informs."""

    name: str
    value: float
    bar: float | None
    note: str = ""

    @property
    def held(self) -> bool:
        return self.bar is None or self.value >= self.bar


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


def recall(briefing: Briefing) -> dict[str, float]:
    """The share of each section's facts that one of its claims tells."""
    return {name: _told(FACTS[name], [claim.text for claim in getattr(briefing.sections, name)]) for name in SECTIONS}


def _told(facts: dict[str, list[str]], texts: Sequence[str]) -> float:
    def tells(text: str, keys: list[str]) -> bool:
        # A key that is all capitals (AI) is a word, not a part of one.
        return all(re.search("|".join(map(_pattern, key.split("|"))), text) for key in keys)

    return sum(any(tells(text, keys) for text in texts) for keys in facts.values()) / len(facts)


def _pattern(key: str) -> str:
    return rf"\b{key}\b" if key.isupper() else f"(?i:{re.escape(key)})"


def stack(briefing: Briefing) -> tuple[float, float]:
    """Precision and recall of the stack against the manifests."""
    named, true = {item.name for item in briefing.stack}, set(FACTS["stack"]["manifests"])
    return (len(named & true) / len(named) if named else 0.0), len(named & true) / len(true)


def citations(briefing: Briefing, material: Material) -> tuple[float, list[str]]:
    """The share of (claim, citation) pairs that hold, and the claims of those that do not."""
    shown = {item.id: item for item in briefing.evidence}
    advice = [*briefing.interview.topics, *briefing.interview.questions, *briefing.prepare, *briefing.ask_them]
    facts = [claim for name in SECTIONS for claim in getattr(briefing.sections, name)]
    pairs: list[tuple[bool, str]] = []
    for claim in (*facts, *advice):
        for name in claim.evidence:
            item = shown.get(name)
            genuine = item is not None and _letters(item.quote) in _letters(material.texts[item.url])
            supported = item is not None and supports(claim, item.quote, advice=claim in advice)
            pairs.append((genuine and supported, claim.text))
    for technology in briefing.stack:
        for name in technology.evidence:
            item = shown.get(name)
            genuine = item is not None and _letters(item.quote) in _letters(material.texts[item.url])
            pairs.append((genuine and item is not None and _names(technology.name, item.quote), technology.name))
    failed = [text for held, text in pairs if not held]
    return (len(pairs) - len(failed)) / len(pairs) if pairs else 0.0, failed


def supports(claim: Claim, quote: str, *, advice: bool) -> bool:
    """The independent judge of one claim and one cited sentence."""
    text = claim.text
    if advice and (said := re.search("“(.+)”", text)):
        return _letters(said[1].rstrip("… ")) in _letters(quote)
    alone = len(claim.evidence) == 1
    if alone and not set(re.findall(r"\d+", text)) <= set(re.findall(r"\d+", quote)) | {"18"}:
        return False
    heads = _heads(text)
    shared = heads & _heads(quote)
    if advice:
        return bool(shared)
    return len(shared) >= 0.5 * len(heads) / len(claim.evidence)


def _names(technology: str, line: str) -> bool:
    return _letters(technology) in _letters(line) or bool(_heads(technology) & _heads(line))


def _heads(text: str) -> set[str]:
    """The first letters of every longer word."""
    return {word[:LETTERS].lower() for word in re.findall(r"[^\W\d_]{4,}", text)} or {_letters(text)}


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def planted(briefing: Briefing) -> list[str]:
    """The planted falsehoods that are still in the briefing, wherever they stand."""
    whole = briefing.model_dump_json()
    return [
        entry["text"]
        for entry in SCRIPT
        if "planted" in entry and json.dumps(entry["text"], ensure_ascii=False) in whole
    ]


def kept(briefing: Briefing) -> float:
    """The share of the script's true claims that stand in the briefing."""
    whole = briefing.model_dump_json()
    true = [entry["text"] for entry in SCRIPT if "planted" not in entry]
    return sum(json.dumps(text, ensure_ascii=False) in whole for text in true) / len(true)


def figures(briefing: Briefing, material: Material) -> list[Figure]:
    """All figures of one briefing."""
    by_section = recall(briefing)
    weights = {name: len(FACTS[name]) for name in SECTIONS}
    overall = sum(by_section[name] * weights[name] for name in SECTIONS) / sum(weights.values())
    precision, found = stack(briefing)
    accuracy, failed = citations(briefing, material)
    lines = [Figure("section recall", overall, 0.8)]
    lines += [Figure(f"  {name}", by_section[name], None) for name in SECTIONS]
    lines += [Figure("stack precision", precision, 1.0), Figure("stack recall", found, 1.0)]
    lines.append(Figure("citation accuracy", accuracy, 0.9, "; ".join(failed[:3])))
    if briefing.answered_by != "offline":
        lies = sum("planted" in entry for entry in SCRIPT)
        left = planted(briefing)
        lines.append(Figure("planted falsehoods dropped", (lies - len(left)) / lies, 1.0, "; ".join(left)))
        lines.append(Figure("true claims kept", kept(briefing), 0.9))
    return lines


async def measure() -> dict[str, list[Figure]]:
    """Both runs on one gathering."""
    material = await gather()
    briefings = {"offline twin": await by_twin(material), "scripted model": await by_model(material)}
    return {name: figures(briefing, material) for name, briefing in briefings.items()}


def main() -> int:
    table = asyncio.run(measure())
    for run, lines in table.items():
        print(f"\n{run}")
        for line in lines:
            bar = "" if line.bar is None else f"≥ {line.bar:.2f}  {'ok' if line.held else 'MISSED'}"
            print(f"  {line.name:<28}{line.value:>6.2f}   {bar}  {line.note}".rstrip())
    return 0 if all(line.held for lines in table.values() for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
