"""The bars of `python -m bench.quality` hold, and its measures notice what is wrong."""

import asyncio

import pytest

from bench.quality import citations, figures, kept, planted, recall, stack
from bench.quality_run import Material, by_model, by_twin, gather, scripted
from domain.briefing import assemble, checker
from domain.research import Briefing, Claim, Draft, Sections, Technology


@pytest.fixture(scope="module")
def material() -> Material:
    return asyncio.run(gather())


@pytest.fixture(scope="module")
def twin(material: Material) -> Briefing:
    return asyncio.run(by_twin(material))


def test_the_offline_twin_holds_every_bar(material: Material, twin: Briefing) -> None:
    assert (twin.answered_by, twin.reason) == ("offline", "no model key is set")
    assert [line for line in figures(twin, material) if not line.held] == []


def test_the_scripted_model_holds_every_bar(material: Material) -> None:
    briefing = asyncio.run(by_model(material))
    assert briefing.answered_by == "anthropic"
    assert [line for line in figures(briefing, material) if not line.held] == []


def test_the_site_was_read_in_depth(material: Material) -> None:
    assert material.sources.site.pages == 12
    assert material.sources.code.repositories == 1


class TestTheMeasures:
    def test_see_the_planted_falsehoods_of_an_unchecked_draft(self, material: Material) -> None:
        draft = Draft.model_validate(scripted(material.evidence))
        unchecked = assemble(material.sources, draft, material.evidence, "anthropic")
        assert len(planted(unchecked)) == 17
        assert kept(unchecked) == 1.0
        checked = checker(material.sources, material.evidence).draft(draft).draft
        assert citations(unchecked, material)[0] < 0.9
        assert citations(assemble(material.sources, checked, material.evidence, "anthropic"), material)[0] >= 0.9

    def test_see_citations_that_were_swapped(self, material: Material, twin: Briefing) -> None:
        rows = twin.sections.overview
        turned = tuple(
            Claim(text=one.text, evidence=other.evidence) for one, other in zip(rows, rows[1:] + rows[:1], strict=True)
        )
        only = Sections(overview=turned)
        swapped = twin.model_copy(
            update={
                "sections": only,
                "interview": twin.interview.model_copy(update={"topics": (), "questions": ()}),
                "prepare": (),
                "ask_them": (),
                "stack": (),
            }
        )
        assert citations(swapped, material)[0] < 0.3

    def test_see_a_quote_that_no_page_holds(self, material: Material, twin: Briefing) -> None:
        forged = tuple(item.model_copy(update={"quote": f"{item.quote} Indeed so."}) for item in twin.evidence)
        assert citations(twin.model_copy(update={"evidence": forged}), material)[0] == 0

    def test_see_what_a_section_does_not_tell(self, twin: Briefing) -> None:
        silent = twin.model_copy(update={"sections": Sections(news=twin.sections.news)})
        assert recall(silent) == {"overview": 0, "products": 0, "culture": 0, "engineering": 0, "news": 1}

    def test_see_a_technology_too_many_and_one_too_few(self, twin: Briefing) -> None:
        more = (*twin.stack, Technology(name="React", evidence=("r1.1",)))
        assert stack(twin.model_copy(update={"stack": more}))[0] < 1
        assert stack(twin.model_copy(update={"stack": twin.stack[1:]}))[1] < 1
