"""What of an agent's notes stands: nothing that a tool has not said, of this company or of this very position."""

from decimal import Decimal
from typing import Any

import pytest

from domain.posting import Company, Conflict, Details, Evidence, Finding, Salary
from domain.postings.enriching import Reading
from domain.postings.looking import Brought, Enriched, Limits, Note, Sought, checked, heard, wanted

KNOWN = Details(title="Data Engineer", company=Company(name="Acme Rockets GmbH"))
HOME = "https://www.acme.example/"
DOES = "Acme Rockets builds small rockets."
SITE = Brought(
    tool="find_website", output={"url": HOME, "title": "Acme", "text": f"{DOES}\nWe are 140 people.", "links": []}
)
LOGO = Brought(tool="find_logo", output={"logoUrl": "https://www.acme.example/l.svg", "pageUrl": HOME})
JOB = Brought(
    tool="fetch_page",
    output={
        "url": "https://jobs.example/1",
        "title": "Data Engineer",
        "text": "Data Engineer\nBerlin, Germany\n$90,000 - $120,000 a year",
    },
)
HITS = Brought(
    tool="web_search",
    output={
        "hits": [
            {"title": "Acme Rockets", "url": HOME, "description": "Rockets and more"},
            {"title": "Globex", "url": "https://globex.example", "description": "9,000 people work at Globex"},
        ]
    },
)
NOTED = Brought(tool="note", output={"kept": [], "refused": [{"field": "size", "why": "Acme Rockets has 5 people"}]})


def find(field: Sought, value: str, quote: str, *brought: Brought) -> tuple[Any, str | None]:
    """The value that stands, or why none does."""
    found, refused = checked([Note(field=field, value=value, quote=quote)], brought, KNOWN)
    return next((one.value for one in found.values()), None), refused[0].why if refused else None


@pytest.mark.parametrize(
    ("field", "value", "quote", "brought", "stands"),
    [
        ("description", DOES, DOES, SITE, DOES),
        ("size", "140 people", "We are 140 people.", SITE, "140 people"),
        ("website", "acme.example", "", SITE, HOME),
        ("website", "https://acme.example/about", "", SITE, HOME),
        ("logo", "https://www.acme.example/l.svg", "", LOGO, "https://www.acme.example/l.svg"),
        ("location", "Berlin, Germany", "Berlin, Germany", JOB, ("Berlin, Germany",)),
        ("salary", "", "$90,000 - $120,000 a year", JOB, Salary(min=90000, max=120000, currency="USD", period="year")),
        ("industry", "Rockets", "Rockets and more", HITS, "Rockets"),
    ],
)
def test_what_a_tool_has_said_stands(field: Sought, value: str, quote: str, brought: Brought, stands: Any) -> None:
    assert find(field, value, quote, brought) == (stands, None)


@pytest.mark.parametrize(
    ("field", "value", "quote", "brought", "why"),
    [
        ("size", "150", "We are 150 people.", SITE, "no tool has said these words"),
        ("size", "150", "We are 140 people.", SITE, "the quote does not hold the value"),
        ("size", "140", "", SITE, "no tool has said these words"),
        ("size", "5 people", "Acme Rockets has 5 people", NOTED, "no tool has said these words"),
        ("size", "9,000 people", "9,000 people work at Globex", HITS, "is not named"),
        ("location", "people", "We are 140 people.", SITE, "is not named"),
        ("salary", "$95,000", DOES, SITE, "is not named"),
        ("salary", "$95,000", "Berlin, Germany", JOB, "the quote states no salary"),
        ("website", "https://globex.example/", "https://globex.example", HITS, "no tool has found that address"),
        ("website", "https://jobs.example/1", "https://jobs.example/1", JOB, "no tool has found that address"),
        ("logo", "https://www.acme.example/", HOME, LOGO, "no tool has found that address"),
        ("website", "", "", SITE, "no tool has found that address"),
    ],
)
def test_what_none_has_said_does_not(field: Sought, value: str, quote: str, brought: Brought, why: str) -> None:
    stands, said = find(field, value, quote, brought)
    assert stands is None
    assert why in (said or "")


def test_places_come_together_and_the_last_note_of_another_field_counts() -> None:
    notes = [
        Note(field="location", value="Berlin, Germany", quote="Berlin, Germany"),
        Note(field="size", value="140", quote="We are 140 people."),
        Note(field="location", value="Germany", quote="Berlin, Germany"),
        Note(field="size", value="140 people", quote="We are 140 people."),
    ]
    found, refused = checked(notes, [JOB, SITE], KNOWN)
    assert found["locations"].value == ("Berlin, Germany", "Germany")
    assert found["company.size"].value == "140 people"
    assert not refused


def test_only_what_is_open_or_in_doubt_is_wanted_and_nothing_of_nobody() -> None:
    sure = Evidence(source="json-ld", confidence=1)
    known = KNOWN.model_copy(
        update={
            "evidence": dict.fromkeys(("company.name", "company.website", "locations", "salary"), sure),
            "conflicts": (Conflict(field="salary", kept="json-ld", dropped="label", said=None),),
        }
    )
    assert wanted(known) == ("logo", "description", "size", "industry", "salary")
    assert wanted(known.model_copy(update={"company": Company()})) == ()


def test_structure_wins_over_an_agent_and_the_conflict_is_kept() -> None:
    stated = Finding(value="140", source="json-ld", confidence=1)
    looked = Finding(value="150", source="agent", quote="150 people", confidence=0.5)
    reading = Reading(text="nothing", tiers=({"company.size": stated},))
    found = reading.details({"company.size": looked}, heard="We are 150 people")
    assert found.company.size == "140"
    assert [(one.dropped, one.said) for one in found.conflicts] == [("agent", "150")]
    assert not reading.details({"company.size": looked}).conflicts, "what nobody said is not heard"
    said = Finding(value="150", source="model", quote="150 people", confidence=0.5)
    assert not reading.details({"company.size": said}, heard="We are 150 people").conflicts, "it did not read that"


def test_notes_are_not_heard_as_tools() -> None:
    assert "5 people" not in heard([NOTED])
    assert DOES in heard([SITE])


def test_limits_are_told_apart() -> None:
    limits = Limits(turns=3, calls=4, usd=Decimal("0.01"))
    assert limits.passed(1, 0, Decimal(0)) is None
    assert limits.passed(3, 0, Decimal(0)) == "turns"
    assert limits.passed(2, 4, Decimal(0)) == "calls"
    assert limits.passed(2, 0, Decimal("0.01")) == "dollars"
    assert limits.passed(2, 0, None) == "dollars"


def test_the_step_goes_on_while_there_is_something_to_do() -> None:
    read = Enriched(answered_by="openai", model="m", agent_seconds=90)
    assert read.goes_on
    assert Enriched(answered_by="openai", calls=("1.0",)).goes_on
    over = read.ended("turns", 6)
    assert (over.goes_on, over.stopped, over.answered_by, over.model) == (False, "turns", "openai", "m")
    assert not Enriched.model_validate({"answeredBy": "offline", "reason": "no key"}).goes_on, "as older histories say"
