"""What `python -m bench.quality_interviews` prints is measured; the offline judge holds its bars on a part of it."""

import asyncio
from collections.abc import Sequence

import pytest

from bench.judge_cases import Case, Said, cases, published
from bench.judging import Scored, chats, elsewhere, mean, offline, ordering, raised
from bench.quality_interviews import SORTS, figures, found, parsing
from domain.interviews.questions import Dimension, Judgement, Score


@pytest.fixture(scope="module")
def scored() -> list[Scored]:
    return asyncio.run(ordering(offline, cases()))


@pytest.fixture(scope="module")
def some() -> list[Case]:
    """One case of each role that the rules were written with, and one that they were not."""
    return [case for case in cases() if case.number in (0, 9)]


class TestTheOfflineJudge:
    def test_orders_nine_in_ten(self, scored: list[Scored]) -> None:
        assert sum(row.ordered for row in scored) >= 27
        assert sum(row.ordered for row in scored if not row.case.developed) >= 9

    @pytest.mark.parametrize("sort", SORTS)
    def test_is_not_raised_by_what_shows_nothing(self, scored: list[Scored], sort: str) -> None:
        few = [row for row in scored if row.case.number == 9]
        assert not any(asyncio.run(raised(offline, few, sort=sort, level="medium", most=12)))

    def test_is_not_raised_by_small_talk(self, some: list[Case]) -> None:
        assert not any(asyncio.run(chats(offline, some)))


def test_questions_are_found_with_their_answers() -> None:
    base, posts, _ = parsing()
    assert base.value >= 0.95
    assert posts.value >= 0.95


class TestTheMeasures:
    """They see what they are there to see, in judges made for it."""

    @staticmethod
    async def by_length(turns: Sequence[Said]) -> Judgement:
        """The longer the better."""
        score = min(5, 1 + len(turns[-1].answer.split()) // 30)
        return Judgement(scores={Dimension.RELEVANCE: Score(score=score)})

    @staticmethod
    async def nothing_applies(_: Sequence[Said]) -> Judgement:
        return Judgement(scores={Dimension.RELEVANCE: Score()})

    def test_length_is_no_order_and_is_raised_by_repetition(self, some: list[Case]) -> None:
        lines = {line.name: line for line in asyncio.run(figures(self.by_length, some, briefly=True))}
        assert lines["high > medium > low, ml"].value < 0.9
        assert lines["not raised by the answer once more"].value < 0.5
        assert not lines["not raised by the answer once more"].held

    def test_nothing_is_ordered_where_nothing_applies(self, some: list[Case]) -> None:
        assert not any(row.ordered or any(row.pairs) for row in asyncio.run(ordering(self.nothing_applies, some)))
        assert mean(Judgement()) is None

    def test_a_judge_that_does_not_read_the_question_is_seen(self, scored: list[Scored]) -> None:
        few = [row for row in scored if row.case.number == 0]
        assert asyncio.run(elsewhere(self.by_length, few)) == [False] * 3

    def test_a_missing_answer_is_not_found(self) -> None:
        turns = published()[0]
        assert found(turns, turns) == [True, True]
        cut = [turns[0], Said(turns[1].asked, turns[1].answer + " And more.")]
        assert found(cut, turns) == [True, False]
