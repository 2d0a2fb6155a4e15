"""The offline twin's feedback on one answer: what was good, one change, a better outline; each names words of it."""

from collections.abc import Mapping, Sequence

from domain.interviews.anchors import Kind, anchors, kind_of
from domain.interviews.evidence import Answer
from domain.interviews.questions import Dimension, Feedback, Score

GOOD, MOST_STRENGTHS = 4, 3
QUOTED_WORDS = 20
STOPS = '.,;:!?”"'
CHANGES: Mapping[Dimension, str] = {
    Dimension.RELEVANCE: "Answer the question in the first sentence, with its own words.",
    Dimension.STRUCTURE: "Tell it in order: the situation, what you had to do, what you did, what came of it.",
    Dimension.SPECIFICITY: "Put a name, a figure or an example in place of the general word.",
    Dimension.DEPTH: "Say why you did it so, what else was possible, and by which measure it was right.",
    Dimension.CLARITY: "Say it without the hedges.",
    Dimension.PROBLEM_SOLVING: "Say which options there were, what could have gone wrong, and how you checked.",
    Dimension.SELF_AWARENESS: "Name your own part, one limit of yours, and what you changed because of it.",
    Dimension.FIT: "Connect it to what the job asks for.",
}
TOLD: Sequence[tuple[str, str]] = (
    ("Situation", "where and when it was, who was there, what was at stake"),
    ("Task", "what you had to reach, and by which measure"),
    ("Action", "what you yourself did, step by step, and why so and not otherwise"),
    ("Result", "what came of it, in figures if there are any, and what you would do differently"),
)
WAY: Sequence[tuple[str, str]] = (
    ("Aim", "what this way of working is to reach, and by which measure"),
    ("Steps", "what you do first, next and last, with the tools and people by name"),
    ("Limits", "what can go wrong, and what you do then"),
    ("Example", "one case in which it worked, with its result"),
)
OWN: Sequence[tuple[str, str]] = (
    ("Point", "the answer in one sentence"),
    ("Example", "one situation that shows it"),
    ("Lesson", "what you learned or changed since"),
    ("Link", "why it matters for this job"),
)
OUTLINES: Mapping[Kind, Sequence[tuple[str, str]]] = {
    "behavioural": TOLD,
    "situational": WAY,
    "practice": WAY,
    "technical": WAY,
    "self": OWN,
    "motivation": OWN,
    "background": OWN,
}


def feedback_of(question: str, scores: Mapping[Dimension, Score], answer: Answer) -> Feedback:
    """By rule: the best scores are the strengths, the lowest is the change, the outline keeps what can be kept."""
    rated = [(dimension, score) for dimension, score in scores.items() if score.score is not None]
    best = sorted(
        (one for one in rated if (one[1].score or 0) >= GOOD and one[1].quotes), key=lambda one: -(one[1].score or 0)
    )
    strengths = tuple(
        f"{name(dimension)}: {cited(score.quotes[0])}" for dimension, score in best[:MOST_STRENGTHS] if score.quotes
    )
    lowest = min(rated, key=lambda one: one[1].score or 0, default=None)
    return Feedback(strengths=strengths, change=_change(lowest, answer), outline=_outline(kind_of(question), answer))


def _change(lowest: tuple[Dimension, Score] | None, answer: Answer) -> str:
    if lowest is None:
        return ""
    dimension = lowest[0]
    about = f" You said {cited(_weakest(answer))}." if answer.said else ""
    return f"{name(dimension)}: {CHANGES[dimension]}{about} {anchors()[dimension].at[5]}"


def _outline(kind: Kind, answer: Answer) -> tuple[str, ...]:
    kept = sorted(answer.substance, key=lambda one: -one.solid)[: len(OUTLINES[kind]) - 1]
    keep = {place: one.text for place, one in enumerate(kept, start=1)}
    lines = [f"{name}: {what}" for name, what in OUTLINES[kind]]
    if keep:
        lines[-2] += f"; keep {cited(keep[1])}"
    return tuple(lines)


def _weakest(answer: Answer) -> str:
    return max(answer.said, key=lambda one: one.hedges + one.vague + one.passive - one.solid / 10).text


def cited(sentence: str) -> str:
    words = sentence.split()
    shown = " ".join(words[:QUOTED_WORDS]).rstrip(STOPS)
    return f"“{shown} …”" if len(words) > QUOTED_WORDS else f"“{shown}”"


def name(dimension: Dimension) -> str:
    return dimension.value.replace("_", " ").capitalize()
