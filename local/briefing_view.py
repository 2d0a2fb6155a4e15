"""A briefing as a person at a terminal reads it: every statement with the numbers of its sources."""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from domain.research import Briefing, Citation, Claim
from longrun import Job

QUOTE_LENGTH = 160


def briefing_view(briefing: Briefing, role: str) -> RenderableType:
    """The whole briefing, sources last, numbered in the order in which they are cited."""
    cited = _Cited(briefing.evidence)
    company, sections, interview = briefing.company, briefing.sections, briefing.interview
    parts: list[RenderableType] = [Rule(Text(f"{company.name}, for a {role}", "bold"))]
    parts += [Text(address, "dim") for address in (company.website, company.github) if address]
    for heading, claims in (
        ("Overview", sections.overview),
        ("Products", sections.products),
        ("Culture", sections.culture),
        ("Engineering", sections.engineering),
        ("News", sections.news),
    ):
        parts += _claims(heading, claims, cited)
    if briefing.stack:
        stack = Text(", ").join(Text(each.name) + cited.marks(each.evidence) for each in briefing.stack)
        parts += [_heading("Stack"), _indented(stack)]
    for heading, claims in (
        ("Likely topics", interview.topics),
        ("Likely questions", interview.questions),
        ("Prepare", briefing.prepare),
        ("Ask them", briefing.ask_them),
    ):
        parts += _claims(heading, claims, cited)
    if briefing.not_found:
        parts += [_heading("Not found"), _indented(Text(", ".join(briefing.not_found)))]
    parts += [_heading("Sources"), _indented(cited.table())]
    return Group(*parts)


def summary_view(job: Job, briefing: Briefing) -> Text:
    """Who answered and why, and what it cost."""
    line = Text(f"Answered by {'the offline twin' if briefing.answered_by == 'offline' else briefing.answered_by}")
    if briefing.reason:
        line.append(f" ({briefing.reason})")
    usage = job.usage
    if usage is None or not usage.input_tokens + usage.output_tokens:
        return line.append(". No model was paid.")
    price = "price unknown" if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    return line.append(f". {usage.input_tokens} tokens in, {usage.output_tokens} out, {price}.")


class _Cited:
    """Numbers evidence as it is first cited."""

    def __init__(self, evidence: Iterable[Citation]) -> None:
        self._known = {each.id: each for each in evidence}
        self._numbers: dict[str, int] = {}

    def marks(self, ids: Iterable[str]) -> Text:
        numbers = sorted(
            {self._numbers.setdefault(each, len(self._numbers) + 1) for each in ids if each in self._known}
        )
        return Text(f" [{', '.join(map(str, numbers))}]" if numbers else "", "cyan")

    def table(self) -> Table:
        """A page or file once, below it what is cited of it."""
        places: dict[str, list[str]] = {}
        for each in self._numbers:
            places.setdefault(self._known[each].url, []).append(each)
        table = Table.grid(padding=(0, 1))
        for url, ids in places.items():
            table.add_row("", Text(url, "dim"))
            for each in ids:
                quote = self._known[each].quote
                shown = quote if len(quote) <= QUOTE_LENGTH else f"{quote[:QUOTE_LENGTH]}…"
                table.add_row(Text(f"[{self._numbers[each]}]", "cyan"), Text(f"“{shown}”"))
        return table


def _heading(text: str) -> RenderableType:
    return Padding(Text(text, "bold"), (1, 0, 0, 0), expand=False)


def _claims(heading: str, claims: Iterable[Claim], cited: _Cited) -> list[RenderableType]:
    table = Table.grid(padding=(0, 1))
    for claim in claims:
        table.add_row("•", Text(claim.text) + cited.marks(claim.evidence))
    return [_heading(heading), _indented(table)] if table.row_count else []


def _indented(content: RenderableType) -> RenderableType:
    return Padding(content, (0, 0, 0, 2), expand=False)


def show(console: Console, job: Job, role: str) -> None:
    """Print what a completed research found."""
    briefing = Briefing.model_validate(job.result)
    console.print(briefing_view(briefing, role))
    console.print()
    console.print(summary_view(job, briefing))
