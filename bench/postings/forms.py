"""The shipped postings in the forms in which postings come: the page itself, and what is derived from it."""

import html
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

FOLDER = Path(__file__).parent
HOUR = 3_600_000


@dataclass(frozen=True)
class Truth:
    """What a person reads; `salary` is (lowest, highest) or nothing."""

    slug: str
    title: str
    company: str
    locations: tuple[str, ...]
    remote: str
    seniority: str
    salary: tuple[float, ...]
    closed: bool = False


@dataclass(frozen=True)
class Form:
    """`kind` is page, markdown, pasted, json-ld, greenhouse, lever or ashby; `body` what is sent in that form."""

    kind: str
    truth: Truth
    body: str


@cache
def truths() -> Mapping[str, Truth]:
    said: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "truth.toml").read_text(encoding="utf-8"))
    return {slug: TypeAdapter(Truth).validate_python({"slug": slug, **one}) for slug, one in said.items()}


def forms() -> Iterator[Form]:
    for slug, truth in truths().items():
        page, source = FOLDER / f"{slug}.html", FOLDER / f"{slug}.md"
        if page.exists():
            whole = page.read_text(encoding="utf-8")
            yield Form("page", truth, whole)
            inner = _main(whole)
        else:
            rendered = _rendered(source.read_text(encoding="utf-8"))
            yield Form("markdown", truth, rendered)
            inner = "".join(f"<p>{html.escape(line)}</p>" for line in rendered.splitlines() if line.strip())
        yield Form("pasted", truth, _pasted(inner))
        yield Form("json-ld", truth, _json_ld(truth, inner))
        yield Form("greenhouse", truth, json.dumps(_greenhouse(truth, inner)))
        # these two have no field for the company, so that postings there begin by naming it
        introduced = f"<p>{truth.company} is hiring.</p>{inner}"
        yield Form("lever", truth, json.dumps(_lever(truth, introduced)))
        yield Form("ashby", truth, json.dumps(_ashby(truth, introduced)))


def _rendered(source: str) -> str:
    """The Markdown as its site shows it, without what the template would add: the salary is in none of it."""
    matter, body = re.split(r"^---$", source, maxsplit=2, flags=re.MULTILINE)[1:]
    [title] = re.findall(r'^title: "(.*)"$', matter, re.MULTILINE)
    body = re.sub(r"\{% comment.*?endcomment -*%\}", "", body, flags=re.DOTALL).replace("{{ page.title }}", title)
    return f"# {title}\n\n" + re.sub(r"\{%.*?%\}", "", body, flags=re.DOTALL)


def _main(page: str) -> str:
    """The part of a page between its navigation and its footer, without markup that belongs to the site."""
    found = re.search(r"<main.*?>(.*?)</main>", page, re.DOTALL)
    return found[1] if found else page


def _pasted(inner: str) -> str:
    """What somebody copies out of a browser: lines of text, the marks of Markdown and HTML gone."""
    text = re.sub(r"<(?:script|style|svg).*?</(?:script|style|svg)>", "", inner, flags=re.DOTALL)
    text = re.sub(r"<li[^>]*>", "\n- ", re.sub(r"</(?:p|h\d|li|div|ul)>|<br\s*/?>", "\n", text))
    lines = (" ".join(line.split()).strip("#* ") for line in html.unescape(re.sub(r"<[^>]+>", "", text)).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).replace("**", "")).strip()


def _salary(truth: Truth) -> tuple[float, float] | None:
    return (truth.salary[0], truth.salary[1]) if truth.salary else None


def _json_ld(truth: Truth, inner: str) -> str:
    posting: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "title": truth.title,
        "hiringOrganization": {"@type": "Organization", "name": truth.company},
        "description": inner,
        "jobLocation": [{"@type": "Place", "address": place} for place in truth.locations],
    }
    if truth.remote == "remote":
        posting["jobLocationType"] = "TELECOMMUTE"
    if pay := _salary(truth):
        value = {"@type": "QuantitativeValue", "minValue": pay[0], "maxValue": pay[1]}
        posting["baseSalary"] = {"@type": "MonetaryAmount", "currency": "USD", "value": value}
    data = json.dumps({"@graph": [{"@type": "WebSite", "name": "Jobs"}, posting]}).replace("</", "<\\/")
    return f'<html><head><script type="application/ld+json">{data}</script></head><body>{inner}</body></html>'


def _greenhouse(truth: Truth, inner: str) -> dict[str, Any]:
    pay = _salary(truth)
    cents = {"min_cents": int(pay[0] * 100), "max_cents": int(pay[1] * 100), "currency_type": "USD"} if pay else None
    return {
        "title": truth.title,
        "company_name": truth.company,
        "location": {"name": "; ".join(("Remote", *truth.locations) if truth.remote == "remote" else truth.locations)},
        "content": html.escape(inner),
        "pay_input_ranges": [cents | {"title": "Salary range"}] if cents else [],
    }


def _lever(truth: Truth, inner: str) -> dict[str, Any]:
    pay = _salary(truth)
    return {
        "text": truth.title,
        "categories": {
            "location": truth.locations[0],
            "allLocations": list(truth.locations),
            "commitment": "Full-time",
        },
        "workplaceType": truth.remote if truth.remote != "unknown" else "unspecified",
        "description": inner,
        "createdAt": 470_000 * HOUR,
        **({"salaryRange": {"min": pay[0], "max": pay[1], "currency": "USD", "interval": "one-time"}} if pay else {}),
    }


def _ashby(truth: Truth, inner: str) -> dict[str, Any]:
    pay = _salary(truth)
    part = (
        {"compensationType": "Salary", "minValue": pay[0], "maxValue": pay[1], "currencyCode": "USD"} if pay else None
    )
    job = {
        "id": truth.slug,
        "title": truth.title,
        "location": truth.locations[0],
        "secondaryLocations": [{"location": place} for place in truth.locations[1:]],
        "isRemote": truth.remote == "remote",
        "employmentType": "FullTime",
        "descriptionHtml": inner,
        "compensation": {"summaryComponents": [part] if part else []},
    }
    return {"jobs": [{"id": "another", "title": "Another"}, job]}
