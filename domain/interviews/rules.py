"""What each dimension is worth by rule, on the scale of its anchors, and the sentences that say so."""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from domain.interviews.evidence import Answer, Shown, lines_in
from domain.interviews.questions import Dimension
from domain.posting import Details
from domain.text import content

# Words of a sentence that can be followed.
LENGTHS = (6, 34)
WEAK_WORDS = 25


class Finding(NamedTuple):
    """`worth` on the scale of the anchors, before it is rounded; `quotes` are sentences of the answer."""

    worth: float
    quotes: Sequence[str]
    reason: str


class Case(NamedTuple):
    """What a rule is given: an answer with some substance."""

    question: str
    answer: Answer
    posting: Details | None


def relevance(case: Case) -> Finding:
    """The share of the answer that shows work on the subject, and how much of the question it takes up."""
    asked = content(case.question)
    taken = asked & frozenset[str]().union(*(one.content for one in case.answer.substance))
    share = sum(one.words for one in case.answer.substance) / max(1, case.answer.words)
    near = sorted(case.answer.substance, key=lambda one: -len(one.content & asked))
    touched = min(1.0, len(taken) / 2)
    worth = 1 + share * (0.6 + touched) + (0.2 + 0.3 * touched) * _yield(case, _solid(case))
    return Finding(
        worth, _texts(near), f"{share:.0%} of it speaks of work; it takes up {len(taken)} words of the question"
    )


def structure(case: Case) -> Finding:
    """Situation, task, action, result; of a way of working: start, aim, steps, end."""
    parts = {name: _with(case, name) for name in ("situation", "task", "order", "result")}
    steps = len(_all(case, "actions"))
    told = sum(bool(found) for found in parts.values())
    worth = 1 + 0.3 * told + 0.8 * _yield(case, _solid(case)) - 0.25 * _weakness(case)
    named = [name for name, found in parts.items() if found] + (["actions"] if steps else [])
    quotes = [one for found in parts.values() for one in found[:1]] or _texts(case.answer.substance)
    return Finding(worth, quotes, f"tells {', '.join(named) if named else 'none of its parts'}")


def specificity(case: Case) -> Finding:
    """What is named, counted and listed, less what is left vague."""
    said = case.answer.substance
    named = len(_all(case, "names")) + len(_all(case, "compounds"))
    dense, long = _yield(case, len(_all(case, "content"))), len(_all(case, "long"))
    exact = sum(one.items for one in said) + 2 * sum(one.figures for one in said) + named
    worth = 1 + 0.45 * (dense - 1) + 0.6 * _yield(case, exact) + 0.3 * _yield(case, long) - 0.3 * _weakness(case)
    best = sorted(said, key=lambda one: -(one.items + 2 * one.figures + len(one.names) + len(one.compounds)))
    return Finding(worth, _texts(best), f"{exact} exact details")


def depth(case: Case) -> Finding:
    """Aims, measures, limits and reasons."""
    method = _method(case)
    why = _lines(case, "reasons")
    worth = 1 + 1.6 * _yield(case, method) + 0.4 * len(why) - 0.3 * _weakness(case)
    best = sorted(case.answer.substance, key=lambda one: -len(one.method))
    return Finding(worth, [*why[:1], *_texts(best)], f"{method} words of aims, measures and limits, {len(why)} reasons")


def clarity(case: Case) -> Finding:
    """Plain sentences of a good length with something in them; hedges and vague words take from it."""
    said = case.answer.substance
    good = sum(LENGTHS[0] <= one.words <= LENGTHS[1] for one in said) / len(said)
    dense = _yield(case, len(_all(case, "content")))
    weak = [one for one in case.answer.said if one.hedges + one.vague]
    worth = 2 + 0.5 * good + 0.4 * (dense - 2) - 0.5 * _weakness(case)
    reason = f"{len(weak)} sentences hedge or stay vague"
    return Finding(worth, _texts(weak) if weak else _texts(said), reason)


def problem_solving(case: Case) -> Finding:
    """Cases provided for, options weighed, causes looked for, outcomes checked."""
    how = _lines(case, "provisions")
    steps = len(_all(case, "actions"))
    worth = 1 + 0.35 * len(how) + 0.5 * _yield(case, steps) + 0.6 * _yield(case, _solid(case)) - 0.3 * _weakness(case)
    return Finding(
        worth, how or _texts(case.answer.substance), f"{len(how)} ways of dealing with difficulty, {steps} actions"
    )


def self_awareness(case: Case) -> Finding:
    """Own part, limits and lessons, with something to show for them."""
    knows = _with(case, "reflection")
    worth = (
        1
        + 0.6 * min(3, len(knows))
        + 0.6 * _yield(case, _method(case))
        + 0.3 * _yield(case, len(_all(case, "actions")))
    )
    return Finding(worth, knows, f"{len(knows)} sentences on own part, limits or lessons")


def fit(case: Case) -> Finding:
    """What the posting asks for, in sentences that show work."""
    posting = case.posting or Details()
    skills = [*posting.skills.required, *posting.skills.preferred]
    wanted = frozenset[str]().union(*map(content, [posting.title or "", *skills, *posting.requirements]))
    duties = frozenset[str]().union(*map(content, posting.responsibilities))
    met = [one for one in case.answer.substance if one.content & (wanted | duties)]
    shown = len(frozenset[str]().union(*(one.content & wanted for one in met)))
    near = len(frozenset[str]().union(*(one.content & (duties - wanted) for one in met)))
    met.sort(key=lambda one: -len(one.content & (wanted | duties)))
    return Finding(1 + 0.5 * shown + 0.25 * near, _texts(met), f"takes up {shown + near} words of the posting")


RULES: Mapping[Dimension, Callable[[Case], Finding]] = {
    Dimension.RELEVANCE: relevance,
    Dimension.STRUCTURE: structure,
    Dimension.SPECIFICITY: specificity,
    Dimension.DEPTH: depth,
    Dimension.CLARITY: clarity,
    Dimension.PROBLEM_SOLVING: problem_solving,
    Dimension.SELF_AWARENESS: self_awareness,
    Dimension.FIT: fit,
}


def _yield(case: Case, count: int) -> float:
    """Distinct things by the square root of the words they took (Guiraud 1954): more words alone only lower it."""
    return count / sqrt(max(WEAK_WORDS, case.answer.words))


def _method(case: Case) -> int:
    return len(_all(case, "method"))


def _solid(case: Case) -> int:
    return len(_all(case, "method") | _all(case, "actions"))


def _weakness(case: Case) -> float:
    """Hedges, vague words and what is left to others, for every 25 words that show work."""
    weak = sum(one.hedges + one.vague + 1.5 * one.passive for one in case.answer.said)
    return min(3.0, weak * WEAK_WORDS / max(WEAK_WORDS, sum(one.words for one in case.answer.substance)))


def _all(case: Case, name: str) -> frozenset[str]:
    return frozenset[str]().union(*(getattr(one, name) for one in case.answer.substance))


def _with(case: Case, cue: str) -> list[str]:
    """The sentences that have a cue of that list."""
    return [one.text for one in case.answer.substance if any(lines_in(cue, one.text))]


def _lines(case: Case, cue: str) -> list[str]:
    """One sentence for each line of a list of cues of which the answer has something."""
    found = [lines_in(cue, one.text) for one in case.answer.substance]
    lines = range(len(found[0])) if found else range(0)
    firsts = [next((place for place, row in enumerate(found) if row[line]), None) for line in lines]
    return [case.answer.substance[place].text for place in firsts if place is not None]


def _texts(said: Sequence[Shown]) -> list[str]:
    return [one.text for one in said]
