"""How much of the shipped postings is read right without a model: by form and field."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.postings.forms import Form, forms
from domain.posting import Details
from domain.postings.merging import merged
from domain.postings.reading import read_text
from providers.postings.ats import SYSTEMS
from providers.postings.structured import read_posting_page

URL = "https://jobs.example.com/1"
# Precision and recall of each field that has a bar, in every form.
BARS = {"title": (1.0, 1.0), "company": (1.0, 1.0), "location": (0.95, 0.85), "salary": (0.95, 0.85)}
SHIPPED = ("page", "markdown")
READERS = {system.name: system.read for system in SYSTEMS}


@dataclass
class Score:
    """Counts of values: right, wrong and missed. A salary or place where there is none is wrong."""

    counts: Counter[str] = field(default_factory=Counter[str])

    def add(self, said: Iterable[object], true: Iterable[object]) -> None:
        found, wanted = set(said), set(true)
        self.counts.update(right=len(found & wanted), wrong=len(found - wanted), missed=len(wanted - found))

    @property
    def precision(self) -> float:
        right, wrong = self.counts["right"], self.counts["wrong"]
        return right / (right + wrong) if right + wrong else 1.0

    @property
    def recall(self) -> float:
        right, missed = self.counts["right"], self.counts["missed"]
        return right / (right + missed) if right + missed else 1.0


def read(form: Form) -> Details:
    """What the offline path makes of a form."""
    if form.kind in READERS:
        listed = READERS[form.kind](json.loads(form.body), form.truth.slug)
        if listed is None:
            raise LookupError(form.truth.slug)
        title = listed.findings["title"].value
        return merged([listed.findings, read_text(listed.text, headings=[title])], f"{title}\n{listed.text}")
    if form.kind in ("pasted", "markdown"):
        return merged([read_text(form.body)], form.body)
    page = read_posting_page(form.body, URL)
    return merged([*page.tiers, read_text(page.text, headings=page.headings)], page.said)


def scores() -> dict[str, dict[str, Score]]:
    """By form, then by field."""
    found: dict[str, dict[str, Score]] = {}
    for form in forms():
        of_form = found.setdefault(form.kind, {})
        details, truth = read(form), form.truth
        pay = (details.salary.min, details.salary.max) if details.salary else ()
        pairs: dict[str, tuple[Iterable[object], Iterable[object]]] = {
            "title": ([details.title], [truth.title]),
            "company": ([details.company.name], [truth.company]),
            "location": (details.locations, truth.locations),
            "salary": (pay, truth.salary),
            "remote": ([details.remote], [truth.remote]),
            "seniority": ([details.seniority], [truth.seniority]),
        }
        for name, (said, true) in pairs.items():
            of_form.setdefault(name, Score()).add(said, true)
    return found
