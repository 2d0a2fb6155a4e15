"""What there is in an answer to go by: its sentences without repetitions, and in each what it shows.

A sentence counts only when it shows work (precise actions, what careful work is made of, names, figures) and when it is
built like one that tells something; the less so, the less credit it has. Praise of oneself, words of the trade alone,
orders to the judge and whatever else is said have none or next to none, so that saying more of it does not help.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from domain.interviews.cues import WORD, phrases, stems
from domain.interviews.measures import FILLERS
from domain.text import STOP, content, numbers, plain, stem, words

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
# So many words, names and figures of work, and a sentence needs no link with others.
ENOUGH = 2
# Björnsson's LIX counts words of more letters as long ones.
LONG = 6


# Words of more letters are mostly abstract.
PLAIN = 8
# What a sentence gains and loses by its form, whatever it is about, in plain words. The numbers began as those of a
# logistic regression of sentences that tell of work against ones that boast, pad or string terms together.
FORM = 2.5
# Told as done, or as what one would do.
DONE = re.compile(
    r"(?<![\w-])(?:\w+ed|(?:i|we)'(?:ll|d)|(?:i|we) (?:(?:also|then|first) )?(?:built|began|broke|brought|chose|cut"
    r"|drew|found|gave|held|kept|led|made|met|ran|sent|split|told|took|went|wrote))\b"
)
# Clauses and steps tied to each other, and what points back (Halliday and Hasan 1976, Cohesion in English).
TIES = re.compile(
    r"\b(?:so|if|when|because|before|after|until|while|once|then|first|since|whether|unless|where|how|also|instead"
    r"|rather|but|though)\b"
)
BACK = re.compile(r"\b(?:it|its|they|them|their|this|that|these|those|which|what|who)\b")
# The speaker as what is spoken of, not as who does something.
SELF = re.compile(r"\b(?:my|me|mine|myself|i'm|i am|i was|i have|i've)\b")
# Comparisons and extremes (Pomerantz 1986, Extreme case formulations).
EXTREMES = re.compile(
    r"\b(?:most|least|best|worst|greatest|\w{2,}(?:[^aeiourt]|[aeiou]t)est|than|any(?:one|body|thing)?"
    r"|every(?:one|body|thing|where)?|n?ever|always|nobody|none|nothing|entire|whole|half|twice|others?'?|else|few|even)\b"
)
# Somebody who does it, or who is told: what is true of the trade in general has nobody.
SOMEBODY = re.compile(r"\b(?:i|we|our|us|you|your)\b")
# The weight from which on a sentence has some credit, and that of full credit.
LIGHT, FULL = 7.0, 9.0


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
    orders: int
    weight: float

    @property
    def cued(self) -> frozenset[str]:
        return frozenset(map(stem, self.actions | self.method))

    @property
    def solid(self) -> int:
        """How much of it shows work."""
        return 0 if self.orders else len(self.actions | self.method) + len(self.names) + self.figures

    @property
    def credit(self) -> float:
        """From 0 to 1, by the sentence's weight."""
        return min(1.0, max(0.0, (self.weight - LIGHT) / (FULL - LIGHT)))


class Answer(NamedTuple):
    """An answer without its repetitions, sentence by sentence; `substance` is those of them that count."""

    said: tuple[Shown, ...]
    substance: tuple[Shown, ...]

    @property
    def words(self) -> int:
        return sum(one.words for one in self.said)


def evidence_of(question: str, sentences: Iterable[str]) -> Answer:
    """What the sentences of an answer show. One cue alone may be chance: it counts in a sentence that shares
    another long word with the question or with what shows more."""
    kept: list[Shown] = []
    for sentence in unrepeated(sentences):
        one = _shown(sentence)
        if not any(_alike(one.content, other.content) for other in kept):
            kept.append(one)
    able = [one for one in kept if one.solid and one.credit]
    firm = [one for one in able if one.solid >= ENOUGH]
    subject = _long(question).union(*(one.long for one in firm))
    return Answer(tuple(kept), tuple(one for one in able if one.solid >= ENOUGH or (one.long - one.cued) & subject))


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
    figures = len(set(numbers(text)))
    return Shown(
        text=sentence,
        words=len(text.split()),
        actions=stems("actions").find(lower),
        method=stems("method").find(lower),
        items=_listed(text),
        figures=figures,
        names=frozenset(NAME.findall(text)) - {"I"},
        compounds=frozenset(found.lower() for found in COMPOUND.findall(text)),
        long=_long(text),
        content=content(text),
        hedges=_count("hedges", lower) + len(FILLERS.findall(text)),
        vague=_count("vague", lower),
        passive=_count("passive", lower),
        orders=_count("orders", lower),
        weight=_weight(lower) + figures,
    )


def _weight(text: str) -> float:
    """How much a sentence in lower case tells: plain words of its own, what was done, what ties it together; less for
    each time that the speaker is its subject matter, or something is the most, the only or more than others, and where
    nobody is in it."""
    said = {word for word in WORD.findall(text) if len(word) > 2 and word.split("'")[0] not in STOP}
    own = sum(max(map(len, word.split("-"))) <= PLAIN for word in said) + len(BACK.findall(text))
    gained, lost = (sum(len(form.findall(text)) for form in forms) for forms in ((DONE, TIES), (SELF, EXTREMES)))
    return own + FORM * (gained - lost) - (SOMEBODY.search(text) is None)


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
