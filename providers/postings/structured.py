"""The structured data of a posting's page, and its text: JSON-LD, microdata, OpenGraph, headings, Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import trafilatura
from selectolax.lexbor import LexborHTMLParser

from domain.posting import Finding
from domain.postings.reading import Findings
from domain.postings.schema_org import findings_of, postings_in
from domain.postings.wording import is_closed

# Below that a page shows nothing without its scripts.
LEAST_TEXT = 200
LIKELY = 0.5


@dataclass(frozen=True)
class PostingPage:
    """`text` is the posting's Markdown, `headings` the page's own titles, the surest first; `tiers` as for `merged`;
    `shown` is all that the page shows."""

    text: str
    headings: Sequence[str]
    tiers: Sequence[Findings]
    shown: str = ""
    scripts: int = 0
    asks_password: bool = False

    @property
    def needs_javascript(self) -> bool:
        # what a page says of its site for others to show is no posting
        says = (one for tier in self.tiers for one in tier.values() if one.source != "open-graph")
        return len(self.text) < LEAST_TEXT and self.scripts > 0 and not any(says)

    @property
    def said(self) -> str:
        """All that quotes may stand in."""
        return "\n".join([*self.headings, self.text, self.shown])


def read_posting_page(html: str, url: str) -> PostingPage:
    """What a page says of the posting it shows. Keeps a core busy for some tenths of a second: call it in a thread."""
    tree = LexborHTMLParser(html)
    shown = " ".join(tree.body.text(separator=" ").split()) if tree.body else ""
    tiers = [*_json_ld(html), *_microdata(html, url), _open_graph(tree, url), _notice(shown)]
    described = next((one["description"].value for one in tiers if "description" in one), None)
    text = markdown_of(described if described and "<" in described else html) or described or ""
    return PostingPage(
        text=text,
        headings=[" ".join(line.split()) for line in _headings(tree) if line.strip()],
        tiers=[tier for tier in tiers if tier],
        shown=shown,
        scripts=len(tree.css("script")),
        asks_password=tree.css_first('input[type="password"]') is not None,
    )


def markdown_of(html: str) -> str:
    """The main text of a page or fragment, headings, labels and lists kept."""
    whole = html if "<html" in html[:2000].lower() else f"<html><body><article>{html}</article></body></html>"
    found = trafilatura.extract(whole, include_links=False, favor_recall=True, output_format="markdown")
    return found or ""


def _json_ld(html: str) -> list[Findings]:
    # Imported here: it takes a second, and most workers never read a posting.
    from extruct.jsonld import JsonLdExtractor

    try:
        items = JsonLdExtractor().extract(html)
    except ValueError:  # what a page says is JSON and is not
        return []
    return [_with_description(one, findings_of(one, "json-ld")) for one in postings_in(items)]


def _microdata(html: str, url: str) -> list[Findings]:
    if "itemtype" not in html:
        return []
    from extruct.w3cmicrodata import MicrodataExtractor

    items = [_typed(item) for item in MicrodataExtractor().extract(html, base_url=url)]
    return [_with_description(one, findings_of(one, "microdata")) for one in postings_in(items)]


def _typed(item: Any) -> Any:
    """Microdata's {type, properties} as JSON-LD has it."""
    if isinstance(item, dict) and "properties" in item:
        inner: dict[str, Any] = {name: _typed(value) for name, value in item["properties"].items()}
        return {"@type": item.get("type"), **inner}
    return [_typed(one) for one in item] if isinstance(item, list) else item


def _with_description(posting: Mapping[str, Any], found: Findings) -> Findings:
    said = posting.get("description")
    if not isinstance(said, str) or not said.strip():
        return found
    return {**found, "description": Finding(value=said, source="json-ld", confidence=1.0)}


def _open_graph(tree: LexborHTMLParser, url: str) -> Findings:
    image = _meta(tree, "og:logo")
    found = {"company.logo_url": urljoin(url, image) if image else "", "company.name": _meta(tree, "og:site_name")}
    return {
        name: Finding(value=value, source="open-graph", quote=value, confidence=LIKELY)
        for name, value in found.items()
        if value
    }


def _notice(shown: str) -> Findings:
    """That nobody can apply any more often stands above the posting, in no part of it."""
    closed = is_closed(shown)
    return {"closed": Finding(value=True, source="grammar", quote=closed, confidence=LIKELY)} if closed else {}


def _headings(tree: LexborHTMLParser) -> list[str]:
    title = tree.css_first("title")
    named = (_meta(tree, "og:title"), title.text() if title else "")
    # behind the bar a site names itself
    return [*(node.text() for node in tree.css("h1")), *(line.split(" | ")[0] for line in named)]


def _meta(tree: LexborHTMLParser, name: str) -> str:
    node = tree.css_first(f'meta[property="{name}"]') or tree.css_first(f'meta[name="{name}"]')
    return (node.attributes.get("content") or "").strip() if node else ""
