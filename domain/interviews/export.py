"""An interview as a file that people read: its summary, each question with scores and feedback, the transcript."""

import re
from collections.abc import Iterator

from domain.interviews.item import Answer, Interview
from domain.interviews.questions import Dimension, Judgement, Measures

MARKS = re.compile(r"[\\`*_\[\]<>#|~&]|^(?:[-+]|\d{1,9}(?=[.)]))")


def as_markdown(row: Interview) -> str:
    """Markdown; what was said and written by others is escaped."""
    return "\n".join(_lines(row)).rstrip("\n") + "\n"


def _lines(row: Interview) -> Iterator[str]:
    yield f"# Interview of {row.created_at:%Y-%m-%d}"
    yield ""
    yield from _facts(row)
    if row.analysis:
        yield from ("## Summary", "", escaped(row.analysis.summary), "")
        if row.analysis.trend:
            yield from (escaped(row.analysis.trend), "")
        if row.analysis.improvements:
            yield from ("## What to improve", "")
            yield from (f"{place}. {escaped(one)}" for place, one in enumerate(row.analysis.improvements, 1))
            yield ""
    for answer in row.answers:
        yield from _question(answer)
    if row.transcript:
        yield from ("## Transcript", "")
        for turn in row.transcript.turns():
            who = "" if turn.speaker is None else f" **Speaker {turn.speaker + 1}:**"
            yield from (f"[{_clock(turn.start)}]{who} {escaped(turn.text)}", "")


def _facts(row: Interview) -> Iterator[str]:
    yield f"- Status: {row.processing_status}" + (f" ({escaped(row.error.message)})" if row.error else "")
    if row.audio:
        yield f"- Length: {_clock(row.audio.seconds)}"
    if row.transcript:
        yield f"- Transcribed by: {row.transcript.transcribed_by}"
    if row.answered_by:
        yield f"- Answered by: {row.answered_by}" + (f" ({escaped(row.reason)})" if row.reason else "")
    if row.analysis and (said := _measured(row.analysis.measures)):
        share = row.analysis.measures.talk_ratio
        yield f"- How it was spoken: {said}" + (f", {share:.0%} of the time" if share is not None else "")
    yield ""


def _question(answer: Answer) -> Iterator[str]:
    asked, judged = answer.question, answer.judgement
    yield from (f"## {answer.position}. {escaped(asked.question)}", "")
    yield from (f"*{_clock(asked.start)} to {_clock(asked.end)}*", "", f"> {escaped(asked.answer)}", "")
    if judged is None:
        return
    if said := _measured(judged.measures):
        yield from (f"How it was spoken: {said}", "")
    if judged.error:
        yield from (f"Not scored: {escaped(judged.error.message)}", "")
        return
    yield from _scores(judged)
    feedback = judged.feedback
    if feedback:
        yield from (f"- Good: {escaped(one)}" for one in feedback.strengths)
        if feedback.change:
            yield f"- Change: {escaped(feedback.change)}"
        yield ""
        if feedback.outline:
            yield from ("A better answer:", "")
            yield from (f"{place}. {escaped(one)}" for place, one in enumerate(feedback.outline, 1))
            yield ""


def _measured(counted: Measures) -> str:
    """What was counted, in words; what could not be is left out."""
    pause = counted.longest_pause_seconds
    parts = (
        f"{counted.words_per_minute:.0f} words a minute" if counted.words_per_minute is not None else "",
        f"{counted.fillers} filler{'' if counted.fillers == 1 else 's'}" if counted.words else "",
        f"longest pause {pause:.1f} s" if pause is not None else "",
    )
    return ", ".join(filter(None, parts))


def _scores(judged: Judgement) -> Iterator[str]:
    yield from ("| Dimension | Score | Why |", "|---|---|---|")
    for dimension in Dimension:
        if score := judged.scores.get(dimension):
            said = "; ".join(f"“{escaped(quote)}”" for quote in score.quotes)
            why = " ".join(filter(None, [escaped(score.reason), said]))
            yield f"| {dimension.value.replace('_', ' ')} | {score.score or 'n/a'} | {why} |"
    yield ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def escaped(text: str) -> str:
    """On one line, and shown as it is."""
    return MARKS.sub(lambda found: _mark(found[0]), " ".join(text.split()))


def _mark(found: str) -> str:
    # of a number that would begin a list, what follows it is the mark
    return f"{found}\\" if found.isdigit() else f"\\{found}"
