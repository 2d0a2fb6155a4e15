"""A page of HTML as a Page: what it calls itself, its text, its sentences with offsets, its links. Pure functions."""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import trafilatura
from selectolax.lexbor import LexborHTMLParser, LexborNode

from domain.research import Topic
from providers.sentences import fold, sentences

FEW_WORDS = 30
MAX_LINKS = 600

UNSEEN = "script, style, noscript, template, svg, iframe, [hidden], [aria-hidden=true]"
FRAME = (
    "nav, footer, aside, form, dialog, select, button, [role=navigation], [role=banner] li, [role=dialog], header li, "
    "[class*=cookie i], [id*=cookie i], [class*=consent i], [id*=consent i], [class*=breadcrumb i]"
)
BLOCKS = "h1, h2, h3, p, blockquote, figcaption, li, dd"
MOUNT = (
    "#root, #app, #__next, #__nuxt, #___gatsby, #svelte, app-root, [data-reactroot], [ng-app], [data-server-rendered]"
)
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))

# In this order: the culture of engineering is engineering, jobs at /company/jobs are careers.
TOPICS: dict[Topic, str] = {
    "careers": "careers?|jobs?|join|hiring|vacancies|openings|open (?:positions|roles)|work (?:here|at|for us)",
    "engineering": "engineering|tech(?:nology)? blog|developers?|open source|architecture|infrastructure",
    "culture": "culture|values|principles|life|diversity|inclusion|belonging|benefits|perks|code of conduct"
    "|how we work",
    "news": "news|newsroom|press|press releases?|media|blog|updates?|announcements?|stories|posts?|articles?",
    "about": "about|company|mission|who we are|our story|team|leadership|history|what we do",
    "products": "products?|services?|solutions?|platform|offerings?|features?|pricing|projects?|our work|portfolio"
    "|customers?|case stud(?:y|ies)",
}
HOME = re.compile(r"(?:(?:index|home|default)(?:\.\w+)?|[a-z]{2}(?:-[a-z]{2})?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """`text` is the anchor's own, in one line."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """`names` is what the page calls its owner: og:site_name, JSON-LD organisations, headings of the first rank.

    `sentences` are (sentence, offset into `text`). `words` counts the words a reader without JavaScript sees.
    """

    url: str
    title: str
    description: str
    names: tuple[str, ...]
    text: str
    sentences: tuple[tuple[str, int], ...]
    topic: Topic
    links: tuple[Link, ...]
    words: int
    needs_javascript: bool


def read_page(html: str, url: str) -> Page:
    """Read a page. Never fails on broken markup; a page without text has no sentences."""
    tree = LexborHTMLParser(html)
    title = _line(_meta(tree, "og:title")) or _first(tree, "title") or _first(tree, "h1")
    description = _line(_meta(tree, "description")) or _line(_meta(tree, "og:description"))
    organisations = list(_organisations(tree))
    names = [_meta(tree, "og:site_name"), _meta(tree, "application-name"), *(name for name, _ in organisations)]
    names += [node.text(separator=" ") for node in tree.css("h1")[:3]]
    links = tuple(_links(tree, url))
    scripts, mounted = len(tree.css("script")), tree.css_first(MOUNT) is not None
    told = any("javascript" in node.text().lower() for node in tree.css("noscript"))
    _remove(tree, UNSEEN)
    words = len(tree.body.text(separator=" ").split()) if tree.body else 0
    text = _text(html, tree, [description, *(words for _, words in organisations)])
    return Page(
        url=url,
        title=title,
        description=description,
        names=tuple(dict.fromkeys(filter(None, map(_line, names)))),
        text=text,
        sentences=tuple(sentences(text)),
        topic=topic_of(url, _first(tree, "title") or title),
        links=links,
        words=words,
        needs_javascript=words < FEW_WORDS and scripts > 0 and (mounted or told or words == 0),
    )


def topic_of(url: str, title: str = "") -> Topic:
    """The topic as the path tells it, or else the title."""
    path = urlsplit(url).path.strip("/")
    if HOME.fullmatch(path):
        return "home"
    told = topic_in(path)
    return topic_in(title) if told == "other" else told


def topic_in(words: str) -> Topic:
    """The first topic of TOPICS that the words of a path, title or link name, else "other"."""
    spaced = re.sub(r"[-_]+", " ", words.lower())
    for topic, named in TOPICS.items():
        if re.search(rf"\b(?:{named})\b", spaced):
            return topic
    return "other"


def _text(html: str, tree: LexborHTMLParser, told: list[str]) -> str:
    """Trafilatura's reading, after what the page says of itself and before the blocks it left out (landing pages)."""
    # A line break in the source is white space; trafilatura would keep some and cut sentences there.
    flat = " ".join(html.split())
    body = trafilatura.extract(flat, favor_recall=True, include_comments=False, include_tables=True) or ""
    _remove(tree, FRAME)
    blocks = [node.text() for node in tree.css(BLOCKS) if len(node.css(BLOCKS)) <= 1]
    lines: list[str] = []
    seen = ""
    for line in filter(None, map(_line, [*told, *body.splitlines(), *blocks])):
        key = f" {fold(line)} "
        if key.strip() and key not in seen:
            lines.append(line)
            seen += f"{key}\n"
    return "\n".join(lines)


def _line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).translate(INVISIBLE).split())


def _first(tree: LexborHTMLParser, selector: str) -> str:
    node = tree.css_first(selector)
    return _line(node.text(separator=" ")) if node else ""


def _meta(tree: LexborHTMLParser, name: str) -> str:
    node = tree.css_first(f'meta[name="{name}" i], meta[property="{name}" i]')
    return (node.attributes.get("content") or "") if node else ""


def _remove(tree: LexborHTMLParser, selector: str) -> None:
    for node in tree.css(selector):
        node.decompose()


def _links(tree: LexborHTMLParser, url: str) -> Iterator[Link]:
    base_node = tree.css_first("base[href]")
    base = _join(url, base_node.attributes.get("href") or "") or url if base_node else url
    seen: set[str] = set()
    for node in tree.css("a[href]"):
        target = _join(base, node.attributes.get("href") or "")
        if target and target not in seen and len(seen) < MAX_LINKS:
            seen.add(target)
            yield Link(target, _label(node))


def _label(node: LexborNode) -> str:
    return _line(node.text(separator=" ") or node.attributes.get("aria-label") or "")


def _join(base: str, target: str) -> str | None:
    try:
        joined = urldefrag(urljoin(base, target.strip())).url
        return joined if urlsplit(joined).scheme in ("http", "https") and urlsplit(joined).hostname else None
    except ValueError:
        return None


def _organisations(tree: LexborHTMLParser) -> Iterator[tuple[str, str]]:
    """(name, description) of the organisations and web sites that the page's JSON-LD declares."""
    for script in tree.css('script[type="application/ld+json"]'):
        try:
            waiting: list[Any] = [json.loads(script.text(), strict=False)]
        except (ValueError, RecursionError):
            continue
        while waiting:
            node = waiting.pop()
            if isinstance(node, list):
                waiting += reversed(node)
            elif isinstance(node, dict):
                kinds = json.dumps(node.get("@type", ""))
                if re.search(r'(?:Organization|Corporation|Business|WebSite|NGO)"', kinds):
                    yield _words(node.get("name")), _words(node.get("description"))
                waiting += [node[key] for key in ("@graph", "publisher", "mainEntity") if key in node]


def _words(value: object) -> str:
    return _line(value) if isinstance(value, str) else ""
