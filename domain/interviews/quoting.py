"""Whether a quote stands in the words of the one who answers."""

import re

from domain.interviews.questions import Question
from domain.interviews.transcript import Transcript
from domain.text import plain

FEWEST_WORDS = 2
BARE = re.compile(r"[\W_]+")


class Spoken:
    """The words of the one who answers, in which quotes are looked for."""

    def __init__(self, question: Question, transcript: Transcript) -> None:
        self._words = transcript.words
        answerer = transcript.words[question.first].speaker
        places = range(question.first, question.last)
        mine = [place if transcript.words[place].speaker == answerer else None for place in places]
        # What others say in between stays in, as a word that no quote has.
        self._keys = [
            (key, place) for place in mine for key in ([""] if place is None else _keys(self._words[place].text))
        ]

    def standing(self, quote: str) -> str | None:
        """The quote as the answer has it, or None. A single word of a longer answer shows nothing."""
        wanted = _keys(quote)
        if len(wanted) < min(FEWEST_WORDS, len(self._keys)):
            return None
        for start in range(len(self._keys) - len(wanted) + 1 if wanted else 0):
            found = self._keys[start : start + len(wanted)]
            if [key for key, _ in found] == wanted:
                first, last = found[0][1] or 0, found[-1][1] or 0
                return " ".join(word.text for word in self._words[first : last + 1]).rstrip(",;:")
        return None


def _keys(text: str) -> list[str]:
    return [key for key in BARE.split(plain(text).lower()) if key]
