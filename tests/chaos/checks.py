"""What must hold for each job of a group once nothing moves."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from domain.job import Status
from tests.chaos.notes import Notes
from tests.chaos.outside import World
from tests.support.house import House

Row = Mapping[str, Any]
STEPS = ("ask", "tell")
# An activity hears of its job's end by its next heartbeat, on a busy machine some seconds later.
HEARD = timedelta(seconds=8)
# A job whose time is further away waits rightly.
SOON = timedelta(seconds=60)
# Ends that free the idempotency key; a canceled job frees it if it never ran.
FREEING = ("failed", "expired", "timed_out")


def jobs_of(house: House, notes: Notes) -> Sequence[Row]:
    """The group's jobs with their events and steps, in the order in which they came."""
    return house.stack.rows(
        """SELECT j.*,
            (SELECT array_agg(seq || ' ' || type || ' ' || coalesce(data ->> 'status', '') ORDER BY seq)
                FROM job_events WHERE job_id = j.id) AS events,
            (SELECT array_agg(activity_id || ' ' || max_attempts || ' ' || delivery || ' ' || status)
                FROM job_steps WHERE job_id = j.id) AS steps
        FROM jobs j WHERE $1 = ANY(tags) OR id = ANY($2) ORDER BY created_at, id""",
        notes.tag,
        notes.bulks,
    )


def moving(house: House, notes: Notes) -> list[Row]:
    """Those of the group that have neither ended nor wait for a time that is far away."""
    later = datetime.now(UTC) + SOON
    return [
        row
        for row in jobs_of(house, notes)
        if row["finished_at"] is None and not (row["status"] == "delayed" and row["not_before"] > later)
    ]


def broken(house: House, world: World, notes: Notes) -> list[str]:
    """Every rule that some job breaks, in words, one line each."""
    rows = jobs_of(house, notes)
    found = [f"{row['id']}: {why}" for row in rows for why in (*told(row), *called(row, world, notes))]
    ran = house.stack.rows("SELECT * FROM jobs WHERE kind = 'errand' AND started_at IS NOT NULL")
    return [*found, *keys(rows), *limits(rows, ran, notes)]


def told(row: Row) -> Iterator[str]:
    """Events are numbered without a gap; after the end nothing more is told of job and steps."""
    events = [event.split(" ") for event in row["events"] or ()]
    if [int(seq) for seq, _, _ in events] != list(range(1, row["event_seq"] + 1)):
        yield f"its events are not numbered 1 to {row['event_seq']}: {row['events']}"
    statuses = [status for _, kind, status in events if kind == "job"]
    ends = [at for at, (_, kind, status) in enumerate(events) if kind == "job" and Status(status).terminal]
    if len(ends) != (row["finished_at"] is not None) or statuses[-1] != row["status"]:
        yield f"it is {row['status']}, and its events tell {statuses}"
    elif ends and any(kind in ("job", "step") for _, kind, _ in events[ends[0] + 1 :]):
        yield f"it goes on after its end: {row['events']}"


def called(row: Row, world: World, notes: Notes) -> Iterator[str]:
    """Each step's calls: no more than its attempts and what crashes may repeat, none after the end."""
    if row["kind"] != "errand":
        return
    job_id, ended = str(row["id"]), row["finished_at"] or datetime.now(UTC)
    steps = {step.split(" ")[0]: step.split(" ")[1:] for step in row["steps"] or ()}
    again = notes.crashes_in(row["created_at"], ended)
    for name in STEPS:
        calls = world.of(job_id, name)
        attempts, deliveries, status = steps.get(name, (0, 0, "none"))
        # a run that was reset has its attempts anew
        allowed = 0 if deliveries == "0" else int(attempts) * (1 + notes.resets[job_id]) + again
        if len(calls) > allowed:
            yield f"{name} was called {len(calls)} times, {allowed} are allowed ({attempts} attempts, {again} crashes)"
        if late := [call.at for call in calls if row["finished_at"] and call.at > ended + HEARD]:
            yield f"{name} was called at {late}, after the end at {ended}"
        done = deliveries == "0" or any(call.answered for call in calls)
        if (row["status"] == "completed" or status == "completed") and not done:
            yield f"{name} is {status}, and was never done"


def keys(rows: Sequence[Row]) -> Iterator[str]:
    """A second job under a key begins after the first has ended in a way that frees the key."""
    by_key: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row["idempotency_key"]:
            by_key[row["owner"], row["idempotency_key"]].append(row)
    for same in by_key.values():
        for first, second in pairwise(same):
            freed = first["status"] in FREEING or (first["status"] == "canceled" and first["started_at"] is None)
            began = second["started_at"]
            if not freed or (began is not None and began < first["finished_at"]):
                yield f"{second['id']}: runs under the key of {first['id']}, which is {first['status']}"


def limits(rows: Sequence[Row], ran: Sequence[Row], notes: Notes) -> Iterator[str]:
    """When a job begins, no more run (of all that `ran`) than some limit allowed that was in force since it came."""
    for row in rows:
        at = row["started_at"]
        if row["kind"] != "errand" or at is None:
            continue
        beside = [
            one for one in ran if one["started_at"] <= at and (one["finished_at"] is None or one["finished_at"] > at)
        ]
        for limit, column in (("total", None), ("perOwner", "owner"), ("perKey", "concurrency_key")):
            if column and not row[column]:
                continue
            count = sum(column is None or one[column] == row[column] for one in beside)
            if count > (most := notes.highest(limit, row["created_at"], at)):
                yield f"{row['id']}: began as number {count} where {limit} is {most:g}"
