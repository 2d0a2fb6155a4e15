"""What each dimension is worth by rule, on the scale of its anchors, and the sentences that say so."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from math import sqrt
from typing import NamedTuple

from domain.interviews.evidence import Answer, Shown, lines_in
from domain.interviews.questions import Dimension
from domain.posting import Details
from domain.text import content

# Words of a sentence that can be followed.
LENGTHS = (6, 34)
WEAK_WORDS = 25
# The words of a usual answer, and the power of their number by which what was found is divided.
USUAL, DAMPED = 45, 0.75


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
    taken = _sum(case, lambda one: one.content & asked)
    share = sum(one.credit * one.words for one in case.answer.substance) / max(1, case.answer.words)
    near = sorted(case.answer.substance, key=lambda one: -len(one.content & asked))
    touched = min(1.0, taken / 2)
    worth = 1 + share * (0.6 + touched) + (0.2 + 0.3 * touched) * _yield(case, _solid(case))
    return Finding(
        worth, _texts(near), f"{share:.0%} of it speaks of work; it takes up {taken:.0f} words of the question"
    )


def structure(case: Case) -> Finding:
    """Situation, task, action, result; of a way of working: start, aim, steps, end."""
    parts = {name: _with(case, name) for name in ("situation", "task", "order", "result")}
    steps = _actions(case)
    told = sum(min(1.0, _cue(case, name)) for name in parts)
    worth = 1 + 0.3 * told + 0.8 * _yield(case, _solid(case)) - 0.25 * _weakness(case)
    named = [name for name, found in parts.items() if found] + (["actions"] if steps else [])
    quotes = [one for found in parts.values() for one in found[:1]] or _texts(case.answer.substance)
    return Finding(worth, quotes, f"tells {', '.join(named) if named else 'none of its parts'}")


def specificity(case: Case) -> Finding:
    """What is named, counted and listed, less what is left vague."""
    said = case.answer.substance
    named = _sum(case, lambda one: one.names | one.compounds)
    dense, long = _yield(case, _content(case)), _sum(case, lambda one: one.long)
    exact = sum(one.credit * (one.items + 2 * one.figures) for one in said) + named
    worth = 1 + 0.45 * (dense - 1) + 0.6 * _yield(case, exact) + 0.3 * _yield(case, long) - 0.3 * _weakness(case)
    best = sorted(said, key=lambda one: -(one.items + 2 * one.figures + len(one.names) + len(one.compounds)))
    return Finding(worth, _texts(best), f"{exact:.0f} exact details")


def depth(case: Case) -> Finding:
    """Aims, measures, limits and reasons."""
    method = _method(case)
    why, reasons = _with(case, "reasons"), _cue(case, "reasons")
    worth = 1 + 1.6 * _yield(case, method) + 0.4 * reasons - 0.3 * _weakness(case)
    best = sorted(case.answer.substance, key=lambda one: -len(one.method))
    return Finding(
        worth, [*why[:1], *_texts(best)], f"{method:.0f} words of aims, measures and limits, {reasons:.0f} reasons"
    )


def clarity(case: Case) -> Finding:
    """Plain sentences of a good length with something in them; hedges and vague words take from it."""
    said = case.answer.substance
    good = sum(LENGTHS[0] <= one.words <= LENGTHS[1] for one in said) / len(said)
    dense = _yield(case, _content(case))
    weak = [one for one in case.answer.said if one.hedges + one.vague]
    worth = 2 + 0.5 * good + 0.4 * (dense - 2) - 0.5 * _weakness(case)
    reason = f"{len(weak)} sentences hedge or stay vague"
    return Finding(worth, _texts(weak) if weak else _texts(said), reason)


def problem_solving(case: Case) -> Finding:
    """Cases provided for, options weighed, causes looked for, outcomes checked."""
    how, ways = _with(case, "provisions"), _cue(case, "provisions")
    steps = _actions(case)
    worth = 1 + 0.35 * ways + 0.5 * _yield(case, steps) + 0.6 * _yield(case, _solid(case)) - 0.3 * _weakness(case)
    return Finding(
        worth, how or _texts(case.answer.substance), f"{ways:.0f} ways of dealing with difficulty, {steps:.0f} actions"
    )


def self_awareness(case: Case) -> Finding:
    """Own part, limits and lessons, with something to show for them."""
    knows = _with(case, "reflection")
    worth = (
        1
        + 0.6 * min(3, _sum(case, lambda one: {one.text} & set(knows)))
        + 0.6 * _yield(case, _method(case))
        + 0.3 * _yield(case, _actions(case))
    )
    return Finding(worth, knows, f"{len(knows)} sentences on own part, limits or lessons")


def fit(case: Case) -> Finding:
    """What the posting asks for, in sentences that show work."""
    posting = case.posting or Details()
    skills = [*posting.skills.required, *posting.skills.preferred]
    wanted = frozenset[str]().union(*map(content, [posting.title or "", *skills, *posting.requirements]))
    duties = frozenset[str]().union(*map(content, posting.responsibilities))
    met = [one for one in case.answer.substance if one.content & (wanted | duties)]
    shown = _sum(case, lambda one: one.content & wanted)
    near = _sum(case, lambda one: one.content & (duties - wanted))
    met.sort(key=lambda one: -len(one.content & (wanted | duties)))
    return Finding(1 + 0.5 * shown + 0.25 * near, _texts(met), f"takes up {shown + near:.0f} words of the posting")


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


def _sum(case: Case, things: Callable[[Shown], Iterable[Hashable]]) -> float:
    """Distinct things, each by the best credit of a sentence that has it."""
    best: dict[Hashable, float] = {}
    for one in case.answer.substance:
        for thing in things(one):
            best[thing] = max(best.get(thing, 0.0), one.credit)
    return sum(best.values())


def _yield(case: Case, count: float) -> float:
    """Things by the words they took: more words alone only lower it, and faster than the square root of Guiraud 1954,
    by which an answer gained with each sentence that had only half as much in it."""
    return count / (sqrt(USUAL) * (max(WEAK_WORDS, case.answer.words) / USUAL) ** DAMPED)


def _solid(case: Case) -> float:
    return _sum(case, lambda one: one.actions | one.method)


def _actions(case: Case) -> float:
    return _sum(case, lambda one: one.actions)


def _method(case: Case) -> float:
    return _sum(case, lambda one: one.method)


def _content(case: Case) -> float:
    return _sum(case, lambda one: one.content)


def _cue(case: Case, cue: str) -> float:
    """How many lines of a list of cues the answer has something of."""
    return _sum(case, lambda one: [line for line, has in enumerate(lines_in(cue, one.text)) if has])


def _weakness(case: Case) -> float:
    """Hedges, vague words and what is left to others, for every 25 words that show work."""
    weak = sum(one.hedges + one.vague + 1.5 * one.passive for one in case.answer.said)
    shown = sum(one.credit * one.words for one in case.answer.substance)
    return min(3.0, weak * WEAK_WORDS / max(WEAK_WORDS, shown))


def _with(case: Case, cue: str) -> list[str]:
    """The sentences that have a cue of that list."""
    return [one.text for one in case.answer.substance if any(lines_in(cue, one.text))]


def _texts(said: Sequence[Shown]) -> list[str]:
    return [one.text for one in said]
