"""What a half of a run is written from, in plain values: they are handed from process to process."""

from typing import NamedTuple

from pydantic_core import to_json

from domain.running.brief import brief, heading
from domain.running.contents import Half, RunSheet
from domain.running.sheet import named, offered
from domain.running.traced import Known


class Told(NamedTuple):
    """What is asked for, what the text may say, and the `facts` that are kept with it, as JSON."""

    prompt: str
    known: Known
    facts: str


def told(sheet: RunSheet, half: Half) -> Told:
    facts = offered(sheet, half)
    prompt = brief(heading(sheet), facts, sheet.notes)
    return Told(prompt, Known.of(facts, named(sheet), sheet.pacing), to_json(facts).decode())
