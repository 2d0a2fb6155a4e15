"""The offline twin and the assembling of a briefing, on evidence as the readers hand it over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import twin
from domain.briefing import MOST_CLAIMS, MOST_TECHNOLOGIES, assemble, checker, extract
from domain.research import (
    Briefing,
    Claim,
    CodeFound,
    CompanyResearchRequest,
    Draft,
    Evidence,
    Interview,
    Sections,
    SiteFound,
    Sources,
    Topic,
)
from domain.roles import ASK_THEM, COMMON, FAMILIES, OTHER, PREPARE, family

SITE = "https://acme.example"
PAGES: dict[tuple[str, Topic], tuple[str, ...]] = {
    ("/", "home"): ("Acme is a payments company for small shops.", "Learn more about our plans and pricing today."),
    ("/about", "about"): (
        "Acme was founded in 2011 by Ada Berg in Oslo.",
        "We serve 1,200 shops in Norway and Sweden.",
        "Our mission is to help shops get paid on the same day.",
    ),
    ("/products", "products"): (
        "Our platform accepts cards and invoices through one API.",
        "Acme Ledger is a service that reconciles payments every night.",
    ),
    ("/values", "culture"): (
        "We work in small teams and learn from our users every week.",
        "Trust and feedback are the values we hire for.",
        "“We disagree in the open”, says our founder, “and then we commit to one plan together.”",
    ),
    ("/engineering", "engineering"): (
        "We develop our software in the open and test every change before we deploy it.",
        "The payments database runs on Postgres and is encrypted at rest.",
    ),
    ("/2024/06/01/launch", "other"): ("Acme launches instant payouts for shops in Sweden.",),
    ("/2021/01/01/new-office", "other"): ("Acme opens a new office in Bergen this spring.",),
}
MANIFEST = [
    Evidence(
        id=f"r1.{number}",
        kind="repository",
        url="https://github.com/acme/api/blob/main/pyproject.toml",
        title="acme/api: pyproject.toml",
        quote=quote,
        topic="manifest",
        technology=technology,
    )
    for number, (quote, technology) in enumerate(
        [('"fastapi>=0.120",', "FastAPI"), ('"asyncpg>=0.30",', "asyncpg"), ('"fastapi[standard]",', "FastAPI")],
        start=1,
    )
]
EVIDENCE = [
    Evidence(
        id=f"p{page}.{number}",
        kind="page",
        url=SITE + path,
        title=path,
        quote=quote,
        topic=topic,
        offset=100 * number,
    )
    for page, ((path, topic), quotes) in enumerate(PAGES.items(), start=1)
    for number, quote in enumerate(quotes, start=1)
] + MANIFEST
REASON = "no model key is set"


def sources(role: str = "Backend Engineer", company: str = "Acme") -> Sources:
    return Sources(
        request=CompanyResearchRequest(company_name=company, role=role),
        site=SiteFound(website=SITE, pages=7, sentences=13),
        code=CodeFound(github="https://github.com/acme", repositories=1, lines=3),
    )


def claims(briefing: Briefing) -> list[Claim]:
    parts = [getattr(briefing.sections, name) for name in Sections.model_fields]
    parts += [briefing.interview.topics, briefing.interview.questions, briefing.prepare, briefing.ask_them]
    return [claim for part in parts for claim in part]


def texts(found: tuple[Claim, ...]) -> str:
    return " ".join(claim.text for claim in found)


class TestTheTwin:
    def test_sorts_sentences_into_their_sections_word_for_word(self) -> None:
        briefing = extract(sources(), EVIDENCE, REASON)
        assert "founded in 2011 by Ada Berg" in texts(briefing.sections.overview)
        assert "one API" in texts(briefing.sections.products)
        assert "learn from our users" in texts(briefing.sections.culture)
        assert "test every change" in texts(briefing.sections.engineering)
        quotes = {item.quote for item in EVIDENCE}
        for name in ("overview", "products", "culture", "news"):
            assert all(claim.text in quotes for claim in getattr(briefing.sections, name))

    def test_tells_the_latest_news_first(self) -> None:
        news = extract(sources(), EVIDENCE, REASON).sections.news
        assert [claim.text for claim in news] == [
            "Acme launches instant payouts for shops in Sweden.",
            "Acme opens a new office in Bergen this spring.",
        ]

    def test_says_that_it_answered_and_why(self) -> None:
        briefing = extract(sources(), EVIDENCE, REASON)
        assert (briefing.answered_by, briefing.reason) == ("offline", REASON)
        assert briefing.company.model_dump() == {
            "name": "Acme",
            "website": SITE,
            "github": "https://github.com/acme",
        }

    def test_leaves_out_calls_to_action_and_questions(self) -> None:
        asked = EVIDENCE[0].model_copy(update={"id": "p9.1", "quote": "Who is behind the mission of our company?"})
        whole = extract(sources(), [*EVIDENCE, asked], REASON).model_dump_json()
        assert "Learn more about our plans" not in whole
        assert "Who is behind" not in whole

    def test_names_what_it_did_not_find(self) -> None:
        only_news = [item for item in EVIDENCE if "/2024/" in item.url]
        briefing = extract(sources(), only_news, REASON)
        assert briefing.not_found == ("overview", "products", "culture", "engineering", "stack")
        assert extract(sources(), EVIDENCE, REASON).not_found == ()

    def test_of_no_evidence_says_nothing_at_all(self) -> None:
        briefing = extract(sources(), [], REASON)
        assert claims(briefing) == []
        assert briefing.evidence == ()

    @pytest.mark.parametrize("role", ["Backend Engineer", "Data Scientist", "UX Designer", "Head of People", "Chef"])
    def test_advises_each_role_only_with_facts_that_it_cites(self, role: str) -> None:
        found = twin.draft("Acme", role, EVIDENCE)
        assert found.interview.topics
        assert found.interview.questions
        assert found.prepare
        assert found.ask_them
        assert checker(sources(role), EVIDENCE).draft(found).dropped == ()

    def test_asks_a_backend_engineer_about_other_things_than_a_designer(self) -> None:
        backend = extract(sources("Backend Engineer"), EVIDENCE, REASON).interview
        design = extract(sources("UX Designer"), EVIDENCE, REASON).interview
        assert "Postgres" in texts(backend.topics)
        assert "FastAPI" in texts(backend.questions)
        assert "learn from our users" in texts(design.topics)
        assert "FastAPI" not in texts(design.questions)

    def test_quotes_a_sentence_that_holds_quotation_marks(self) -> None:
        quoted = next(item for item in EVIDENCE if item.quote.startswith("“"))
        found = twin.draft("Acme", "Engineering Manager", [quoted])
        assert found.interview.topics
        assert checker(sources("Engineering Manager"), [quoted]).draft(found).dropped == ()

    @given(st.lists(st.sampled_from(EVIDENCE), unique=True), st.sampled_from(["SRE", "Product Manager", "ML Engineer"]))
    def test_passes_its_own_claim_check_whatever_was_found(self, found: list[Evidence], role: str) -> None:
        draft = twin.draft("Acme", role, found)
        assert checker(sources(role), found).draft(draft).dropped == ()


class TestTheRules:
    @pytest.mark.parametrize(
        ("role", "name"),
        [
            ("Backend Engineer", "backend"),
            ("Senior Front-end Developer", "frontend"),
            ("Data Engineer", "data"),
            ("Machine Learning Engineer", "ml"),
            ("Site Reliability Engineer", "devops"),
            ("Product Designer", "design"),
            ("Product Manager", "product"),
            ("Engineering Manager", "manager"),
            ("Chief Accountant", "other"),
        ],
    )
    def test_know_a_role_by_its_title(self, role: str, name: str) -> None:
        assert family(role).name == name

    def test_speak_only_with_a_fact(self) -> None:
        angles = [angle for item in (*FAMILIES, OTHER) for angle in item.angles] + list(COMMON)
        assert all(template.count("{fact}") == 1 for template in (*PREPARE, *ASK_THEM))
        assert all("{fact}" in angle.question for angle in angles)


class TestAssembling:
    draft = Draft(
        sections=Sections(overview=(Claim(text="Founded in 2011.", evidence=("p2.1",)),)),
        interview=Interview(questions=(Claim(text="What is trust?", evidence=("p4.2", "p2.1")),)),
    )

    def test_reads_the_stack_off_the_evidence(self) -> None:
        briefing = assemble(sources(), self.draft, EVIDENCE, "anthropic")
        assert [(item.name, item.evidence) for item in briefing.stack] == [
            ("FastAPI", ("r1.1", "r1.3")),
            ("asyncpg", ("r1.2",)),
        ]

    def test_shows_the_evidence_that_is_cited_and_no_other(self) -> None:
        briefing = assemble(sources(), self.draft, EVIDENCE, "openai")
        assert [item.id for item in briefing.evidence] == ["p2.1", "p4.2", "r1.1", "r1.2", "r1.3"]
        assert briefing.evidence[0].quote == "Acme was founded in 2011 by Ada Berg in Oslo."
        assert (briefing.answered_by, briefing.reason) == ("openai", None)
        assert briefing.not_found == ("products", "culture", "engineering", "news")

    def test_every_claim_cites_evidence_that_is_shown(self) -> None:
        briefing = extract(sources(), EVIDENCE, REASON)
        shown = {item.id for item in briefing.evidence}
        assert all(claim.evidence and set(claim.evidence) <= shown for claim in claims(briefing))
        assert all(item.evidence and set(item.evidence) <= shown for item in briefing.stack)

    def test_stays_small_enough_to_travel(self) -> None:
        many = [
            MANIFEST[0].model_copy(update={"id": f"r2.{n}", "technology": f"lib{n % 500}", "quote": "x" * 100})
            for n in range(2000)
        ]
        page = EVIDENCE[0].model_copy(update={"id": "p1.1", "quote": "y" * 480})
        wordy = tuple(Claim(text="z" * 300, evidence=("p1.1",)) for _ in range(200))
        draft = Draft(
            sections=Sections(overview=wordy, products=wordy, culture=wordy, engineering=wordy, news=wordy),
            interview=Interview(topics=wordy, questions=wordy),
            prepare=wordy,
            ask_them=wordy,
        )
        briefing = assemble(sources(), draft, [page, *many], "anthropic")
        assert len(briefing.sections.news) == MOST_CLAIMS
        assert len(briefing.stack) == MOST_TECHNOLOGIES
        assert len(briefing.model_dump_json(by_alias=True).encode()) < 100_000
