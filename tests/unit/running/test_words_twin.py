"""The offline twin writes about fifty runs, real and made: nothing but figures, no marks, no heart unheard."""

import re

import pytest

from domain.running.contents import RunSheet
from domain.running.insights import insight
from domain.running.letters import letter
from domain.running.sheet import offered
from domain.running.told import told as told_of
from domain.running.traced import faults, has_heart
from tests.support.run_oracle import HEART, marks, untraced
from tests.support.run_sheets import sheets

WRITERS = {"letter": letter, "insight": insight}


@pytest.fixture(scope="module")
def told() -> tuple[RunSheet, ...]:
    return sheets()


def test_a_hundred_texts_say_what_the_figures_say(told: tuple[RunSheet, ...]) -> None:
    assert len(told) >= 50
    for sheet in told:
        assert marks(letter(sheet)) == marks(insight(sheet)) == []
        assert untraced(letter(sheet), offered(sheet, "letter")) == []
        assert untraced(insight(sheet), offered(sheet, "insight")) == []
        assert faults(letter(sheet), told_of(sheet, "letter").known) == []
        assert faults(insight(sheet), told_of(sheet, "insight").known) == []


def test_a_heart_is_spoken_of_where_it_was_heard_and_nowhere_else(told: tuple[RunSheet, ...]) -> None:
    heard = [sheet for sheet in told if has_heart(sheet.facts)]
    assert 10 < len(heard) < len(told) - 10
    for sheet in told:
        for write in WRITERS.values():
            assert bool(HEART.search(write(sheet))) == (sheet in heard)


def test_texts_are_as_different_as_their_runs(told: tuple[RunSheet, ...]) -> None:
    for write in WRITERS.values():
        skeletons = {re.sub(r"[\d:.,]+", "0", write(sheet)) for sheet in told}
        assert len(skeletons) > 0.8 * len(told)
    assert len({letter(sheet)[:25] for sheet in told}) > len(told) / 4


def test_a_run_is_told_the_same_way_each_time(told: tuple[RunSheet, ...]) -> None:
    for sheet in told[:5]:
        assert letter(sheet) == letter(RunSheet.model_validate(sheet.model_dump()))


def test_an_insight_has_its_parts(told: tuple[RunSheet, ...]) -> None:
    """Heart rate, pacing, the next week: each where there is something to say."""
    for sheet in told:
        text = insight(sheet)
        assert "next week" in text.lower()
        assert ("Your heart rate" in text or "Heart rate:" in text) == has_heart(sheet.facts)
        if sheet.pacing:
            assert re.search(r"half|halves|negative split", text)
        if "next_long_distance" in sheet.facts:
            assert "a long run (" in text


def test_what_was_guessed_is_said_to_be(told: tuple[RunSheet, ...]) -> None:
    guessed = [sheet for sheet in told if sheet.estimated and any("time_in_zone" in name for name in sheet.facts)]
    known = [sheet for sheet in told if has_heart(sheet.facts) and not sheet.estimated]
    assert guessed
    assert known
    assert all("estimated" in insight(sheet) for sheet in guessed)
    assert not any("estimated" in insight(sheet) for sheet in known)
