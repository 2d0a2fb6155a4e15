"""Who asks what, and where the answers begin and end: by rules on who speaks when, or out of a model's answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.interviews.questions import Question
from domain.interviews.speech import Sentence, Utterance, sentences, utterances
from domain.interviews.transcript import Transcript
from domain.text import content

LEAD = r"^(?:(?:so|and|but|now|okay|ok|well|great|alright|right|then|also|please)[, ]+)*"
# Asks without a question mark, at the beginning of a sentence or of a clause.
REQUEST = re.compile(
    r"(?:^|[,;:—–-] ?|\band )(?:(?:so|and|but|now|okay|ok|well|great|alright|right|then|also|please)[, ]+)*"
    r"(?:(?:can|could|would|will) you )?(?:"
    r"(?:tell|walk|talk|run|take|give|show|convince|persuade|sell|teach|help|remind|guide) (?:me|us)|"
    r"(?:describe|explain|imagine|suppose|introduce yourself|pick (?:a|one)|share (?:a|an|one|some|your|with))\b|"
    r"i(?:['’]d| would) (?:love|like) (?:to (?:hear|know|understand|start)|you to)|i(?:['’]m| am) curious|"
    r"let(?:['’]s| us) (?:talk about|start with|go back))",
    re.IGNORECASE,
)
ASKED = re.compile(
    LEAD
    + r"(?:(?:what|which|who|how|why)(?! (?:i|we)\b)|(?:when|where) (?:do|did|does|have|are|is|was|were|would|will)|"
    r"(?:can|could|would|will|do|did|have|has|are|were) you|is there|are there)\b",
    re.IGNORECASE,
)
SMALL_TALK = re.compile(
    r"\b(?:how are you|how(?:'s| is|’s) it going|how (?:was|is) your (?:day|weekend|week|trip|flight|journey|morning)|"
    r"(?:can|do) you (?:hear|see) (?:me|us)|is (?:this|now) (?:still )?(?:a )?good|nice (?:to meet|weather)|weather|"
    r"would you like (?:some|a|any) (?:water|coffee|tea|break)|(?:shall|should|can) we (?:start|begin|get started)|"
    r"ready to (?:start|begin)|any (?:other |more |further )?questions (?:for|about|to)|questions for (?:me|us)|"
    r"anything (?:else )?(?:you(?:'d| would|’d) like to|you want to) (?:ask|know)|mind if (?:i|we) record|"
    r"hobb(?:y|ies)|favou?rite (?:colou?r|food|movie|film|song|book|band|season|snack))\b",
    re.IGNORECASE,
)
POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|good (?:morning|afternoon|evening))\b.{0,40}|(?:many )?thanks?\b.*|thank you\b.*|welcome\b.*|"
    r"(?:okay|ok|great|got it|perfect|cool|nice|wonderful|awesome|excellent|fair enough|understood|alright|sure|"
    r"i see|sounds good|that makes(?: total)? sense|that(?:'s|’s| is) (?:totally |really |very )?"
    r"(?:fair|great|helpful|good|interesting|nice|fine))\b[^,;:—]*)[.!,]*$",
    re.IGNORECASE,
)
PROBE = re.compile(
    LEAD
    + r"(?:how so|how come|why(?: (?:is|was) (?:that|it)| not| so)?\?|like what|such as|for (?:example|instance)\?|"
    r"(?:can|could|would) you (?:elaborate|expand|be more specific|say more|give (?:me|us) an example|go deeper)|"
    r"tell me more|say more|what happened (?:then|next|after)|what (?:was|were) the (?:result|outcome|impact)s?\b|"
    r"what did (?:you|that) (?:learn|do then|teach)|how did (?:that|it|they|he|she) (?:go|end|turn out|react|work out)|"
    r"and (?:then|after that)\?|in what way|meaning)",
    re.IGNORECASE,
)
BACKWARD = re.compile(r"\b(?:that|this|it|they|them|those|these|there|he|she)\b", re.IGNORECASE)
PROBE_WORDS = 14
NO_SPEAKERS = "the voices of this recording were not told apart, and no sentence of it asks anything"
ONE_VOICE = "only one voice is heard, and no sentence of it asks anything"
NOTHING_ASKED = "nobody asks anything that is answered"
NOTHING_SAID = "nothing is said"


@dataclass
class _Exchange:
    """A question while its answer is heard."""

    asked: list[Sentence]
    first: int | None = None
    last: int = 0


def questions_of(transcript: Transcript) -> tuple[Question, ...]:
    """The questions that were answered, in order, by rules alone; none is no error, see `unasked`.

    With two voices or more: the answers are those of the one who asks least, speaks longest at a time and does not
    begin; everyone else asks. With one, or none told apart, a sentence that asks "you" something opens a question and
    the next such sentence ends its answer.
    """
    said = utterances(transcript)
    if len({one.speaker for one in said}) > 1:
        found = _of_voices(said, answerer_of(said))
    else:
        found = _of_sentences(list(sentences(transcript.words, 0, len(transcript.words))))
    return tuple(
        question(transcript, [(one.first, one.last) for one in exchange.asked], exchange.first, exchange.last)
        for exchange in found
        if exchange.first is not None
    )


def unasked(transcript: Transcript) -> str:
    """Why a transcript has no questions."""
    if not transcript.words:
        return NOTHING_SAID
    voices = {word.speaker for word in transcript.words}
    if len(voices) > 1:
        return NOTHING_ASKED
    return NO_SPEAKERS if voices == {None} else ONE_VOICE


def question(transcript: Transcript, asked: Sequence[tuple[int, int]], first: int, last: int) -> Question:
    """The question whose words are at `asked`, with the answer `words[first:last]`."""
    words = transcript.words
    return Question(
        question=" ".join(word.text for start, end in asked for word in words[start:end]),
        answer=" ".join(word.text for word in words[first:last]),
        start=words[asked[0][0]].start,
        end=words[last - 1].end,
        first=first,
        last=last,
    )


def answerer_of(said: Sequence[Utterance]) -> int | None:
    """Who is asked: of all speakers the one with the fewest questions, the longest turns, and not the first word."""
    speakers = {one.speaker for one in said}

    def asking(speaker: int | None) -> float:
        mine = [one for one in said if one.speaker == speaker]
        questions = sum(is_question(sentence) for one in mine for sentence in one.sentences)
        everyones = sum(is_question(sentence) for one in said for sentence in one.sentences) or 1
        length = sum(one.words for one in mine) / len(mine)
        lengths = sum(sum(one.words for one in said if one.speaker == other) for other in speakers) / len(said)
        return 2 * (questions / everyones + lengths / (lengths + length)) + 0.25 * (said[0].speaker == speaker)

    return min(speakers, key=asking)


def is_question(sentence: Sentence) -> bool:
    return sentence.asks or bool(REQUEST.search(sentence.text) or ASKED.search(sentence.text))


def is_small_talk(text: str) -> bool:
    """Whether a question has nothing to do with the interview: greetings, logistics, hobbies, the candidate's turn."""
    return bool(SMALL_TALK.search(text))


def _of_voices(said: Sequence[Utterance], answerer: int | None) -> list[_Exchange]:
    found: list[_Exchange] = []
    current: _Exchange | None = None
    heard = frozenset[str]()
    for one in said:
        if one.speaker == answerer:
            if current:
                current.first = one.first if current.first is None else current.first
                current.last = one.last
                heard |= content(_text(one.sentences))
            continue
        asked = [sentence for sentence in one.sentences if not is_small_talk(sentence.text)]
        asked = [sentence for sentence in asked if not POLITE.match(sentence.text)]
        if not any(map(is_question, asked)):
            if any(map(is_question, one.sentences)):
                current = None
            continue
        if current and (current.first is None or _probes(asked, heard)):
            current.asked += asked
        else:
            current, heard = _Exchange(asked), frozenset()
            found.append(current)
        heard |= content(_text(asked))
    return found


def _probes(asked: Sequence[Sentence], heard: frozenset[str]) -> bool:
    """Whether a question only goes further into what has just been asked and answered."""
    text = _text(asked)
    if len(text.split()) > PROBE_WORDS:
        return False
    return bool(PROBE.search(text)) or (bool(BACKWARD.search(text)) and len(content(text) - heard) <= 1)


def _of_sentences(said: Sequence[Sentence]) -> list[_Exchange]:
    found: list[_Exchange] = []
    for one in said:
        directed = re.search(r"\byou(?:r|rself)?\b", one.text, re.IGNORECASE) or REQUEST.search(one.text)
        if is_question(one) and directed and not is_small_talk(one.text):
            if found and found[-1].first is None:
                found[-1].asked.append(one)
            else:
                found.append(_Exchange([one]))
        elif found:
            found[-1].first = one.first if found[-1].first is None else found[-1].first
            found[-1].last = one.last
    return found


def _text(said: Sequence[Sentence]) -> str:
    return " ".join(one.text for one in said)
