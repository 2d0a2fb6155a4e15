"""Salaries as a text states them: amounts, ranges, currency, period. Steps and grades are no money; nothing is guessed.

Amounts read `$106,595`, `€ 65.000`, `120k`, `45.50 USD`; ranges `$90k–120k`, `between A and B`; edges `from`, `up to`.
"""

import re
from typing import NamedTuple

from domain.posting import Period, Salary

DOLLAR_SIGNS = {"US$": "USD", "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "S$": "SGD"}
SYMBOLS = {**DOLLAR_SIGNS, "R$": "BRL", "$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "¥": "JPY", "zł": "PLN"}
# The dollar of who names no other.
DOLLARS = {"CAD": r"\bCanad(?:a|ian)\b", "AUD": r"\bAustralian?\b", "NZD": r"\bNew Zealand\b", "SGD": r"\bSingapore\b"}
PERIODS: dict[Period, str] = {
    "hour": r"(?:per|an|/|a|each|pro|par)\s*(?:hour|hr|h\b|stunde|heure)|\bhourly\b",
    "day": r"(?:per|a|/|each|pro|par)\s*(?:day|diem|tag|jour)\b|\bdaily\b",
    "week": r"(?:per|a|/|each|pro|par)\s*(?:week|wk|woche|semaine)\b|\bweekly\b",
    "month": r"(?:per|a|/|each|pro|par)\s*(?:month|mo|monat|mois)\b|\bmonthly\b",
    "year": r"(?:per|a|/|each|pro|par)\s*(?:year|yr|annum|jahr|an)\b|\b(?:annual(?:ly)?|yearly|p\.\s?a\b|annualized)",
}
SPACE = "[ \t\u00a0\u202f]"
# What looks like a number and is none: replaced by spaces, so that places stay.
NOISE = re.compile(
    r"\b(?:GS|GG|SES|ES|NH|DB|Grade|Step|Level|Band|Tier|Class|Schedule|IC|L|T|E|P|401)[-\s\u00a0]?\(?\d{1,2}\b\)?"
    r"|\b401\s?\(?k\)?",
    re.IGNORECASE,
)
SYMBOL = "|".join(re.escape(one) for one in sorted(SYMBOLS, key=len, reverse=True))
CODE = "USD|EUR|GBP|CHF|CAD|AUD|NZD|SGD|HKD|SEK|NOK|DKK|PLN|CZK|JPY|INR|BRL|ILS|ZAR"
NUMBER = r"\d{1,3}(?:[,.\u00a0\u202f' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"


def _money(at: int) -> str:
    """An amount; groups: s the sign or code before it, n the number, k thousands, c the sign or code behind."""
    return (
        rf"(?:(?P<s{at}>{SYMBOL}|\b(?:{CODE})\b){SPACE}?)?(?P<n{at}>{NUMBER}){SPACE}?(?P<k{at}>[kK]\b)?"
        rf"(?:{SPACE}?(?P<c{at}>{SYMBOL}|\b(?:{CODE})\b))?"
    )


GAP = rf"{SPACE}*(?:per\s+\w+|/\s?\w+)?{SPACE}*(?:[-–—−~]|\bto\b|\band\b|\bbis\b|\bthrough\b|\bà\b){SPACE}*"
RANGE = re.compile(_money(1) + GAP + _money(2))
SINGLE = re.compile(rf"(?P<edge>\b(?:up to|maximum of|from|starting at|minimum of|at least)\s+)?{_money(1)}", re.I)
PAY = re.compile(
    r"\b(?:salary|salaries|compensation|pay|base|wage|wages|remuneration|earn|stipend|OTE|gehalt|salaire|rate)\b", re.I
)
# Money that is not this position's pay.
OTHER = re.compile(
    r"\b(?:maximum salary available|pay system|pay cap|bonus|equity|stock|options|funding|raised|revenue|valuation|"
    r"budget|401|match(?:ing)?|contribution|retirement|"
    r"reimburse\w*|allowance|insurance|relocation|sign(?:ing)?[- ]on|referral|fee|fine|grant|donat\w+|series)\b",
    re.IGNORECASE,
)
LEAST = {"hour": 1.0, "day": 10.0, "week": 50.0, "month": 100.0, "year": 1_000.0, None: 10.0}


class Stated(NamedTuple):
    """A salary, and the words of the text that state it."""

    salary: Salary
    quote: str


def salary_in(text: str, *, labelled: bool = False) -> Stated | None:
    """The first salary range that the text states, or else a single amount.

    `labelled`: the text stands behind a label such as "Salary:", so it need not say what the money is for.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for read in (_range, _single):
        for at, line in enumerate(lines):
            said = labelled or bool(PAY.search(line)) or (at > 0 and _heads(lines[at - 1]))
            if found := read(line, said, text):
                return found
    return None


def _heads(line: str) -> bool:
    """Whether the line announces what the next one says."""
    return len(line) < 60 and bool(PAY.search(line)) and not re.search(r"\d{3}", line)


def _range(line: str, said: bool, text: str) -> Stated | None:
    for found in RANGE.finditer(_quiet(line)):
        money, period = _currency(found, ("s1", "c1", "s2", "c2"), text), _period(line, found)
        if money is None or not (said or period) or _is_other(line, found):
            continue
        low, high = (_amount(found, at) for at in "12")
        if found["k2"] and not found["k1"] and low < 1000:
            low *= 1000
        if LEAST[period] <= low <= high:
            return Stated(
                Salary(min=low, max=high, currency=money, period=period), line[found.start() : found.end()].strip()
            )
    return None


def _single(line: str, said: bool, text: str) -> Stated | None:
    quiet = _quiet(line)
    ranges = [(one.start(), one.end()) for one in RANGE.finditer(quiet) if one["s1"] or one["c1"]]
    for found in SINGLE.finditer(quiet):
        # half of a range that says nothing sound
        if any(start <= found.start("n1") < end for start, end in ranges):
            continue
        money, period = _currency(found, ("s1", "c1"), text), _period(line, found)
        # a lone amount is a salary only where the words beside it say so
        if money is None or not (period or said) or _is_other(line, found):
            continue
        amount, edge = _amount(found, "1"), (found["edge"] or "").strip().lower()
        if amount < LEAST[period or "year"]:
            continue
        low = None if edge in ("up to", "maximum of") else amount
        high = amount if not edge or low is None else None
        return Stated(Salary(min=low, max=high, currency=money, period=period), found.group().strip())
    return None


def _quiet(line: str) -> str:
    return NOISE.sub(lambda noise: " " * len(noise.group()), line)


def _is_other(line: str, found: re.Match[str]) -> bool:
    """Whether the words right before or after say that this money is something else."""
    before, after = line[max(0, found.start() - 60) : found.start()], line[found.end() : found.end() + 25]
    return bool(OTHER.search(re.split(r"[.;!?]\s", before)[-1]) or OTHER.search(re.split(r"[.;!?,]\s", after)[0]))


def _amount(found: re.Match[str], at: str) -> float:
    number = re.sub(r"[\s\u00a0\u202f']", "", found[f"n{at}"])
    # the last mark is a decimal one only when one or two digits follow it
    whole, mark, cents = number.rpartition(max(number, key=lambda sign: (sign in ".,", number.rfind(sign))))
    plain = (
        f"{re.sub('[.,]', '', whole)}.{cents}" if mark in (".", ",") and len(cents) < 3 else re.sub("[.,]", "", number)
    )
    return float(plain) * (1000 if found[f"k{at}"] else 1)


def _currency(found: re.Match[str], groups: tuple[str, ...], text: str) -> str | None:
    said = [found[group] for group in groups if found[group]]
    codes = [SYMBOLS.get(one, one) for one in said]
    if not codes or len(set(codes)) > 1:
        return None
    if said[0] == "$" and not re.search(r"\bU\.?S\.?(?:A\.?)?\b|United States|USD", text):
        return next((code for code, place in DOLLARS.items() if re.search(place, text)), "USD")
    return codes[0]


def _period(line: str, found: re.Match[str]) -> Period | None:
    """What the money is paid for, as the words around it say; those behind it count first."""
    after = re.split(r"[.;](?:\s|$)", line[found.end() : found.end() + 40])[0]
    before = re.split(r"[.;]\s", line[: found.start()])[-1]
    for words in (after, found.group(), before):
        for period, pattern in PERIODS.items():
            if re.search(pattern, words, re.IGNORECASE):
                return period
    return None
