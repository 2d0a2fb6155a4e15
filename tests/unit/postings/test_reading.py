"""Postings are read from their words; what has no words is left open."""

from datetime import date

import pytest

from bench.postings.figures import scores
from domain.posting import EmploymentType, Finding, Salary, Seniority
from domain.postings.merging import merged, open_fields
from domain.postings.naming import hiring, named
from domain.postings.reading import read_text
from domain.postings.schema_org import findings_of, postings_in
from domain.postings.wording import date_in, is_closed, languages_in, locations_in, remote_in, remote_stated

POSTING = """# Senior Data Engineer at Acme Rockets

Acme Rockets is looking for a data engineer. This position is fully remote.

**Location:** Berlin, Germany; Remote
**Employment type:** Full-time
**Posted:** 3 March 2026
**Apply by:** April 30, 2026
**Salary:** €70,000 – €85,000 per year

## What you will do

- Build pipelines
- Keep them running

## Qualifications

- 5+ years of experience with Python
- You speak fluent German

### Nice to have

- Kubernetes

## Benefits

- 30 days of holiday
"""


def test_a_pasted_posting_is_read() -> None:
    found = merged([read_text(POSTING)], POSTING)
    assert (found.title, found.company.name, found.locations) == (
        "Senior Data Engineer",
        "Acme Rockets",
        ("Berlin, Germany",),
    )
    assert (found.remote, found.employment_type, found.seniority) == ("remote", EmploymentType.FULL_TIME, "senior")
    assert found.salary == Salary(min=70000, max=85000, currency="EUR", period="year")
    assert (found.posted_at, found.expires_at) == (date(2026, 3, 3), date(2026, 4, 30))
    assert found.responsibilities == ("Build pipelines", "Keep them running")
    assert found.requirements == ("5+ years of experience with Python", "You speak fluent German")
    assert (found.skills.preferred, found.benefits, found.languages) == (
        ("Kubernetes",),
        ("30 days of holiday",),
        ("German",),
    )
    assert found.closed is None
    assert set(open_fields(found)) >= {"company.website", "company.logo_url", "closed"}


@pytest.mark.parametrize(
    ("text", "title", "company", "locations"),
    [
        (
            "Data Engineer at Acme. Acme is hiring. Location: Berlin. Salary: €70,000 - €80,000 per year",
            "Data Engineer",
            "Acme",
            ("Berlin",),
        ),
        ("Data Engineer at Acme. Berlin, full-time.", "Data Engineer", "Acme", ()),
        ("Nurse wanted. Mary Hill is looking for a nurse in Oslo.", "Nurse wanted", "Mary Hill", ()),
    ],
)
def test_a_text_without_line_breaks_is_read(text: str, title: str, company: str, locations: tuple[str, ...]) -> None:
    found = merged([read_text(text)], text)
    assert (found.title, found.company.name, found.locations) == (title, company, locations)


def test_a_text_that_says_little_leaves_the_rest_open() -> None:
    found = merged([read_text("We need somebody who can cook.")], "We need somebody who can cook.")
    assert (found.title, found.company.name, found.locations, found.salary) == (None, None, (), None)
    assert (found.seniority, found.remote, found.evidence) == (None, "unknown", {})


def test_a_quote_that_is_not_in_the_text_is_refused() -> None:
    draft = {
        "title": Finding(value="Pilot", source="model", quote="Pilot", confidence=0.9),
        "salary": Finding(value=Salary(min=1e5), source="model", quote="$100,000", confidence=0.9),
    }
    found = merged([draft], "We hire a **pilot**\nfor our fleet")
    assert (found.title, found.salary) == ("Pilot", None)


def test_structure_wins_and_the_conflict_is_kept() -> None:
    [posting] = postings_in({"@graph": [{"@type": ["JobPosting"], "title": "Data Engineer", "baseSalary": 90000}]})
    text = "Title: Database Engineer\nSalary: $80,000"
    found = merged([read_text(text), findings_of(posting, "json-ld")], text)
    assert found.title == "Data Engineer"
    assert [(one.field, one.kept, one.dropped, one.said) for one in found.conflicts] == [
        ("title", "json-ld", "label", "Database Engineer")
    ]


@pytest.mark.parametrize(
    ("value", "places", "remote"),
    [
        ("Virtual (100% Remote), Washington, DC; New York, NY", ("Washington, DC", "New York, NY"), "remote"),
        ("Anywhere in the U.S. (remote)", ("Anywhere in the U.S.",), "remote"),
        ("Berlin, Germany", ("Berlin, Germany",), "unknown"),
        ("Berlin, Hamburg, Munich", ("Berlin", "Hamburg", "Munich"), "unknown"),
        ("London / Paris", ("London", "Paris"), "unknown"),
        ("Remote - US", ("US",), "remote"),
        ("Remote", (), "remote"),
        ("Munich (hybrid)", ("Munich",), "hybrid"),
        ("On-site in Oslo", ("On-site in Oslo",), "onsite"),
    ],
)
def test_places_are_told_from_how_remote(value: str, places: tuple[str, ...], remote: str) -> None:
    assert (locations_in(value), remote_in(value)) == (places, remote)


@pytest.mark.parametrize(
    ("text", "remote"),
    [
        ("In this fully-remote position you will", "remote"),
        ("This role is hybrid.", "hybrid"),
        ("If the position isn’t remote, your office counts", "unknown"),
        ("Most of our positions are remote.", "unknown"),
    ],
)
def test_a_statement_is_of_this_position(text: str, remote: str) -> None:
    assert remote_stated(text)[0] == remote


@pytest.mark.parametrize(
    ("line", "text", "title", "company"),
    [
        ("18F: Engineering Director GS15", "18F is an office", "Engineering Director", "18F"),
        ("Senior Engineer - Payments", "You work on money", "Senior Engineer - Payments", None),
        ("Nurse at Saint Mary", "Saint Mary is a hospital", "Nurse", "Saint Mary"),
        ("Backend Developer (m/w/d)", "", "Backend Developer", None),
    ],
)
def test_who_posts_is_told_from_what_is_posted(line: str, text: str, title: str, company: str | None) -> None:
    assert named(line, f"{line}\n{text}")[:2] == (title, company)


def test_words_that_name_dates_languages_ends_and_employers() -> None:
    assert date_in("2026-05-01T00:00:00Z") == date(2026, 5, 1)
    assert date_in("when 400 applications are received") is None
    assert languages_in("Fluent in English; Spanish is the language of our clients") == ("English",)
    assert is_closed("This job posting has closed.")
    assert is_closed("Applications close on Friday") is None
    assert hiring("We are hiring. At Acme Corp, we are a team. Foo Labs is hiring.") == ("Foo Labs", "Foo Labs")
    assert list(Seniority) == sorted(Seniority, key=list(Seniority).index)


def test_the_shipped_postings_are_read_right_in_every_form() -> None:
    """Title and company right in all; places and salary at 0.95 and 0.85; no salary where there is none."""
    table = scores()
    assert set(table) == {"page", "markdown", "pasted", "json-ld", "greenhouse", "lever", "ashby"}
    for kind, fields in table.items():
        for name in ("title", "company"):
            assert (fields[name].precision, fields[name].recall) == (1, 1), (kind, name)
        for name in ("location", "salary"):
            assert fields[name].precision >= 0.95, (kind, name)
            assert fields[name].recall >= 0.85, (kind, name)
