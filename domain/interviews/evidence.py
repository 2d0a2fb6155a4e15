"""What there is in an answer to go by: its sentences without repetitions, and in each what it shows.

A sentence counts only when it shows work (precise actions, what careful work is made of) and when it is built like one
that tells something, both by the word; the less so, the less credit it has. Praise of oneself, words of the trade
alone, orders to the judge and whatever else is said have none or next to none: saying more of it does not help.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from domain.interviews.cues import WORD, phrases, stems
from domain.interviews.measures import FILLERS
from domain.text import STOP, content, numbers, plain

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
# Words of more letters are mostly abstract.
PLAIN = 9
# Clauses and steps tied to each other (Halliday and Hasan 1976, Cohesion in English).
TIES = re.compile(
    r"\b(?:so|if|when|because|before|after|until|while|once|then|first|since|whether|unless|where|how|also|instead"
    r"|rather|but|though)\b"
)
# The speaker as what is spoken of, not as who does something.
SELF = re.compile(r"\b(?:my|me|mine|myself|i'm|i am|i was|i have|i've)\b")
# Somebody who does it, or who is told: what is true of the trade in general has nobody, and no figure.
SOMEBODY = re.compile(r"\b(?:i|we|our|us|you|your)\b")
# What a sentence gains by its form, for each word of it: a tie is worth so many plain words, and plain words count up
# to that share of all, since more of them are a list. The proportions began as those of logistic regressions of
# sentences that tell of work against ones that boast, pad or string terms together.
TIED, MOST_PLAIN = 7, 0.33
# So many are a name or a figure worth.
EXACT = 2
# What it loses where nobody is in it, and gains by each of the first two words of the question.
NOBODY, ASKED, MOST_ASKED = 0.35, 0.03, 2
# Words that show work, less what may be chance.
CHANCE = 0.6
# No credit up to the first, full credit from the second on: of form, and of words that show work, both by the word.
FORM, SHOWING = (0.22, 0.32), (0.0, 0.1)
# Fewer words weigh like so many.
FEWEST = 20


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
    content: frozenset[str]
    hedges: int
    vague: int
    passive: int
    credit: float

    @property
    def solid(self) -> int:
        """How much of it shows work."""
        return len(self.actions | self.method) + len(self.names) + self.figures if self.credit else 0


class Answer(NamedTuple):
    """An answer without its repetitions, sentence by sentence; `substance` is those of them that count."""

    said: tuple[Shown, ...]
    substance: tuple[Shown, ...]

    @property
    def words(self) -> int:
        return sum(one.words for one in self.said)


def evidence_of(question: str, sentences: Iterable[str]) -> Answer:
    """What the sentences of an answer show. A sentence's credit hangs on itself and on the question alone."""
    asked = content(question)
    kept: list[Shown] = []
    for sentence in unrepeated(sentences):
        one = _shown(sentence, asked)
        if not any(_alike(one.content, other.content) for other in kept):
            kept.append(one)
    return Answer(tuple(kept), tuple(one for one in kept if one.credit))


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


def _shown(sentence: str, asked: frozenset[str]) -> Shown:
    text = plain(sentence)
    lower = text.lower()
    actions, method, own = stems("actions").find(lower), stems("method").find(lower), content(text)
    length, figures = max(FEWEST, len(text.split())), len(set(numbers(text)))
    general = not figures and SOMEBODY.search(lower) is None
    names = frozenset(NAME.findall(text)) - {"I"}
    form = (_form(lower) + EXACT * (len(names) + figures)) / length
    form += ASKED * min(MOST_ASKED, len(own & asked)) - NOBODY * general
    showing = (len(actions | method) - CHANCE) / length
    return Shown(
        text=sentence,
        words=len(text.split()),
        actions=actions,
        method=method,
        items=_listed(text),
        figures=figures,
        names=names,
        compounds=frozenset(found.lower() for found in COMPOUND.findall(text)),
        content=own,
        hedges=_count("hedges", lower) + len(FILLERS.findall(text)),
        vague=_count("vague", lower),
        passive=_count("passive", lower),
        credit=0.0 if _count("orders", lower) else _share(form, FORM) * _share(showing, SHOWING),
    )


def _form(text: str) -> float:
    """How much a sentence in lower case tells: what ties it together and plain words of its own, less abstract ones and
    each time that the speaker is what it speaks of."""
    said = {word for word in WORD.findall(text) if len(word) > 2 and word.split("'")[0] not in STOP}
    own = sum(1 if max(map(len, word.split("-"))) <= PLAIN else -1 for word in said)
    tied = len(TIES.findall(text)) - len(SELF.findall(text))
    return min(own, MOST_PLAIN * len(text.split())) + TIED * tied


def _share(value: float, bounds: tuple[float, float]) -> float:
    """From 0 at the lower bound to 1 at the upper one."""
    low, high = bounds
    return min(1.0, max(0.0, (value - low) / (high - low)))


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
