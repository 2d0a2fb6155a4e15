"""schema.org's JobPosting, as Google's rules have it written: https://developers.google.com/search/docs/appearance/structured-data/job-posting

One reader for JSON-LD and microdata: `extruct` makes both into the same dictionaries.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from domain.posting import EmploymentType, Finding, Period, Salary, Source
from domain.postings.reading import Findings
from domain.postings.salary import salary_in
from domain.postings.wording import date_in, employment_in

SURE = 0.98
PERIODS: Mapping[str, Period] = {"HOUR": "hour", "DAY": "day", "WEEK": "week", "MONTH": "month", "YEAR": "year"}
TYPES: Mapping[str, EmploymentType] = {
    "FULL_TIME": EmploymentType.FULL_TIME,
    "PART_TIME": EmploymentType.PART_TIME,
    "CONTRACTOR": EmploymentType.CONTRACT,
    "PER_DIEM": EmploymentType.CONTRACT,
    "TEMPORARY": EmploymentType.TEMPORARY,
    "INTERN": EmploymentType.INTERNSHIP,
    "VOLUNTEER": EmploymentType.VOLUNTEER,
}


def postings_in(data: Any) -> Iterator[Mapping[str, Any]]:
    """Every JobPosting in what a page carries, however deep in graphs and lists."""
    if isinstance(data, Mapping):
        if "JobPosting" in {_bare(kind) for kind in _all(data.get("@type"))}:
            yield data
        else:
            for value in data.values():
                yield from postings_in(value)
    elif isinstance(data, Sequence) and not isinstance(data, str):
        for one in data:
            yield from postings_in(one)


def findings_of(posting: Mapping[str, Any], source: Source) -> Findings:
    """The fields of one JobPosting; what cannot be read is left out."""
    company, found = _one(posting.get("hiringOrganization")), dict[str, Any]()
    found["title"] = _text(posting.get("title")) or _text(posting.get("name"))
    found["company.name"] = _text(company.get("name")) or _text(posting.get("hiringOrganization"))
    found["company.website"] = _text(company.get("sameAs")) or _text(company.get("url"))
    found["company.logo_url"] = _text(_one(company.get("logo")).get("url")) or _text(company.get("logo"))
    found["company.industry"] = _text(posting.get("industry"))
    found["locations"] = tuple(dict.fromkeys(_places(posting)))
    if any("TELECOMMUTE" in str(kind).upper() for kind in _all(posting.get("jobLocationType"))):
        found["remote"] = "remote"
    found["employment_type"] = _employment(posting.get("employmentType"))
    found["salary"] = _salary(posting.get("baseSalary"))
    found["posted_at"] = date_in(str(posting.get("datePosted") or ""))
    found["expires_at"] = date_in(str(posting.get("validThrough") or ""))
    return {
        name: Finding(value=value, source=source, quote=_quote(value), confidence=SURE)
        for name, value in found.items()
        if value
    }


def _places(posting: Mapping[str, Any]) -> Iterator[str]:
    for place in _all(posting.get("jobLocation")):
        address = _one(place).get("address") if isinstance(place, Mapping) else place
        if isinstance(address, str):
            yield " ".join(address.split())
            continue
        parts = [_text(_one(address).get(part)) for part in ("addressLocality", "addressRegion", "addressCountry")]
        if named := [part for part in parts if part]:
            yield ", ".join(dict.fromkeys(named))
    for area in _all(posting.get("applicantLocationRequirements")):
        if name := _text(_one(area).get("name")) or _text(area):
            yield name


def _salary(base: Any) -> Salary | None:
    money = _one(base)
    if not money:
        stated = salary_in(str(base), labelled=True) if isinstance(base, (str, int, float)) else None
        return stated.salary if stated else None
    value = _one(money.get("value"))
    low = _number(value.get("minValue", value.get("value", money.get("minValue", money.get("value")))))
    high = _number(value.get("maxValue", value.get("value", money.get("maxValue", money.get("value")))))
    unit = str(value.get("unitText") or money.get("unitText") or "").upper()
    if low is None and high is None:
        return None
    currency = _text(money.get("currency")) or _text(value.get("currency"))
    return Salary(min=low, max=high, currency=currency.upper() if currency else None, period=PERIODS.get(unit))


def _employment(said: Any) -> EmploymentType | None:
    kinds = [str(kind) for kind in _all(said)]
    known = [TYPES[kind.upper()] for kind in kinds if kind.upper() in TYPES]
    return known[0] if known else employment_in(" ".join(kinds))


def _all(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)


def _one(value: Any) -> Mapping[str, Any]:
    """The first object of a value, or an empty one."""
    return next((one for one in _all(value) if isinstance(one, Mapping)), {})


def _text(value: Any) -> str | None:
    first: Iterable[Any] = (one for one in _all(value) if isinstance(one, str) and one.strip())
    return next((" ".join(one.split()) for one in first), None)


def _number(value: Any) -> float | None:
    try:
        return float(str(value).replace(",", "")) or None
    except ValueError:
        return None


def _bare(kind: Any) -> str:
    return str(kind).rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _quote(value: Any) -> str:
    if isinstance(value, Salary):
        return " ".join(str(part) for part in value.model_dump(exclude_none=True).values())
    return "; ".join(value) if isinstance(value, tuple) else str(value)
