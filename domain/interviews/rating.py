"""What a model is asked of one answer, and what of its samples stands: nothing whose quotes are not in the answer."""

from collections.abc import Mapping, Sequence
from statistics import median_low
from typing import Literal

from domain.interviews.anchors import Anchors, applying
from domain.interviews.asking import inert
from domain.interviews.measures import measures_of
from domain.interviews.questions import Dimension, Feedback, Judgement, Question, Score
from domain.interviews.quoting import Spoken
from domain.interviews.transcript import Transcript
from domain.model import Model
from domain.posting import Details
from domain.text import folded, numbers, quotations

SAMPLES = 3
# Of one sample alone: nothing is known of its spread.
ALONE = 0.5
MOST_QUOTES, MOST_STRENGTHS = 3, 3
MOST_POSTED = 6_000
NOT_ASKED = "not asked for by this question"
NO_QUOTE = "no quote given for it stands in the answer"


class Rated(Model):
    """One dimension: first the words of the answer, copied; then why; then the number, null where it does not apply."""

    quotes: list[str]
    reason: str
    score: Literal[1, 2, 3, 4, 5] | None


class Strength(Model):
    quote: str
    what: str


class Judged(Model):
    """A model's reading of one answer."""

    relevance: Rated
    structure: Rated
    specificity: Rated
    depth: Rated
    clarity: Rated
    problem_solving: Rated
    self_awareness: Rated
    fit: Rated
    strengths: list[Strength]
    change_quote: str
    change: str
    outline: list[str]


def score_prompt(question: Question, transcript: Transcript, posting: Details | None) -> str:
    """What the model sees: the dimensions that apply with their anchors, the posting, the question, the answer."""
    asked = applying(question.question, linked=posting is not None)
    parts = [
        "<dimensions>\n" + "\n".join(map(_described, asked)) + "\n</dimensions>",
        f"<question>\n{inert(question.question)}\n</question>",
        "<answer>\n" + "\n".join(_lines(question, transcript)) + "\n</answer>",
    ]
    if posting is not None:
        parts.insert(1, f"<posting>\n{inert(_posted(posting))}\n</posting>")
    return "\n\n".join(parts)


def judgement_of(
    samples: Sequence[Judged], question: Question, transcript: Transcript, posting: Details | None
) -> Judgement:
    """The median of up to three samples, dimension by dimension.

    A quote that is not in the words of the one who answers is dropped. A number left without any quote is dropped, too,
    unless it is 1: that nothing is there cannot be quoted. Null stands where as many samples say null as give a number
    that stands; the median of two is the lower one. Confidence is the share of samples whose number stands, times one
    less the spread of these by the four steps of the scale; of one sample alone it is at most a half.
    """
    samples = samples[:SAMPLES]
    said = Spoken(question, transcript)
    linked = posting is not None
    asked = {one.dimension for one in applying(question.question, linked=linked)}
    scores: dict[Dimension, Score] = {}
    for dimension in Dimension:
        if dimension in asked:
            scores[dimension] = _score([getattr(sample, dimension.value) for sample in samples], said)
        elif linked or dimension is not Dimension.FIT:
            scores[dimension] = Score(reason=NOT_ASKED)
    feedback = _feedback(_nearest(samples, scores), said, question, posting)
    return Judgement(scores=scores, feedback=feedback, measures=measures_of(transcript, question))


def _score(rated: Sequence[Rated], said: Spoken) -> Score:
    quotes = [tuple(filter(None, map(said.standing, one.quotes))) for one in rated]
    kept = [(one, found) for one, found in zip(rated, quotes, strict=True) if one.score == 1 or (one.score and found)]
    nulls = sum(one.score is None for one in rated)
    if not kept or nulls >= len(kept):
        reasons = [one.reason for one in rated if one.score is None]
        return Score(reason=reasons[0] if reasons else NO_QUOTE, confidence=nulls / len(rated) if rated else 0)
    numbers_kept = [one.score for one, _ in kept if one.score]
    middle = median_low(numbers_kept)
    best, found = next(pair for pair in kept if pair[0].score == middle)
    spread = (max(numbers_kept) - min(numbers_kept)) / 4
    confidence = len(kept) / len(rated) * (1 - spread) * (ALONE if len(rated) == 1 else 1)
    return Score(
        score=middle,
        quotes=tuple(dict.fromkeys(found))[:MOST_QUOTES],
        reason=best.reason,
        confidence=round(confidence, 2),
    )


def _nearest(samples: Sequence[Judged], scores: Mapping[Dimension, Score]) -> Judged | None:
    """The sample whose numbers differ least from the medians: its words go with them."""

    def distance(sample: Judged) -> int:
        pairs = [(getattr(sample, one.value).score, score.score) for one, score in scores.items()]
        return sum(abs(given - kept) for given, kept in pairs if given and kept)

    return min(samples, key=distance, default=None)


def _feedback(sample: Judged | None, said: Spoken, question: Question, posting: Details | None) -> Feedback | None:
    """The words of a sample: strengths whose quote stands; nothing quotes or counts what nobody said."""
    if sample is None:
        return None
    known = f"{question.question} {question.answer} {_posted(posting) if posting else ''}"
    strengths = [(said.standing(one.quote), one.what) for one in sample.strengths]
    about = said.standing(sample.change_quote)
    change = f"{sample.change} You said “{about}”." if about else sample.change
    return Feedback(
        strengths=tuple(f"{what} “{quote}”" for quote, what in strengths if quote and _honest(what, known))[
            :MOST_STRENGTHS
        ],
        change=change if _honest(change, known) else "",
        outline=tuple(line for line in sample.outline if _honest(line, known)),
    )


def _honest(text: str, known: str) -> bool:
    """Whether its quotations and amounts stand in what is known."""
    given, there = {number.value for number in numbers(text)}, {number.value for number in numbers(known)}
    return given <= there and all(folded(quote) in folded(known) for quote in quotations(text))


def _described(one: Anchors) -> str:
    return "\n".join([f"{one.dimension.value}: {one.question}", *(f"  {at}: {one.at[at]}" for at in sorted(one.at))])


def _posted(posting: Details) -> str:
    lines = [
        posting.title or "",
        *posting.skills.required,
        *posting.skills.preferred,
        *posting.responsibilities,
        *posting.requirements,
    ]
    return "\n".join(filter(None, lines))[:MOST_POSTED]


def _lines(question: Question, transcript: Transcript) -> list[str]:
    """The answer turn by turn, so that the model knows whose words may be quoted."""
    words = transcript.words[question.first : question.last]
    turns = transcript.model_copy(update={"words": words}).turns()
    answerer = words[0].speaker if words else None
    return [f"[{'candidate' if turn.speaker == answerer else 'other'}] {inert(turn.text)}" for turn in turns]
