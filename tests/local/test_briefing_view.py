"""A printed briefing carries every statement and numbers its sources in the order they are cited."""

from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console

from domain.research import Briefing, Citation, Claim, CompanyFacts, Interview, Sections, Technology
from local.briefing_view import show
from longrun import Job, Progress, Usage

BRIEFING = Briefing(
    company=CompanyFacts(name="Acme [bold]", website="https://acme.test/"),
    sections=Sections(overview=(Claim(text="Acme makes anvils.", evidence=("b", "a")),)),
    stack=(Technology(name="Python", evidence=("c",)),),
    interview=Interview(topics=(Claim(text="Forging", evidence=("b",)),)),
    prepare=(Claim(text="Read about anvils.", evidence=("gone",)),),
    ask_them=(),
    evidence=(
        Citation(id="a", kind="page", url="https://acme.test/a", title="A", quote="Anvils since 1920."),
        Citation(id="b", kind="page", url="https://acme.test/b", title="B", quote="x" * 500),
        Citation(id="c", kind="repository", url="https://github.com/acme/x", title="x", quote="python = 3.11"),
    ),
    not_found=("news",),
    answered_by="anthropic",
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(
    job_id="1",
    job_type="company-research",
    status="completed",
    progress=Progress(done=4, total=4, text="4/4", percent=100),
    is_complete=True,
    is_success=True,
    is_failed=False,
    is_canceled=False,
    result=BRIEFING.model_dump(mode="json", by_alias=True),
    usage=Usage(input_tokens=1200, output_tokens=34, cost_usd=Decimal("0.0123")),
    created_at=NOW,
)


def printed(job: Job) -> str:
    console = Console(width=100, force_terminal=False)
    with console.capture() as captured:
        show(console, job, "Smith")
    return captured.get()


def test_statements_and_sources() -> None:
    text = printed(JOB)
    assert "Acme [bold], for a Smith" in text
    assert "• Acme makes anvils. [1, 2]" in text
    assert "Python [3]" in text
    assert "• Forging [" in text
    assert "• Read about anvils.\n" in text
    assert "Not found\n  news" in text
    assert text.index("[1] “xxx") < text.index("[2] “Anvils since 1920.”") < text.index("[3] “py")
    assert text.index("https://acme.test/a ") < text.index("[2] “Anvils since 1920.”")
    assert "x" * 161 not in text.replace("\n", "").replace(" ", "")
    assert "Ask them" not in text
    assert "Answered by anthropic. 1200 tokens in, 34 out, $0.0123." in text
    assert "\x1b" not in text


def test_the_offline_twin_is_named_with_its_reason() -> None:
    offline = BRIEFING.model_copy(update={"answered_by": "offline", "reason": "no model key is set"})
    job = JOB.model_copy(update={"result": offline.model_dump(mode="json", by_alias=True), "usage": None})
    assert "Answered by the offline twin (no model key is set). No model was paid." in printed(job)
