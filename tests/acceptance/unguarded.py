"""The product with one guard taken out: what the race tests must then see go wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copy2, copytree

from tests.support.processes import ROOT

PACKAGES = (
    "activities",
    "api",
    "assembly",
    "domain",
    "engine",
    "intake",
    "ledger",
    "local",
    "longrun",
    "providers",
    "workflows",
)
ROOTS = ("cli.py", "settings.py", "worker.py")


@dataclass(frozen=True)
class Edit:
    """`old` stands in `file` once and becomes `new`."""

    file: str
    old: str
    new: str


# the end write of a step lands whoever else has written
STEP_GUARD = (
    Edit(
        "ledger/sql/step_end.sql",
        "AND (s.scheduled_at, s.delivery, step_rank(s.status))\n"
        "            < ($3, $4, CASE WHEN $5 IN ('completed', 'fatal') THEN 3 ELSE 2 END)",
        "AND ($3::timestamptz, $4::integer) IS NOT NULL",
    ),
)
# cancel ends a job that somebody is just telling the engine about
CLAIM = (
    Edit(
        "ledger/sql/cancel.sql",
        "claimed_until IS NULL AND engine_started_at IS NULL AS untouched",
        "engine_started_at IS NULL AS untouched",
    ),
)
# a step begins although somebody has asked for the job's end
CANCELING = (Edit("ledger/sql/step_start.sql", "cancel_requested_at IS NOT NULL AS canceling", "false AS canceling"),)
# a cancel that came between claim and start is not looked for: neither at once nor at the next turn
REREAD = (
    Edit(
        "engine/dispatcher.py",
        "await self._cancel_all(await self._dispatch.started(started))",
        "await self._dispatch.started(started)",
    ),
    Edit("ledger/sql/claim_cancels.sql", "WHERE cancel_requested_at IS NOT NULL", "WHERE id IS NULL"),
    *CANCELING,
)
# a start that finds an output runs the activity all the same
STORED = (
    Edit("ledger/sql/step_start.sql", "AND activity_id = $2 AND output IS NOT NULL", "AND activity_id IS NULL"),
    Edit("ledger/sql/step_start.sql", "WHERE s.output IS NULL\n        AND (s.scheduled_at", "WHERE (s.scheduled_at"),
    Edit("ledger/sql/step_start.sql", "status = 'running', sched", "status = 'running', output = NULL, sched"),
)
# an insert whose answer was lost is not looked up
LOOK_UP = (Edit("ledger/jobs.py", "if not error.in_doubt:\n                raise", "raise"),)


def without(guard: Sequence[Edit], folder: Path) -> Path:
    """A tree of the product whose code lacks that guard."""
    edited = {edit.file.split("/")[0] for edit in guard}
    for package in PACKAGES:
        if package in edited:
            copytree(ROOT / package, folder / package)
        else:
            (folder / package).symlink_to(ROOT / package)
    for root in ROOTS:
        copy2(ROOT / root, folder / root)
    for edit in guard:
        path = folder / edit.file
        text = path.read_text()
        assert text.count(edit.old) == 1, f"the guard is no longer found in {edit.file}"
        path.write_text(text.replace(edit.old, edit.new))
    return folder
