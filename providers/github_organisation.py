"""Which GitHub organisation is surely the company's: plausible logins first, the search second, each one verified.

A login proves nothing, since anybody may take it. An organisation is the company's when its website lies at the
company's host; where there is neither that proof nor a contradiction, when it calls itself by the company's name.
"""

import re
import unicodedata
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from tldextract import TLDExtract

from domain.research import CompanyResearchRequest
from providers.github_api import GitHubApi, Organisation

MOST_LOGINS = 4
MOST_SEARCHED = 3

LEGAL_FORM = re.compile(
    r"(?i)[\s,]+(?:incorporated|inc|llc|ltd|limited|corp|corporation|co|company|gmbh|ag|se|sa|sas|bv|plc|pty|oy|ab)\.?$"
)
# Websites where anybody has a page: they say nothing about whose the organisation is.
SHARED = frozenset(
    {"github.com", "github.io", "twitter.com", "x.com", "linkedin.com", "medium.com", "facebook.com", "youtube.com",
     "linktr.ee", "bsky.app"}
)  # fmt: skip

# Its own snapshot of the public suffix list: no download, no cache on disk.
_split = TLDExtract(suffix_list_urls=(), cache_dir=None)


async def find_organisation(api: GitHubApi, request: CompanyResearchRequest) -> Organisation | None:
    """The verified organisation or None. Raises what GitHubApi raises."""
    host = _host(str(request.company_url)) if request.company_url else None
    async for organisation in _candidates(api, request.company_name, host):
        if belongs(organisation, request.company_name, host):
            return organisation
    return None


async def _candidates(api: GitHubApi, name: str, host: str | None) -> AsyncIterator[Organisation]:
    tried = logins(name, host)
    for login in tried:
        if organisation := await api.organisation(login):
            yield organisation
    # Colons and quotes would be read as search qualifiers.
    words = " ".join(re.sub(r"[^\w .&-]", " ", name).split())
    for login in await api.search_organisations(words, MOST_SEARCHED) if words else []:
        if login.lower() not in tried and (organisation := await api.organisation(login)):
            yield organisation


def logins(name: str, host: str | None) -> list[str]:
    """Logins a company of that name or host may have taken, the likeliest first."""
    plain = unicodedata.normalize("NFKD", _without_legal_form(name)).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain.replace("'", "").replace("&", ""))
    labels = [label for label in (host or "").split(".")[:-1] if label != "www"]
    guesses = ["".join(words), "-".join(words), *(labels if _registrable(host) else [])]
    return list(dict.fromkeys(guess for guess in guesses if re.fullmatch(r"[a-z0-9-]{1,39}", guess)))[:MOST_LOGINS]


def belongs(organisation: Organisation, name: str, host: str | None) -> bool:
    """Whether the organisation says of itself that it is the company. A website elsewhere is a no whatever its name."""
    site = _host(organisation.blog)
    if site and _registrable(site) in SHARED:
        site = None
    named = _folded(organisation.name or "") == _folded(name)
    if site and host:
        same_owner = _registrable(host) is not None and _registrable(site) == _registrable(host)
        return site == host or site.endswith(f".{host}") or (named and same_owner)
    if site and not organisation.name:
        return _folded(_split(site).domain) == _folded(name)
    return named


def _host(url: str | None) -> str | None:
    """The host of a URL or of a bare "www.example.org/path", without www."""
    if not url:
        return None
    try:
        found = urlsplit(url if "://" in url else f"//{url}").hostname
    except ValueError:
        return None
    return found.removeprefix("www.").rstrip(".") if found and "." in found else None


def _registrable(host: str | None) -> str | None:
    return _split(host or "").top_domain_under_public_suffix or None


def _without_legal_form(name: str) -> str:
    return LEGAL_FORM.sub("", name.strip())


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", _without_legal_form(name)).casefold())
