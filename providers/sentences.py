"""Text into sentences that can be quoted: each with its offset, without crumbs of navigation and consent banners."""

import re
from collections.abc import Iterator

MIN_WORDS = 4
MAX_LENGTH = 480

# An end mark, its closing quotes, white space, and what can begin a sentence; or a full stop of Chinese and Japanese.
BOUNDARY = re.compile(r"""(?<=[.!?…])["'”’)\]]*\s+(?=["'“‘(\[]?[^\W_a-z])|(?<=[。！？])""")
BULLET = re.compile(r"^(?:[-–—*•·▪‣>|]+\s+)+")
WORD = re.compile(r"\w+(?:['’.&-]\w+)*")
IDEOGRAPH = re.compile(r"[぀-ヿ一-鿿가-힯]")

# After these a capital letter does not begin a sentence.
TITLES = "mr mrs ms mx dr prof st sen rep gov gen col lt sgt capt hon rev"
CITED = "vs e.g i.e cf ca approx fig figs vol pp sec dept no nos al jan feb mar apr jun jul aug sept sep oct nov dec"
# After these it does if the next word is one that likes to begin sentences.
MAY_END = "inc ltd co corp llc bros jr sr etc est ave blvd a.m p.m ph.d b.s m.s d.c"
STARTERS = """a all an and as at both but by each every for from he her his how i if in it its more most my no on one
    or our she so some that the their then there these they this those to today we what when where while who with you
    your"""
NEVER_ENDS, OFTEN_INSIDE, BEGINNERS = (frozenset(words.split()) for words in (TITLES + " " + CITED, MAY_END, STARTERS))
INITIAL = re.compile(r"[A-Z]\.")
ACRONYM = re.compile(r"(?:[A-Za-z]\.){2,}")

BANNER = re.compile(
    r"\bcookies?\b.{0,80}\b(?:accept|consent|use|policy|preferences|settings|experience|browser)\b"
    r"|\b(?:accept|use|reject|manage|allow)\b.{0,40}\bcookies?\b"
    r"|all rights reserved|^(?:©|copyright\b)|skip to (?:main )?content|enable javascript|javascript (?:is|must be)"
    r"|subscribe to our|sign up for our|recaptcha"
    r"|(?:terms of (?:use|service)|privacy policy).{0,40}(?:apply|agree|accept)"
    # The banner that every United States government site carries.
    r"|an official website of the|here.s how you know|\.gov means it|belongs to an official government"
    r"|secure \.gov websites|safely connected to the \.gov|sensitive information only on official",
    re.IGNORECASE,
)
CRUMBS = re.compile(r"(?:\s[›»>|/•·→]\s[^›»>|/•·→]*){2,}")
END = re.compile(r"[.!?…。！？:;][\"'”’)\]]*$")


def sentences(text: str) -> Iterator[tuple[str, int]]:
    """(sentence, offset) pairs in order, each once; `text[offset:offset + len(sentence)] == sentence`."""
    seen: set[str] = set()
    for line in re.finditer(r"[^\n]+", text):
        for start, end in _split(line.group()):
            quote = line.group()[start:end]
            key = fold(quote)
            if key not in seen and worth_quoting(quote):
                seen.add(key)
                yield quote, line.start() + start


def worth_quoting(quote: str) -> bool:
    """Whether it says something: long enough, no banner, no crumbs, no row of menu labels."""
    words = WORD.findall(quote)
    if len(words) < MIN_WORDS and len(IDEOGRAPH.findall(quote)) < 2 * MIN_WORDS:
        return False
    if BANNER.search(quote) or CRUMBS.search(quote):
        return False
    labels = all(word[0].isupper() or word[0].isdigit() for word in words)
    return not labels or bool(END.search(quote)) or bool(IDEOGRAPH.search(quote))


def fold(text: str) -> str:
    """What makes two sentences the same: their letters and digits."""
    return " ".join(WORD.findall(text.casefold()))


def _split(line: str) -> Iterator[tuple[int, int]]:
    """The spans of a line's sentences, without bullets and outer white space, cut where one is too long to quote."""
    bullet = BULLET.match(line)
    start = bullet.end() if bullet else 0
    for boundary in BOUNDARY.finditer(line):
        if boundary.start() > start and _ends(line, boundary):
            # Closing quotes belong to the sentence they close.
            yield from _cut(line, start, boundary.start() + len(boundary.group().rstrip()))
            start = boundary.end()
    yield from _cut(line, start, len(line))


def _ends(line: str, boundary: re.Match[str]) -> bool:
    before = line[: boundary.start()].rsplit(None, 1)[-1].lstrip("\"'“‘([")
    after = WORD.match(line[boundary.end() :].lstrip("\"'“‘(["))
    word = before.lower().removesuffix(".")
    if INITIAL.fullmatch(before) or (before.endswith(".") and word in NEVER_ENDS):
        return False
    if ACRONYM.fullmatch(before) or (before.endswith(".") and word in OFTEN_INSIDE):
        return after is not None and after.group().lower() in BEGINNERS
    return True


def _cut(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    start += len(line[start:end]) - len(line[start:end].lstrip())
    end = start + len(line[start:end].rstrip())
    while end - start > MAX_LENGTH:
        stop = max(line.rfind(mark, start + MAX_LENGTH // 2, start + MAX_LENGTH) for mark in ("; ", ", ", " – ", " — "))
        stop = stop + 1 if stop > 0 else line.rfind(" ", start, start + MAX_LENGTH)
        stop = stop if stop > start else start + MAX_LENGTH
        yield start, stop
        start = stop + len(line[stop:end]) - len(line[stop:end].lstrip())
    if end > start:
        yield start, end
