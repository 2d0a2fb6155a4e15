"""What is counted in an answer and in an interview, by hand."""

import pytest

from domain.interviews.measures import measures_of
from domain.interviews.questions import Measures
from domain.interviews.transcript import Transcript, Word
from tests.support.interviews import answered, spoken


def test_an_answer_is_counted_by_hand() -> None:
    question, transcript = answered("How many?", "Um I sold 12 boxes in, you know, three weeks")
    measures = measures_of(transcript, question)
    # ten words of 0.3 s with nine gaps of 0.1 s
    assert measures.words == 10
    assert measures.words_per_minute == pytest.approx(10 / 3.9 * 60, abs=0.1)
    assert (measures.fillers, measures.numbers) == (2, 2)
    assert measures.fillers_per_minute == pytest.approx(2 / 3.9 * 60, abs=0.01)
    assert (measures.pause_share, measures.longest_pause_seconds, measures.talk_ratio) == (0.0, 0.0, 1.0)


def test_pauses_are_silences_of_a_quarter_second_inside_a_turn() -> None:
    times = [(0.0, 0.5), (0.74, 1.0), (1.25, 1.5), (3.0, 4.0)]
    words = tuple(Word(text="word", start=start, end=end, speaker=0) for start, end in times)
    measures = measures_of(Transcript(words=words, duration_seconds=4, transcribed_by="offline"))
    assert measures.longest_pause_seconds == 1.5
    assert measures.pause_share == pytest.approx((0.25 + 1.5) / 4, abs=0.001)


def test_of_an_interview_only_the_answers_words_are_counted() -> None:
    transcript = spoken((0, "So what do you do there?"), (1, "I write, um, software all day long."), (0, "Um okay."))
    measures = measures_of(transcript)
    assert (measures.words, measures.fillers) == (7, 1)
    assert measures.talk_ratio is not None
    assert 0.4 < measures.talk_ratio < 0.6


def test_what_others_say_inside_an_answer_is_not_counted() -> None:
    question, transcript = answered("What then?", [(1, "I left early that day."), (0, "Um um why?"), (1, "To pack.")])
    measures = measures_of(transcript, question)
    assert (measures.words, measures.fillers) == (7, 0)
    assert measures.talk_ratio == pytest.approx(2.6 / 3.7, abs=0.01)


def test_silence_has_no_rates() -> None:
    assert measures_of(Transcript(words=(), duration_seconds=9, transcribed_by="offline")) == Measures()
    question, transcript = answered("Do you?", "Yes.")
    assert measures_of(transcript, question).words_per_minute is None


def test_voices_that_were_not_told_apart_have_no_talk_ratio() -> None:
    assert measures_of(spoken((None, "Nobody knows who says all of this here."))).talk_ratio is None
