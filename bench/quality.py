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
import math
import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench import quality_documents
from bench.postings import figures as posting_figures
from bench.quality_run import SCRIPT, SECTIONS, Material, by_model, by_twin, gather
from domain.research import Briefing, Claim

FACTS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("quality_facts.toml").read_text(encoding="utf-8"))
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
    table = {name: figures(briefing, material) for name, briefing in briefings.items()}
    return table | {"documents": await chunks_found()} | postings_read()


def postings_read() -> dict[str, list[Figure]]:
    """What bench/postings measures: the shipped postings, and forms of them that are derived; without a model."""
    table: dict[str, list[Figure]] = {}
    for form, fields in posting_figures.scores().items():
        lines = table[f"job positions, {form}{'' if form in posting_figures.SHIPPED else ' (derived)'}"] = []
        for name, score in fields.items():
            precision, recalled = posting_figures.BARS.get(name, (None, None))
            lines.append(Figure(f"{name} precision", score.precision, precision))
            lines.append(Figure("  recall", score.recall, recalled))
    return table


async def chunks_found() -> list[Figure]:
    """What bench/quality_documents.py measures."""
    lines: list[Figure] = []
    found = await quality_documents.measure()
    for ranking, (recalled, precision) in found.items():
        lines.append(Figure(f"recall of five, {ranking}", recalled, quality_documents.BARS[ranking]))
        lines.append(Figure("  precision", precision, None))
    if "hybrid" not in found:
        lines.append(
            Figure("recall of five, hybrid", math.nan, None, "NOT measured: the extra `embeddings` is not there")
        )
    return lines


def main() -> int:
    table = asyncio.run(measure())
    for run, lines in table.items():
        print(f"\n{run}")
        for line in lines:
            bar = "" if line.bar is None else f"≥ {line.bar:.2f}  {'held' if line.held else 'NOT held'}"
            print(f"  {line.name:<28}{line.value:>6.2f}   {bar}  {line.note}".rstrip())
    return 0 if all(line.held for lines in table.values() for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
