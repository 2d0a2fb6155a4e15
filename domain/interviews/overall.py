"""Of a whole interview: its figures, what they say by rule, and what of a model's words stands beside them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from domain.interviews.asking import inert
from domain.interviews.feedback import CHANGES, GOOD, cited, name
from domain.interviews.measures import measures_of
from domain.interviews.questions import Analysis, Dimension, Judgement, Measures, Question
from domain.interviews.transcript import Transcript
from domain.model import Model
from domain.text import numbers

MOST_IMPROVEMENTS = 3
# Between two interviews means move by so much without anything having changed.
SAME = 0.25
# Words and fillers a minute; conversation lies between.
SLOW, FAST = 100.0, 180.0
MANY_FILLERS = 4.0


class Overall(Model):
    """A model's words on the whole interview. `trend` is null without earlier interviews."""

    summary: str
    improvements: list[str]
    trend: str | None = None


def means_of(judgements: Iterable[Judgement]) -> dict[Dimension, float]:
    """The mean of each dimension over the answers to which it applies; a dimension that never applies is left out."""
    found: dict[Dimension, list[int]] = {}
    for judgement in judgements:
        for dimension, score in judgement.scores.items():
            if score.score is not None:
                found.setdefault(dimension, []).append(score.score)
    return {one: round(sum(found[one]) / len(found[one]), 1) for one in Dimension if one in found}


def mean_of(means: Mapping[Dimension, float]) -> float | None:
    """The mean over the dimensions that apply, or None."""
    return round(sum(means.values()) / len(means), 1) if means else None


def analysis_of(
    questions: Sequence[Question],
    judgements: Sequence[Judgement],
    earlier: Sequence[Sequence[Judgement]],
    transcript: Transcript,
) -> Analysis:
    """Summary, improvements and trend out of the figures alone. `judgements` are the questions', in their order;
    `earlier` the judgements of each of the same user's earlier interviews."""
    means, measures = means_of(judgements), measures_of(transcript)
    return Analysis(
        summary=_summary(questions, judgements, means),
        improvements=tuple(_improvements(questions, judgements, means, measures))[:MOST_IMPROVEMENTS],
        trend=_trend(means, earlier),
        measures=measures,
    )


def overall_prompt(
    questions: Sequence[Question],
    judgements: Sequence[Judgement],
    earlier: Sequence[Sequence[Judgement]],
    transcript: Transcript,
) -> str:
    """What the model sees: the figures, and of each answer its scores, reasons and feedback."""
    told = {
        "means": means_of(judgements),
        "mean": mean_of(means_of(judgements)),
        "earlierMeans": [means_of(one) for one in earlier],
        "measures": measures_of(transcript).model_dump(mode="json", by_alias=True, exclude_none=True),
        "byRule": analysis_of(questions, judgements, earlier, transcript).model_dump(
            mode="json", by_alias=True, exclude={"measures"}
        ),
    }
    answers = [_told(number, *pair) for number, pair in enumerate(zip(questions, judgements, strict=True), start=1)]
    return (
        f"<figures>\n{inert(json.dumps(told, ensure_ascii=False))}\n</figures>\n\n"
        f"<answers>\n{inert(json.dumps(answers, ensure_ascii=False))}\n</answers>"
    )


def analysis_from(
    said: Overall,
    questions: Sequence[Question],
    judgements: Sequence[Judgement],
    earlier: Sequence[Sequence[Judgement]],
    transcript: Transcript,
) -> Analysis:
    """A model's words where every number in them is one that it was shown; elsewhere what the figures say by rule."""
    ruled = analysis_of(questions, judgements, earlier, transcript)
    shown = {number.value for number in numbers(overall_prompt(questions, judgements, earlier, transcript))}

    def stands(text: str | None) -> bool:
        return bool(text and text.strip()) and {number.value for number in numbers(text or "")} <= shown

    improvements = tuple(text.strip() for text in said.improvements if stands(text))[:MOST_IMPROVEMENTS]
    return Analysis(
        summary=said.summary.strip() if stands(said.summary) else ruled.summary,
        improvements=improvements or ruled.improvements,
        trend=(said.trend or "").strip() if ruled.trend and stands(said.trend) else ruled.trend,
        measures=ruled.measures,
    )


def _summary(questions: Sequence[Question], judgements: Sequence[Judgement], means: Mapping[Dimension, float]) -> str:
    if not questions:
        return "No question with an answer was heard, so there is nothing to judge."
    scored = sum(judgement.error is None for judgement in judgements)
    mean = mean_of(means)
    if mean is None:
        return f"{_count(len(questions), 'question')} heard; none of the answers could be judged."
    best, worst = max(means, key=lambda one: means[one]), min(means, key=lambda one: means[one])
    text = f"{_count(len(questions), 'question')} heard, {scored} judged: {mean} of 5 on average."
    if means[best] > means[worst]:
        text += f" Strongest in {name(best)} ({means[best]}), weakest in {name(worst)} ({means[worst]})."
    return text


def _improvements(
    questions: Sequence[Question],
    judgements: Sequence[Judgement],
    means: Mapping[Dimension, float],
    measures: Measures,
) -> Iterator[str]:
    """The weakest dimensions first, each with the answer in which it was weakest; then how it was spoken."""
    for dimension in sorted(means, key=lambda one: means[one])[:MOST_IMPROVEMENTS]:
        if means[dimension] >= GOOD:
            continue
        rated = [
            (one.scores[dimension].score, place) for place, one in enumerate(judgements) if dimension in one.scores
        ]
        _, place = min((score, place) for score, place in rated if score is not None)
        asked = cited(questions[place].question)
        yield f"{name(dimension).capitalize()} ({means[dimension]} of 5): {CHANGES[dimension]} Most of all in {asked}."
    if measures.fillers_per_minute and measures.fillers_per_minute > MANY_FILLERS:
        yield f"Pause instead of filling: {measures.fillers_per_minute} fillers a minute."
    if measures.words_per_minute and not SLOW <= measures.words_per_minute <= FAST:
        way = "Slow down" if measures.words_per_minute > FAST else "Keep going"
        yield f"{way}: {measures.words_per_minute} words a minute."


def _trend(means: Mapping[Dimension, float], earlier: Sequence[Sequence[Judgement]]) -> str | None:
    """The mean against the mean of the earlier ones, over the dimensions that both have."""
    before = means_of(judgement for one in earlier for judgement in one)
    both = [dimension for dimension in means if dimension in before]
    if not both:
        return None
    now, then = (sum(some[one] for one in both) / len(both) for some in (means, before))
    moved = {one: means[one] - before[one] for one in both}
    most = max(both, key=lambda one: abs(moved[one]))
    way = "about as" if abs(now - then) < SAME else "better than" if now > then else "weaker than"
    text = f"{way.capitalize()} in {_count(len(earlier), 'earlier interview')}: {now:.1f} of 5, {then:.1f} before."
    if abs(moved[most]) >= SAME:
        text += f" {name(most).capitalize()} went from {before[most]} to {means[most]}."
    return text


def _told(number: int, question: Question, judgement: Judgement) -> dict[str, Any]:
    scores = {one: {"score": score.score, "reason": score.reason} for one, score in judgement.scores.items()}
    feedback = judgement.feedback.model_dump(mode="json") if judgement.feedback else None
    return {"number": number, "question": question.question, "scores": scores, "feedback": feedback}


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
