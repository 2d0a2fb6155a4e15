"""What is counted beside the scores: of one answer, or of all that the one who answers says."""

import re
from collections.abc import Sequence
from itertools import pairwise

from domain.interviews.parsing import answerer_of
from domain.interviews.questions import Measures, Question
from domain.interviews.speech import utterances
from domain.interviews.transcript import Transcript, Turn, Word
from domain.text import numbers

# Silent pauses from here on: Goldman-Eisler 1968, confirmed by De Jong and Bosker 2013.
PAUSE_SECONDS = 0.25
# Less speech than this has no rate.
LEAST_SECONDS = 1.0
# Filled pauses (Clark and Fox Tree 2002) and the two discourse markers of Fox Tree and Schrock 2002. Words that also
# carry meaning (like, so, well) are not counted: only a listener can tell.
FILLERS = re.compile(r"\b(?:u+h+m*|u+m+|e+r+m*|h+m+|m+h?m+|ah+|you know|i mean)\b(?!-)", re.IGNORECASE)


def measures_of(transcript: Transcript, question: Question | None = None) -> Measures:
    """Of one answer, or without a question of the whole interview; of the one who answers alone.

    - words a minute: words by the time from the first to the last word of each turn, pauses included (speech rate as in
      De Jong et al. 2012; some 120 to 160 in conversation);
    - fillers: see FILLERS; speech recognition leaves many of them out, so this is the least there were;
    - pause share: silences of a quarter second and more inside turns, by the turns' time;
    - talk ratio: the answerer's turns by everybody's;
    - numbers: amounts as `domain.text.numbers` reads them.
    """
    first, last = (question.first, question.last) if question else (0, len(transcript.words))
    words = transcript.words[first:last]
    if not words:
        return Measures()
    answerer = words[0].speaker if question else answerer_of(utterances(transcript))
    turns = list(transcript.model_copy(update={"words": words}).turns())
    mine = [turn for turn in turns if turn.speaker == answerer]
    seconds = _seconds(mine)
    said = [words[place] for turn in mine for place in range(turn.first, turn.last)]
    text = " ".join(turn.text for turn in mine)
    pauses = [pause for turn in mine for pause in _pauses(words[turn.first : turn.last])]
    fillers = len(FILLERS.findall(text))
    timed = seconds >= LEAST_SECONDS
    everybody = _seconds(turns)
    return Measures(
        words=len(said),
        words_per_minute=round(len(said) / seconds * 60, 1) if timed else None,
        fillers=fillers,
        fillers_per_minute=round(fillers / seconds * 60, 2) if timed else None,
        pause_share=round(sum(pauses) / seconds, 3) if timed else None,
        longest_pause_seconds=round(max(pauses, default=0.0), 2) if timed else None,
        talk_ratio=round(seconds / everybody, 3) if everybody and answerer is not None else None,
        numbers=len(numbers(text)),
    )


def _seconds(turns: Sequence[Turn]) -> float:
    return sum(max(0.0, turn.end - turn.start) for turn in turns)


def _pauses(words: Sequence[Word]) -> list[float]:
    gaps = [after.start - word.end for word, after in pairwise(words)]
    return [gap for gap in gaps if gap >= PAUSE_SECONDS]
