"""The offline judge: rules on what can be seen in an answer's text. Quotes first, the number follows from them."""

from domain.interviews.anchors import applying
from domain.interviews.evidence import evidence_of
from domain.interviews.feedback import feedback_of
from domain.interviews.measures import measures_of
from domain.interviews.questions import Dimension, Judgement, Question, Score
from domain.interviews.rules import RULES, Case
from domain.interviews.speech import spoken
from domain.interviews.transcript import Transcript
from domain.posting import Details

# Rules see words, not meaning.
CONFIDENCE = 0.4
MOST_QUOTES = 3
# In fewer words nothing is told.
LEAST_WORDS = 8


def judged(question: Question, transcript: Transcript, posting: Details | None) -> Judgement:
    """Scores, feedback and measures of one answer without a model. Raises nothing."""
    said = [one.text for one in spoken(transcript, question.first, question.last)]
    case = Case(question.question, evidence_of(question.question, said), posting)
    scores = {
        one.dimension: _score(one.dimension, case) for one in applying(question.question, linked=posting is not None)
    }
    every = {
        dimension: scores.get(dimension, Score(reason="not asked for by this question")) for dimension in Dimension
    }
    if posting is None:
        del every[Dimension.FIT]
    measures = measures_of(transcript, question)
    return Judgement(scores=every, feedback=feedback_of(question.question, every, case.answer), measures=measures)


def _score(dimension: Dimension, case: Case) -> Score:
    if case.answer.words < LEAST_WORDS:
        return Score(score=1, reason="too little is said", confidence=CONFIDENCE)
    found = RULES[dimension](case)
    number = min(5, max(1, round(found.worth)))
    return Score(
        score=number,
        quotes=tuple(dict.fromkeys(found.quotes))[:MOST_QUOTES],
        reason=found.reason,
        confidence=CONFIDENCE,
    )
