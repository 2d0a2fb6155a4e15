"""A salary is read as it is stated, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.posting import Period, Salary
from domain.postings.salary import salary_in


def stated(text: str, *, labelled: bool = False) -> tuple[float | None, float | None, str | None, str | None] | None:
    found = salary_in(text, labelled=labelled)
    return (found.salary.min, found.salary.max, found.salary.currency, found.salary.period) if found else None


@pytest.mark.parametrize(
    ("text", "salary"),
    [
        ("Salary range: GS-15\u00a0($136,908 to $183,500)", (136908, 183500, "USD", None)),
        ("The base salary range is: GS-15 Step 1 - $106,595 to GS-15 Step 10 $138,572", (106595, 138572, "USD", None)),
        ("Salary Range:\n$90,621 - $117,810", (90621, 117810, "USD", None)),
        ("Pay: €65.000 – 80.000 p.a.", (65000, 80000, "EUR", "year")),
        ("$90k–120k per year", (90000, 120000, "USD", "year")),
        ("salary $90-120k", (90000, 120000, "USD", None)),
        ("salary between £400 and £450 per day", (400, 450, "GBP", "day")),
        ("Salary: up to 120k CAD", (None, 120000, "CAD", None)),
        ("Salary from CHF 110'000", (110000, None, "CHF", None)),
        ("Compensation: $45.50/hour", (45.5, 45.5, "USD", "hour")),
        ("salary 45 000 - 55 000 EUR a month", (45000, 55000, "EUR", "month")),
        ("Gehalt: 60.000 € bis 70.000 €", (60000, 70000, "EUR", None)),
        ("Toronto, Canada. Salary: $100,000 - $120,000", (100000, 120000, "CAD", None)),
    ],
)
def test_it_is_read_as_it_is_stated(text: str, salary: tuple[float | None, float | None, str, str | None]) -> None:
    assert stated(text) == salary


@pytest.mark.parametrize(
    "text",
    [
        "Please note the maximum salary available for the GS pay system is $183,500.",
        "This is a GS-15 position, Step 1 to Step 10, salary by grade",
        "We raised $30M to $40M last year",
        "401(k) with a match of up to $5,000",
        "a signing bonus of $10,000 to $20,000",
        "Competitive salary and benefits",
        "Our 10 to 15 engineers are paid well: salary talks are open",
        "Salary: €50,000 to $60,000",
        "salary $120,000 to $90,000",
        "",
    ],
)
def test_what_is_no_salary_gives_none(text: str) -> None:
    assert stated(text) is None


def test_behind_a_label_money_needs_no_word_for_it() -> None:
    assert stated("$120,000") is None
    assert stated("$120,000", labelled=True) == (120000, 120000, "USD", None)


@given(
    low=st.integers(20_000, 400_000),
    more=st.integers(0, 100_000),
    sign=st.sampled_from(["$", "€", "£"]),
    gap=st.sampled_from([" - ", " – ", " to ", "-"]),
    period=st.sampled_from([("", None), (" per year", "year"), (" per month", "month"), (" an hour", "hour")]),
    before=st.sampled_from(["Salary: ", "The pay range is ", "GS-14 Step 1 base salary ", "compensation of "]),
)
def test_whatever_its_form_the_amounts_and_the_period_are_those_said(
    low: int, more: int, sign: str, gap: str, period: tuple[str, Period | None], before: str
) -> None:
    text = f"{before}{sign}{low:,}{gap}{sign}{low + more:,}{period[0]}"
    found = salary_in(text)
    assert found
    currency = {"$": "USD", "€": "EUR", "£": "GBP"}[sign]
    assert found.salary == Salary(min=low, max=low + more, currency=currency, period=period[1])
    assert found.quote in text


@given(st.text(max_size=300))
def test_no_text_makes_it_fail_or_quote_what_is_not_there(text: str) -> None:
    found = salary_in(text, labelled=True)
    assert found is None or found.quote in text
