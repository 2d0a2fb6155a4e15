"""What a posting leaves open, looked up with tools: which fields, within which limits, and what of it stands."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from domain.job import Ongoing
from domain.model import Model, Request
from domain.plan_prompt import MOST_SAID
from domain.posting import Details, Finding
from domain.postings.asking import flat, inert
from domain.postings.enriching import AnsweredBy, Reading
from domain.postings.merging import open_fields
from domain.postings.salary import salary_in
from domain.postings.wording import locations_in

Sought = Literal["website", "logo", "description", "size", "industry", "location", "salary"]
Stopped = Literal["done", "turns", "calls", "seconds", "dollars", "failed"]
FIELDS: Mapping[Sought, str] = {
    "website": "company.website",
    "logo": "company.logo_url",
    "description": "company.description",
    "size": "company.size",
    "industry": "company.industry",
    "location": "locations",
    "salary": "salary",
}
CONFIDENCE = 0.5
# The model has read the whole before; here it is to know what it looks up.
MOST_SHOWN, MOST_NOTES, LONGEST_NOTE = 3_000, 20, 2_000
LEGAL = re.compile(
    r"[\s,]+(?:inc|incorporated|llc|ltd|limited|corp|corporation|company|co|gmbh|ag|sa|se|plc|bv|oy)\.?$", re.IGNORECASE
)
NOTE = "note"


class Limits(Model):
    """Of one job's agent: turns of its model, calls of tools, seconds from its beginning, USD."""

    turns: int = 6
    calls: int = 12
    seconds: float = 90.0
    usd: Decimal = Decimal("0.05")

    def passed(self, turns: int, calls: int, usd: Decimal | None) -> Stopped | None:
        """Which limit is reached by what was done so far; a price that nobody knows keeps to none."""
        if usd is None or usd >= self.usd:
            return "dollars"
        return "turns" if turns >= self.turns else "calls" if calls >= self.calls else None


class Turn(Model):
    """A turn of the agent's model, or one of the tool calls that it asked for. `until`: when the agent has to end;
    `last`: so soon that the model has to answer with what it has."""

    turn: int = 1
    until: datetime
    last: bool = False
    call: str = ""


class Enriched(Ongoing):
    """Who has read the posting at last; `reason`: why no model has. The step goes on while the agent is given seconds,
    and while there are calls to be made; `stopped`: why the agent has ended."""

    answered_by: AnsweredBy
    reason: str | None = None
    model: str | None = None
    agent_seconds: float | None = None
    calls: tuple[str, ...] = ()
    turns: int = 0
    stopped: Stopped | None = None
    stop_reason: str | None = None

    @property
    def goes_on(self) -> bool:
        return self.agent_seconds is not None or bool(self.calls)

    def ended(self, stopped: Stopped, turns: int, reason: str | None = None) -> "Enriched":
        change = {"agent_seconds": None, "calls": (), "turns": turns, "stopped": stopped, "stop_reason": reason}
        return self.model_copy(update=change)


class Note(Request):
    """One thing found. `quote`: the words of a tool's answer that say so, copied letter by letter; the value stands in
    them. Of a website and a logo the address alone counts."""

    field: Sought
    value: str
    quote: str


class Notes(Request):
    """What was found so far."""

    notes: tuple[Note, ...] = ()


class Brought(Model):
    """What one call of a tool has brought."""

    tool: str
    output: Any


class Refused(Model):
    """A note that does not stand, and why."""

    field: Sought
    why: str


def wanted(details: Details) -> tuple[Sought, ...]:
    """What is worth looking up; nothing where it is not known whose posting it is."""
    left = set(open_fields(details))
    return tuple(sought for sought, field in FIELDS.items() if field in left) if details.company.name else ()


def prompt(reading: Reading, known: Details) -> str:
    """What the agent's model sees: what is known, what is wanted, how the posting begins."""
    found = known.model_dump(mode="json", by_alias=True, exclude={"evidence", "conflicts", "description"})
    told = inert(json.dumps(found, ensure_ascii=False))
    text = inert("\n".join([*reading.headings, reading.text or reading.shown])[:MOST_SHOWN])
    return (
        f"<known>\n{told}\n</known>\n\n<wanted>\n{', '.join(wanted(known))}\n</wanted>\n\n<posting>\n{text}\n</posting>"
    )


def heard(brought: Iterable[Brought]) -> str:
    """All that tools have said to the model, as the quotes may have it."""
    return "\n".join("\n".join(_texts(one.output))[:MOST_SAID] for one in brought if one.tool != NOTE)


def checked(
    notes: Sequence[Note], brought: Sequence[Brought], known: Details
) -> tuple[dict[str, Finding], list[Refused]]:
    """What of the notes stands: in what tools have really brought, said of this company, or of this very position."""
    found: dict[str, Finding] = {}
    refused: list[Refused] = []
    pages = [flat(text) for text in _pages(brought)] if notes else []
    for note in notes[:MOST_NOTES]:
        said = _finding(note, brought, pages, known)
        if isinstance(said, str):
            refused.append(Refused(field=note.field, why=said))
            continue
        name = FIELDS[note.field]
        before = found.get(name)
        if before and note.field == "location":
            value = tuple(dict.fromkeys([*before.value, *said.value]))
            said = before.model_copy(update={"value": value})
        found[name] = said
    return found, refused


def _finding(note: Note, brought: Sequence[Brought], pages: Sequence[str], known: Details) -> Finding | str:
    """What a note says, or why it does not stand; `pages` are flat."""
    if note.field in ("website", "logo"):
        url = (_website if note.field == "website" else _logo)(note.value.strip(), brought, known)
        return _of(url, url) if url else "no tool has found that address to be it"
    value, quote = note.value.strip()[:LONGEST_NOTE], " ".join(note.quote.split())
    about = known.title if note.field in ("location", "salary") else known.company.name
    holding = [page for page in pages if flat(quote).strip() and flat(quote) in page]
    if not holding:
        return "no tool has said these words"
    if not any(_names(page, about) for page in holding):
        return "where these words stand, this company or position is not named"
    if note.field == "salary":
        stated = salary_in(quote, labelled=True)
        return _of(stated.salary, quote) if stated else "the quote states no salary"
    if not flat(value).strip() or flat(value) not in flat(quote):
        return "the quote does not hold the value"
    if note.field == "location":
        places = locations_in(value)
        return _of(places, quote) if places else "that is no place"
    return _of(value, quote)


def _website(url: str, brought: Sequence[Brought], known: Details) -> str | None:
    """The root of a site that has answered and is the company's, if that is the one meant."""
    for one in brought:
        if one.tool not in ("find_website", "fetch_page") or not isinstance(one.output, dict):
            continue
        page = str(one.output.get("url", ""))
        own = one.tool == "find_website" or _names(flat(str(one.output.get("title", ""))), known.company.name)
        if own and _host(url) and _host(page) == _host(url):
            return urljoin(page, "/")
    return None


def _logo(url: str, brought: Sequence[Brought], _: Details) -> str | None:
    found = (one.output for one in brought if one.tool == "find_logo" and isinstance(one.output, dict))
    return url if url and any(output.get("logoUrl") == url for output in found) else None


def _host(url: str) -> str:
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        return parts.netloc.lower().removeprefix("www.")
    except ValueError:
        return ""


def _names(page: str, name: str | None) -> bool:
    core = flat(LEGAL.sub("", name or ""))
    return bool(core.strip()) and core in page


def _pages(brought: Sequence[Brought]) -> Iterator[str]:
    """What was said in one place: a page, or one hit of a search."""
    for one in brought:
        if one.tool == NOTE:
            continue
        hits = one.output.get("hits") if isinstance(one.output, dict) else None
        for place in hits if isinstance(hits, list) else [one.output]:
            yield "\n".join(_texts(place))[:MOST_SAID]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _texts(inner)


def _of(value: Any, quote: str) -> Finding:
    return Finding(value=value, source="agent", quote=quote, confidence=CONFIDENCE)
