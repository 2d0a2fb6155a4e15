"""English text as the claim check and the offline twin see it: words, stems, numbers, quotations."""

import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

# A word may hold a dot, plus, hash or apostrophe: Node.js, C++, don't. Hyphens and slashes part words.
WORD = re.compile(r"[^\W_](?:[\w'&+#.]*[\w+#])?")
QUOTED = re.compile(r'"([^"]+)"')
SINGLY_QUOTED = re.compile(r"(?<!\w)'([^']+(?:'\w[^']*)*)'(?!\w)")
NUMBER = re.compile(
    r"(?<![\w.])([$€£])?\s?(\d{1,3}(?:[, ]\d{3})+(?!\d)|\d+)(\.\d+)?"
    r"(?:\s?(%|(?:percent|per cent|thousand|million|billion|trillion)\b)|(k|m|bn|b)\b|(?:st|nd|rd|th)\b|(?!\w))",
    re.IGNORECASE,
)
VERSION = re.compile(r"(?<![\w.])\d+(?:\.\d+){2,}")
ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
SCALES = {"thousand": 3, "k": 3, "million": 6, "m": 6, "billion": 9, "bn": 9, "b": 9, "trillion": 12}
PERCENT = ("%", "percent", "per cent")
STRAIGHT = {ord(mark): straight for marks, straight in (("“”„«»", '"'), ("‘’‚", "'"), ("‐‑–—−", "-")) for mark in marks}

_SPELLED = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty"""
_MONTHS = "January February March April May June July August September October November December"
_SUFFIXES = "ations ation ments ment ingly ings ing ions ion ized izes ize ers er ies ied es ed ly al s y e"
_STOP = """a about above after again all also am an and any are as at be because been before being between both but by
can could did do does doing down during each either every few for from further get gets had has have having he her here
hers him his how however i if in into is it its itself just let like made make makes many may me might more most much
must my no nor not now of off on once only onto or other our ours out over own per rather same she should since so some
such than that the their theirs them then there these they this those through to too under until up upon us use used
uses using very via was we well were what when where whether which while who whom whose why will with within without
would yet you your yours don't doesn't isn't aren't can't won't it's we're we've we'll they're you'll you're i'm i've"""
SPELLED = {word: Decimal(value) for value, word in enumerate(_SPELLED.split())}
MONTHS = _MONTHS.split()
SUFFIXES = _SUFFIXES.split()
STOP = frozenset(_STOP.split())


class Number(NamedTuple):
    """A number as text gives it: `unit` is a currency sign, "%" or nothing."""

    value: Decimal
    unit: str = ""


def plain(text: str) -> str:
    """Straight quotation marks, plain hyphens and spaces, composed letters."""
    if not text.isascii():  # nothing in ASCII is composed or curved
        text = unicodedata.normalize("NFKC", text).translate(STRAIGHT)
    return " ".join(text.split())


def bare(word: str) -> str:
    """A word without its possessive ending."""
    return word.removesuffix("'s").rstrip("'")


def words(text: str) -> list[str]:
    """The words of `text` as written; "18F", "Node.js" and "cloud.gov" are one word each."""
    return [bare(word) for word in WORD.findall(plain(text))]


def stem(word: str) -> str:
    """A crude stem, good enough for "modernize" to meet "modernizing"."""
    word = word.lower()
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word.removesuffix(suffix)
    return word


def content(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning, amounts left out."""
    found = (word.lower() for word in words(text))
    return frozenset(stem(word) for word in found if len(word) > 1 and word not in STOP and not word[0].isdigit())


def folded(text: str) -> str:
    """The words in lower case, one space apart and at both ends: one text stands in another if its folded form does."""
    return f" {' '.join(word.lower() for word in words(text))} "


def dated(text: str) -> str:
    """`text` with every ISO date also in words, so that "May 2021" is found in 2021-05-11."""
    return ISO_DATE.sub(_in_words, text)


def numbers(text: str) -> list[Number]:
    """Every amount: 1,200 is 1200, $1.2 million is 1200000 $, 62 % keeps its unit, 21st is 21, "three" is 3.

    "One" is a word, not an amount.
    """
    found: list[Number] = []
    for match in NUMBER.finditer(VERSION.sub(" ", plain(text))):
        currency, whole, fraction, scale, letter = match.groups()
        value = Decimal(re.sub(r"[, ]", "", whole) + (fraction or ""))
        scale = (scale or letter or "").lower()
        unit = currency or ("%" if scale in PERCENT else "")
        found.append(Number(value.scaleb(SCALES.get(scale, 0)), unit))
    spelled = (word for word in map(str.lower, words(text)) if word in SPELLED and word != "one")
    return found + [Number(SPELLED[word]) for word in spelled]


def versions(text: str) -> list[str]:
    """Dotted numbers such as 3.3.3, which are names rather than amounts."""
    return VERSION.findall(plain(text))


def quotations(text: str) -> list[str]:
    """What stands between double quotation marks, or between single ones when it is more than a word."""
    text = plain(text)
    return QUOTED.findall(text) + [quote for quote in SINGLY_QUOTED.findall(text) if " " in quote]


def unquoted(text: str) -> str:
    """`text` without its quotations."""
    text = plain(text)
    for quote in quotations(text):
        text = text.replace(quote, " ")
    return text


def _in_words(match: re.Match[str]) -> str:
    year, month, day = (int(part) for part in match.groups())
    return f"{match.group()} ({MONTHS[month - 1]} {day}, {year})" if 1 <= month <= 12 else match.group()
