"""What a model is asked of a transcript, and what of its answer stands: lines that exist, in order, none used twice."""

from collections.abc import Iterator, Sequence

from pydantic import Field

from domain.interviews.parsing import question
from domain.interviews.questions import Question
from domain.interviews.speech import Sentence, sentences
from domain.interviews.transcript import Transcript
from domain.model import Model


class ParsedQuestion(Model):
    """Numbers of lines: of those that ask, follow-ups included, and the first and last one of the answer."""

    asked: list[int]
    answer_first: int
    answer_last: int


class Parsed(Model):
    """A model's reading of who asks what. Questions in the order of time; small talk left out."""

    questions: list[ParsedQuestion] = Field(default_factory=list[ParsedQuestion])


def parse_prompt(transcript: Transcript) -> str:
    """What the model sees: every sentence as a numbered line with its speaker and second."""
    lines = [
        f"{number} [{'?' if speaker is None else speaker} {transcript.words[line.first].start:.0f}s] {inert(line.text)}"
        for number, (speaker, line) in enumerate(_lines(transcript))
    ]
    return "<transcript>\n" + "\n".join(lines) + "\n</transcript>"


def questions_from(parsed: Parsed, transcript: Transcript) -> tuple[Question, ...]:
    """The questions of a model's answer. One whose lines do not exist, whose answer does not follow it or is of one who
    asks, or which overlaps an earlier one, is left out."""
    lines = list(_lines(transcript))
    found: list[Question] = []
    free = 0
    for one in sorted(parsed.questions, key=lambda one: min(one.asked, default=-1)):
        if not _stands(one, lines, free):
            continue
        asked = [lines[number][1] for number in sorted(set(one.asked))]
        first, last = lines[one.answer_first][1].first, lines[one.answer_last][1].last
        found.append(question(transcript, [(line.first, line.last) for line in asked], first, last))
        free = max(one.answer_last, *one.asked) + 1
    return tuple(found)


def inert(text: str) -> str:
    """Text that cannot end the frame it is shown in."""
    return text.replace("<", "‹").replace(">", "›")


def _stands(one: ParsedQuestion, lines: Sequence[tuple[int | None, Sentence]], free: int) -> bool:
    numbers = [*one.asked, one.answer_first, one.answer_last]
    if not one.asked or not all(free <= number < len(lines) for number in numbers):
        return False
    if not min(one.asked) < one.answer_first <= one.answer_last or one.answer_first in one.asked:
        return False
    voices = {lines[number][0] for number in one.asked}
    return one.answer_last not in one.asked and (voices == {None} or lines[one.answer_first][0] not in voices)


def _lines(transcript: Transcript) -> Iterator[tuple[int | None, Sentence]]:
    for turn in transcript.turns():
        for line in sentences(transcript.words, turn.first, turn.last):
            yield turn.speaker, line
