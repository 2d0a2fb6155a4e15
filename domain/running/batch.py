"""What the halves of several runs are written from, made at once.

Work for a process of its own: a loop that makes calls would make none meanwhile. Plain values go in and come out.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from domain.running.contents import HALVES, Half
from domain.running.figures import Facts
from domain.running.runs import Runs, RunSummary
from domain.running.sheet import RECENT, run_sheet
from domain.running.told import Told, told

# id, name, start, facts as JSON without the splits, which no text is made of
ReadRun = tuple[str, str, datetime, str]
# which run has about its length, None: it is of the time before any of them; then what `RunSummary.read` takes
Other = tuple[str | None, str, str, datetime, bool, str]


class Batch(NamedTuple):
    """Runs of one user, and the others that they are set beside. Hundreds of rows: as they come from the ledger."""

    user_id: str
    timezone: str | None
    runs: Sequence[ReadRun]
    others: Sequence[Other]


class Ready(NamedTuple):
    """What each half of a run is written from, and its `RunSheet` as JSON."""

    told: Mapping[Half, Told]
    sheet: str


class Unready(NamedTuple):
    """A run of which nothing can be made: the error's name, for its words may quote the run."""

    error: str


def ready(batch: Batch) -> dict[str, Ready | Unready]:
    """By the run's id. One that cannot be read leaves the others alone."""
    beside: dict[str | None, list[RunSummary]] = defaultdict(list)
    for other in batch.others:
        beside[other[0]].append(RunSummary.read(*other[1:]))
    before = Runs.of(beside[None])
    made: dict[str, Ready | Unready] = {}
    for run in batch.runs:
        try:
            made[run[0]] = _ready(batch, run, before, beside[run[0]])
        except Exception as error:  # noqa: BLE001  raised where the run is written about
            made[run[0]] = Unready(type(error).__qualname__)
    return made


def _ready(batch: Batch, run: ReadRun, before: Runs, near: Sequence[RunSummary]) -> Ready:
    run_id, name, started_at, read = run
    facts = Facts.model_validate_json(read)
    sheet = run_sheet(
        batch.user_id,
        RunSummary.of(run_id, name, started_at, facts),
        facts,
        recent=before.before(started_at, RECENT.days),
        near=near,
        timezone=batch.timezone,
    )
    return Ready({half: told(sheet, half) for half in HALVES}, sheet.model_dump_json())
