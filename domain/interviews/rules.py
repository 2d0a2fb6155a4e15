"""What each dimension is worth by rule, on the scale of its anchors, and the sentences that say so."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

from domain.interviews.evidence import Answer, Shown, lines_in
from domain.interviews.questions import Dimension
from domain.posting import Details
from domain.text import content

# Words of a sentence that can be followed.
LENGTHS = (6, 34)
# So many of each thing a usual answer has by the word; it is worth something from PRICE times as many on.
SOLID, METHOD, ACTIONS, EXACT, GOOD = 0.135, 0.0675, 0.0675, 0.06, 0.525
TOLD, REASONS, WAYS, KNOWN, WANTED = 0.03, 0.015, 0.0225, 0.015, 0.015
PRICE = 0.5
# Words that an answer is taken to have more than it has: a few words alone show little.
MORE_WORDS = 10
# With so many of its words the question is taken up.
TAKEN_UP = 2
# So many details of a sentence count for each word of it that shows work.
DETAILS = 2


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
    """The work that it shows, and how much of the question it takes up."""
    asked = content(case.question)
    taken = _sum(case, lambda one: one.content & asked)
    near = sorted(case.answer.substance, key=lambda one: -len(one.content & asked))
    worth = 1 + (0.8 + 1.2 * min(1.0, taken / TAKEN_UP)) * _paid(case, _solid(case), SOLID)
    return Finding(worth, _texts(near), f"takes up {taken:.0f} words of the question")


def structure(case: Case) -> Finding:
    """Situation, task, action, result; of a way of working: start, aim, steps, end."""
    parts = {name: _with(case, name) for name in ("situation", "task", "order", "result")}
    told = sum(min(1.0, _cue(case, name)) for name in parts)
    worth = 1 + 1.1 * _paid(case, told, TOLD) + 1.9 * _paid(case, _solid(case), SOLID) - 0.25 * _weakness(case)
    named = [name for name, found in parts.items() if found] + (["actions"] if _actions(case) else [])
    quotes = [one for found in parts.values() for one in found[:1]] or _texts(case.answer.substance)
    return Finding(worth, quotes, f"tells {', '.join(named) if named else 'none of its parts'}")


def specificity(case: Case) -> Finding:
    """What is named, counted and listed, less what is left vague."""
    exact = sum(
        one.credit * min(_details(one), DETAILS * len(one.actions | one.method)) for one in case.answer.substance
    )
    worth = 1 + 1.2 * _paid(case, _solid(case), SOLID) + 0.8 * _paid(case, exact, EXACT) - 0.3 * _weakness(case)
    return Finding(
        worth, _texts(sorted(case.answer.substance, key=lambda one: -_details(one))), f"{exact:.0f} exact details"
    )


def depth(case: Case) -> Finding:
    """Aims, measures, limits and reasons."""
    method = _method(case)
    why, reasons = _with(case, "reasons"), _cue(case, "reasons")
    worth = 1 + 2.0 * _paid(case, method, METHOD) + 0.7 * _paid(case, reasons, REASONS) - 0.3 * _weakness(case)
    best = sorted(case.answer.substance, key=lambda one: -len(one.method))
    return Finding(
        worth, [*why[:1], *_texts(best)], f"{method:.0f} words of aims, measures and limits, {reasons:.0f} reasons"
    )


def clarity(case: Case) -> Finding:
    """Plain sentences of a good length with something in them; hedges and vague words take from it."""
    said = case.answer.substance
    good = sum(one.credit * one.words for one in said if LENGTHS[0] <= one.words <= LENGTHS[1])
    weak = [one for one in case.answer.said if one.hedges + one.vague]
    worth = 1 + _paid(case, good, GOOD) + 1.6 * _paid(case, _solid(case), SOLID) - 0.5 * _weakness(case)
    reason = f"{len(weak)} sentences hedge or stay vague"
    return Finding(worth, _texts(weak) if weak else _texts(said), reason)


def problem_solving(case: Case) -> Finding:
    """Cases provided for, options weighed, causes looked for, outcomes checked."""
    how, ways = _with(case, "provisions"), _cue(case, "provisions")
    steps = _actions(case)
    worth = (
        1
        + 0.8 * _paid(case, ways, WAYS)
        + 0.6 * _paid(case, steps, ACTIONS)
        + 1.45 * _paid(case, _solid(case), SOLID)
        - 0.3 * _weakness(case)
    )
    return Finding(
        worth, how or _texts(case.answer.substance), f"{ways:.0f} ways of dealing with difficulty, {steps:.0f} actions"
    )


def self_awareness(case: Case) -> Finding:
    """Own part, limits and lessons, with something to show for them."""
    knows = _with(case, "reflection")
    known = _sum(case, lambda one: {one.text} & set(knows))
    worth = (
        1
        + _paid(case, known, KNOWN)
        + 0.7 * _paid(case, _method(case), METHOD)
        + 0.4 * _paid(case, _actions(case), ACTIONS)
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
    worth = 1 + 1.5 * _paid(case, shown + near / 2, WANTED)
    return Finding(worth, _texts(met), f"takes up {shown + near:.0f} words of the posting")


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


def _paid(case: Case, count: float, usual: float) -> float:
    """By how many times the usual rate things by the word surpass their price. A sentence that has them at less than
    the price, or than the rate of all the others, never raises it."""
    return max(0.0, count / (usual * (case.answer.words + MORE_WORDS)) - PRICE)


def _details(one: Shown) -> int:
    return one.items + 2 * one.figures + len(one.names | one.compounds)


def _solid(case: Case) -> float:
    return _sum(case, lambda one: one.actions | one.method)


def _actions(case: Case) -> float:
    return _sum(case, lambda one: one.actions)


def _method(case: Case) -> float:
    return _sum(case, lambda one: one.method)


def _cue(case: Case, cue: str) -> float:
    """How many lines of a list of cues the answer has something of."""
    return _sum(case, lambda one: [line for line, has in enumerate(lines_in(cue, one.text)) if has])


def _weakness(case: Case) -> float:
    """Hedges, vague words and what is left to others, for every 25 words that show work."""
    return min(3.0, 0.7 * sum(one.hedges + one.vague + 1.5 * one.passive for one in case.answer.said))


def _with(case: Case, cue: str) -> list[str]:
    """The sentences that have a cue of that list."""
    return [one.text for one in case.answer.substance if any(lines_in(cue, one.text))]


def _texts(said: Sequence[Shown]) -> list[str]:
    return [one.text for one in said]
