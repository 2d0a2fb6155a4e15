"""Which pages of a site are worth reading: the home page's links and the sitemap, by score. Pure functions."""

import re
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from selectolax.lexbor import LexborHTMLParser

from domain.research import Topic
from providers.naming import same_site
from providers.pages import Link, Page, topic_in, topic_of

# One page of each topic before a second of any; what an applicant needs first stands first.
ORDER: tuple[Topic, ...] = ("about", "careers", "engineering", "products", "culture", "news")
USUAL = {"about": "/about", "careers": "/careers", "engineering": "/blog"}
# Whole parts of a path: /login is a form, /products/login-gov is a product.
USELESS = re.compile(
    r"(?:^|/)(?:log ?(?:in|out)|sign ?(?:in|up|out)|register|cart|checkout|account|imprint|impressum|search"
    r"|sitemap|rss|feed|wp json|wp content|unsubscribe|tags?|categor(?:y|ies)|authors?|page/\d+"
    r"|(?:privacy|terms|legal|cookies?)(?: [^/]*)?)(?:/|$)"
)
FILE = re.compile(r"\.(?!html?$|php$|aspx?$)[a-z0-9]{2,5}$", re.IGNORECASE)
TRACKING = re.compile(r"^(?:utm_\w+|ref|source|gclid|fbclid|mc_\w+)$")
MAX_LOCATIONS = 2000


def canonical(url: str) -> str:
    """The same page always by the same name: small host, no fragment, no tracking, no slash or index at the end."""
    parts = urlsplit(url)
    query = urlencode([pair for pair in parse_qsl(parts.query) if not TRACKING.match(pair[0])])
    path = re.sub(r"/(?:index\.\w+)?$", "", parts.path)
    return urlunsplit((parts.scheme, parts.netloc.lower(), path or "/", query, ""))


def picks(home: Page, sitemap: Sequence[str] = ()) -> list[str]:
    """Pages of the site to read after `home`, best first: a round of one page a topic, then the next round."""
    scored: dict[str, tuple[float, Topic, str]] = {}
    for link in [*home.links, *(Link(url, "") for url in sitemap)]:
        key = canonical(link.url)
        value, topic = score(link)
        known = scored.get(key)
        if (
            value > 0
            and same_site(link.url, home.url)
            and key != canonical(home.url)
            and (not known or known[0] < value)
        ):
            scored[key] = (value, topic, link.url)
    ranked = sorted(scored.values(), key=lambda entry: -entry[0])
    rounds: list[tuple[int, int, str]] = []
    seen: dict[Topic, int] = {}
    for _, topic, url in ranked:
        seen[topic] = seen.get(topic, -1) + 1
        rounds.append((seen[topic], ORDER.index(topic) if topic in ORDER else len(ORDER), url))
    return [url for *_, url in sorted(rounds, key=lambda entry: entry[:2])]


def usual(home: Page, chosen: Sequence[str]) -> list[str]:
    """Where pages of the topics that nothing leads to usually lie."""
    told = {topic_of(url) for url in chosen}
    return [urljoin(home.url, path) for topic, path in USUAL.items() if topic not in told]


def score(link: Link) -> tuple[float, Topic]:
    """How much a page promises and its topic; 0 for what is not a page to read (files, sign-in, legal)."""
    parts = urlsplit(link.url)
    path = re.sub(r"[-_]+", " ", parts.path.lower())
    if FILE.search(parts.path) or USELESS.search(path):
        return 0.0, "other"
    topic = topic_of(link.url)
    depth = len([part for part in path.split("/") if part])
    value = 10.0 if topic in ORDER else 2.0
    if topic == "other" and (said := topic_in(link.text)) in ORDER:
        topic, value = said, 8.0
    value -= 1.5 * max(0, depth - 1) + (2.0 if parts.query else 0.0) + 0.01 * len(path)
    return (0.0 if topic == "home" else max(0.1, value)), topic


def locations(xml: str) -> tuple[list[str], list[str]]:
    """(pages, further sitemaps) of a sitemap or a sitemap index, whatever its namespaces."""
    tree = LexborHTMLParser(xml)
    indexes = [node.text(strip=True) for node in tree.css("sitemap > loc")]
    return _unique(node.text(strip=True) for node in tree.css("url > loc")), _unique(indexes)


def _unique(urls: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(url for url in urls if url))[:MAX_LOCATIONS]
