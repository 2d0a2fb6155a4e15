"""What there is in an answer to go by: its sentences without repetitions, and in each what it shows.

A sentence counts only when it shows work: precise actions, what careful work is made of, names, figures; and when it is
about something: words and figures of its own subject, the more of them the more it claims. Praise of oneself, words of
the trade alone, orders to the judge and whatever else is said count for nothing, so that saying more of it never helps.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from domain.interviews.cues import phrases, stems
from domain.interviews.measures import FILLERS
from domain.text import content, numbers, plain, stem, words

BRACKETS = re.compile(r"(\([^()]*\))")
CLAUSES = re.compile(r"[;:—–.?!]")
# From so many commas on a clause lists something.
LIST_COMMAS = 2
THINGS = re.compile(r",|\band\b|\bor\b|;")
NAME = re.compile(r"(?<![.?!“\"] )(?<!^)\b(?:[A-Z][a-z]+(?:[A-Z]\w+)?|[A-Z][A-Z0-9]+[a-z]?)\b")
COMPOUND = re.compile(r"\b[a-z]+(?:[-/][a-z]+)+\b", re.IGNORECASE)
# As much of two sentences alike, and the later one says nothing new.
ALIKE = 0.8
FEWEST_RUN = 5
# A word of praise in a sentence of up to so many makes it one of praise.
PRAISE_WORDS = 25
ENOUGH = 2
# So many words of its own subject a sentence needs, fewer when others speak of the same, and more for each claim.
FIRM, LINKED, CLAIMED = 3, 2, 3
# What is denied is not claimed: "I'm not always perfect at it".
DENIED = re.compile(r"(?:\bnot|n't)(?: \w+){1,2}")
# Long words made of others by these are mostly abstract (Biber 1988, nominalizations).
ABSTRACT = re.compile(
    r"(?:[st]ions?|ments?|it(?:y|ies)|ness|[ae]nc(?:e|es|y|ies)|ships?|isms?|ives?|ful|[ai]bl[ey]|ous|ly"
    r"|i[sz](?:e|es|ed|ing)|if(?:y|ies|ied|ying))$"
)
# Björnsson's LIX counts words of more letters as long ones.
LONG = 6


class Shown(NamedTuple):
    """A sentence and what it shows, each as the distinct words that show it."""

    text: str
    words: int
    actions: frozenset[str]
    method: frozenset[str]
    items: int
    figures: int
    names: frozenset[str]
    compounds: frozenset[str]
    long: frozenset[str]
    content: frozenset[str]
    hedges: int
    vague: int
    passive: int
    boasts: int
    orders: int
    concrete: frozenset[str]
    claims: int

    @property
    def hollow(self) -> bool:
        """Whether it mainly praises, or tells its judge what to do."""
        return bool(self.orders or (self.boasts and self.boasts * PRAISE_WORDS >= self.words))

    @property
    def cued(self) -> frozenset[str]:
        return frozenset(map(stem, self.actions | self.method))

    @property
    def spare(self) -> int:
        """How much more it is about than its claims ask for."""
        return len(self.concrete) + self.figures - CLAIMED * self.claims

    @property
    def solid(self) -> int:
        """How much of it shows work."""
        return 0 if self.hollow else len(self.actions | self.method) + len(self.names) + self.figures


class Answer(NamedTuple):
    """An answer without its repetitions, sentence by sentence; `substance` is those of them that count."""

    said: tuple[Shown, ...]
    substance: tuple[Shown, ...]

    @property
    def words(self) -> int:
        return sum(one.words for one in self.said)


def evidence_of(question: str, sentences: Iterable[str]) -> Answer:
    """What the sentences of an answer show. One cue alone may be chance: it counts in a sentence that shares
    another long word with the question or with what shows more. Likewise a sentence of few words on its subject counts
    when the question or a fuller one speaks of the same."""
    kept: list[Shown] = []
    for sentence in unrepeated(sentences):
        one = _shown(sentence)
        if not any(_alike(one.content, other.content) for other in kept):
            kept.append(one)
    firm = [one for one in kept if one.solid >= ENOUGH and one.spare >= FIRM]
    subject = _long(question).union(*(one.long for one in firm))
    told = _concrete(plain(question).lower()).union(*(one.concrete for one in firm))
    about = [one for one in kept if one.spare >= FIRM or (one.spare >= LINKED and one.concrete & told)]
    counts = [one for one in about if one.solid >= ENOUGH or (one.solid and (one.long - one.cued) & subject)]
    return Answer(tuple(kept), tuple(counts))


def unrepeated(sentences: Iterable[str]) -> list[str]:
    """The sentences without runs of words that were said before, parted where such a run was."""
    said = [(number, word) for number, sentence in enumerate(sentences) for word in sentence.split()]
    keys = [re.sub(r"\W", "", word.lower()) for _, word in said]
    runs: dict[tuple[str, ...], int] = {}
    for place in range(len(keys) - FEWEST_RUN + 1):
        runs.setdefault(tuple(keys[place : place + FEWEST_RUN]), place)
    again = {
        place + more
        for place in range(len(keys) - FEWEST_RUN + 1)
        if runs[tuple(keys[place : place + FEWEST_RUN])] < place
        for more in range(FEWEST_RUN)
    }
    found: list[list[str]] = []
    before = (-1, -1)
    for place, (number, word) in enumerate(said):
        if place in again:
            continue
        if before == (number, place - 1):
            found[-1].append(word)
        else:
            found.append([word])
        before = (number, place)
    return [" ".join(one) for one in found]


def lines_in(name: str, text: str) -> list[bool]:
    """For each line of a list of phrases whether the text has one of them."""
    text = plain(text).lower()
    return [bool(pattern.search(text)) for pattern in phrases(name)]


def _shown(sentence: str) -> Shown:
    text = plain(sentence)
    lower = text.lower()

    return Shown(
        text=sentence,
        words=len(text.split()),
        actions=stems("actions").find(lower),
        method=stems("method").find(lower),
        items=_listed(text),
        figures=len(set(numbers(text))),
        names=frozenset(NAME.findall(text)) - {"I"},
        compounds=frozenset(found.lower() for found in COMPOUND.findall(text)),
        long=_long(text),
        content=content(text),
        hedges=_count("hedges", lower) + len(FILLERS.findall(text)),
        vague=_count("vague", lower),
        passive=_count("passive", lower),
        boasts=_count("boasts", lower),
        orders=_count("orders", lower),
        concrete=_concrete(lower),
        claims=_count("claims", DENIED.sub(" ", lower)) + len(_opinions().findall(lower)),
    )


def _concrete(text: str) -> frozenset[str]:
    """The stems of the words that say what a text in lower case is about."""
    text = text.replace("-", " ")
    general = stems("general").find(text)
    found = (word for word in words(text) if len(word) > 2 and word not in general)
    return content(" ".join(word for word in found if len(word) <= LONG or not ABSTRACT.search(word)))


@cache
def _opinions() -> re.Pattern[str]:
    """What others think of the speaker, in lower case."""
    verbs = stems("opinions").pattern
    of_me = rf"(?<!\bi )(?<!\bwe )(?<!\bto )\b{verbs}(?: (?!to\b)\w+){{0,2}} (?:me|my|mine)\b"
    being = r"\b(?:i'm|i am|i was|i have been|i've been|my \w+ (?:is|are|was|were)) (?:\w+ly )?"
    i_am = rf"{being}(?=\w+(?:ed|en|wn)\b){verbs}"
    return re.compile(f"{of_me}|{i_am}")


def _count(name: str, text: str) -> int:
    return sum(len(pattern.findall(text)) for pattern in phrases(name))


def _listed(text: str) -> int:
    """How many things the text lists: in brackets, or one behind the other."""
    parts = BRACKETS.split(text)
    clauses = [clause for part in parts[::2] for clause in CLAUSES.split(part) if clause.count(",") >= LIST_COMMAS]
    things = (thing for some in (*parts[1::2], *clauses) for thing in THINGS.split(some.strip("()")))
    return sum(bool(content(thing)) for thing in things)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one) and len(one & other) >= ALIKE * len(one)


def _long(text: str) -> frozenset[str]:
    """The stems of the long words, those of general meaning left out."""
    long = [word.lower() for word in words(text) if len(word) > LONG]
    return frozenset(stem(word) for word in long if not _count("vague", word))
