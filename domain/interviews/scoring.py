"""The offline judge: rules on what can be seen in an answer's text. Quotes first, the number follows from them."""

from collections.abc import Iterator, Sequence

from domain.interviews.anchors import applying
from domain.interviews.evidence import evidence_of
from domain.interviews.feedback import feedback_of
from domain.interviews.measures import measures_of
from domain.interviews.questions import Dimension, Judgement, Question, Score
from domain.interviews.rules import RULES, Case, Finding
from domain.interviews.speech import spoken
from domain.interviews.transcript import Transcript
from domain.posting import Details

# Rules see words, not meaning.
CONFIDENCE = 0.4
MOST_QUOTES = 3
# In fewer words that show work nothing is told.
LEAST_WORDS = 8
# Below one: much more is needed for the last points than for the first ones.
LIFT = 0.7
NOT_ASKED = Score(reason="this question does not ask for it", confidence=CONFIDENCE)
TOO_LITTLE = Score(score=1, reason="too little is said that shows work", confidence=CONFIDENCE)


def judged(question: Question, transcript: Transcript, posting: Details | None) -> Judgement:
    """Scores, feedback and measures of one answer without a model; words of others inside the answer do not count."""
    said = [one.text for one in spoken(transcript, question.first, question.last)]
    case = Case(question.question, evidence_of(question.question, said), posting)
    scores = _scores(case)
    return Judgement(
        scores=scores,
        feedback=feedback_of(question.question, scores, case.answer),
        measures=measures_of(transcript, question),
    )


def _scores(case: Case) -> dict[Dimension, Score]:
    linked = case.posting is not None
    asked = [one.dimension for one in applying(case.question, linked=linked)]
    scores = {one: NOT_ASKED for one in Dimension if linked or one is not Dimension.FIT}
    if sum(one.credit * one.words for one in case.answer.substance) < LEAST_WORDS:
        return scores | dict.fromkeys(asked, TOO_LITTLE)
    findings = [RULES[dimension](case) for dimension in asked]
    for dimension, finding, number in zip(asked, findings, _numbers(findings), strict=True):
        quotes = tuple(dict.fromkeys(finding.quotes))[:MOST_QUOTES]
        scores[dimension] = Score(score=number, quotes=quotes, reason=finding.reason, confidence=CONFIDENCE)
    return scores


def _numbers(findings: Sequence[Finding]) -> Iterator[int]:
    """Whole numbers for the worths. What rounding takes from one, or gives, the next one gets, so that the mean keeps
    it: rules know an answer better than each of its sides. Where no worth rises, the mean of the numbers does not."""
    carry = 0.0
    for finding in findings:
        wanted = 1 + 4 * ((min(5.0, max(1.0, finding.worth)) - 1) / 4) ** LIFT + carry
        number = min(5, max(1, round(wanted)))
        carry = wanted - number
        yield number
