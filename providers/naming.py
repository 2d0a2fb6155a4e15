"""Where a company known by name alone may live, and whether a page is that company's."""

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import urlsplit

import tldextract

from providers.pages import Page

# The packaged list of suffixes, nothing downloaded and nothing written.
DOMAINS = tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)

CANDIDATES = tuple(f"https://{{slug}}.{suffix}" for suffix in ("com", "org", "io", "gov", "co", "dev", "ai", "net"))
LEGAL = frozenset(
    ["inc", "incorporated", "llc", "ltd", "limited", "corp", "corporation", "gmbh", "ag", "sa", "se", "plc", "bv", "oy"]
)
# Sites about companies, which search engines list before some companies' own.
ABOUT_OTHERS = frozenset(
    """wikipedia wikidata linkedin facebook x twitter instagram youtube crunchbase glassdoor indeed bloomberg github
    gitlab reddit medium yelp zoominfo pitchbook trustpilot builtin""".split()  # noqa: SIM905
)
PARKED = re.compile(
    r"domain (?:name )?(?:is |may be )?(?:available |listed )?for sale|buy (?:this|the) domain|domain parking"
    r"|this domain (?:is|was|has been) (?:parked|registered|reserved|expired)|parked (?:free|domain)"
    r"|hugedomains|sedoparking|afternic|dan\.com|related searches",
    re.IGNORECASE,
)
LONG_PAGE = 400


def candidates(name: str, templates: Sequence[str]) -> list[str]:
    """Addresses worth trying, most plausible first; a name that is itself a domain name is tried as such."""
    words = plain(name).split()
    core = words[:-1] if len(words) > 1 and words[-1] in LEGAL else words
    slugs = dict.fromkeys(["".join(core), "-".join(core)]) if core else {}
    own = DOMAINS(name.strip().lower())
    direct = [f"https://{own.fqdn}"] if own.fqdn and own.fqdn == name.strip().lower() else []
    return list(
        dict.fromkeys([*direct, *(template.replace("{slug}", slug) for template in templates for slug in slugs)])
    )


def is_about_others(url: str, name: str) -> bool:
    """Whether a hit lies on a site that writes about every company, unless it is the company asked for."""
    domain = DOMAINS(url).domain
    return domain in ABOUT_OTHERS and domain != "".join(plain(name).split())


def same_site(url: str, other: str) -> bool:
    """Whether both lie under one registrable domain; hosts without one must be equal, with port."""
    mine, theirs = DOMAINS(url).top_domain_under_public_suffix, DOMAINS(other).top_domain_under_public_suffix
    return mine == theirs if mine or theirs else urlsplit(url).netloc == urlsplit(other).netloc


def names_company(page: Page, name: str) -> bool:
    """Whether the page calls itself by the company's name and is no parking lot.

    The name must stand, as whole words, in the title, og:site_name, JSON-LD or a first heading. The page's own host
    name proves nothing there: every parking lot shows it.
    """
    if page.words < LONG_PAGE and PARKED.search(f"{page.title}\n{page.text}"):
        return False
    words = plain(name).split()
    core = " ".join(words[:-1] if len(words) > 1 and words[-1] in LEGAL else words)
    host = (urlsplit(page.url).hostname or "").removeprefix("www.")
    asked_by_host = name.strip().lower() == host
    said = [page.title, *page.names]
    if not asked_by_host:
        said = [re.sub(rf"(?<![\w.]){re.escape(host)}(?![\w])", " ", text, flags=re.IGNORECASE) for text in said]
    return bool(core) and any(f" {core} " in f" {plain(text)} " for text in said)


def plain(text: str) -> str:
    """Words in small letters without accents and punctuation; apostrophes join, "&" is "and"."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    letters = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", re.sub(r"['’]", "", letters)))
