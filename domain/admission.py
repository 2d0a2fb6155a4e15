"""Who may start next: jobs in their order, as long as their kind, owner and concurrency key have a free slot.

Start-time fair queueing (Goyal, Vin, Cheng 1996): a job's rank is 1 / weight behind the owner's job before it, or
behind the rank that started last, so that nobody's backlog delays another owner by more than a slot.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from domain.job import Tier

WEIGHTS: Mapping[str, float] = {"premium": 4.0, "free": 1.0}
# what people turn to when everything else hangs waits for nobody's place
UNCAPPED = frozenset({"bulk"})
Stop = Literal["paused", "kind", "rate", "owner", "key", "all"]
Lane = tuple[str, str, str]


@dataclass(frozen=True)
class Limits:
    """Of one kind; None: no limit. `per_premium_owner` stands in for `per_owner` where it is set."""

    paused: bool = False
    total: int | None = None
    per_owner: int | None = None
    per_premium_owner: int | None = None
    per_key: int | None = None
    starts_per_minute: int | None = None

    def of_owner(self, tier: Tier) -> int | None:
        premium = tier == "premium" and self.per_premium_owner is not None
        return self.per_premium_owner if premium else self.per_owner


@dataclass(frozen=True)
class Waiting:
    """A job that is due. No owner and no key ("") know no limit."""

    id: UUID
    kind: str
    owner: str
    key: str
    tier: Tier
    priority: int
    rank: float = 0.0

    @property
    def lane(self) -> Lane:
        return (self.kind, self.owner, self.key)


class Slots:
    """What is free, counted down as jobs are admitted. `running` by lane, `recent` starts of a minute by kind."""

    def __init__(
        self, limits: Mapping[str, Limits], running: Mapping[Lane, int], recent: Mapping[str, int] | None = None
    ) -> None:
        self._limits = limits
        self._recent = Counter(recent or {})
        self._kinds, self._owners, self._keys = Counter[str](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for lane, count in running.items():
            self._count(lane, count)

    @property
    def taken(self) -> int:
        """How many are in hand, of whatever kind."""
        return self._kinds.total()

    def of(self, kind: str) -> Limits:
        return self._limits.get(kind) or Limits()

    def stop(self, job: Waiting) -> Stop | None:
        """The first limit in the job's way."""
        limits = self.of(job.kind)
        if limits.paused:
            return "paused"
        if _full(limits.total, self._kinds[job.kind]):
            return "kind"
        if _full(limits.starts_per_minute, self._recent[job.kind]):
            return "rate"
        if job.owner and _full(limits.of_owner(job.tier), self._owners[job.kind, job.owner]):
            return "owner"
        return "key" if job.key and _full(limits.per_key, self._keys[job.kind, job.key]) else None

    def take(self, job: Waiting) -> None:
        self._recent[job.kind] += 1
        self._count(job.lane, 1)

    def open(self, kind: str) -> bool:
        """Whether a job of the kind may start at all."""
        return self.stop(Waiting(UUID(int=0), kind, "", "", "free", 1)) is None

    def free(self, kind: str, what: Literal["owner", "key"], name: str, at_most: int) -> int:
        """How many more the owner or the key may have, at most."""
        limits = self.of(kind)
        if what == "key":
            limit, count = limits.per_key, self._keys[kind, name]
        else:
            both = (limits.per_owner, limits.of_owner("premium"))
            limit = None if None in both else max(one for one in both if one is not None)
            count = self._owners[kind, name]
        return at_most if limit is None else max(0, min(at_most, limit - count))

    def _count(self, lane: Lane, count: int) -> None:
        kind, owner, key = lane
        self._kinds[kind] += count
        self._owners[kind, owner] += count
        self._keys[kind, key] += count


def ranked(
    arrivals: Iterable[Waiting], clock: Mapping[str, float], last: Callable[[Waiting], float | None]
) -> list[Waiting]:
    """Arrivals with their ranks, in the order of arrival. `last`: the rank of the owner's last job that waits."""
    ends: dict[tuple[str, str], float] = {}
    found: list[Waiting] = []
    for job in arrivals:
        who = (job.kind, job.owner)
        before = max(ends.get(who, last(job) or 0.0), clock.get(job.kind, 0.0))
        ends[who] = before + 1 / WEIGHTS[job.tier]
        found.append(replace(job, rank=ends[who]))
    return found


def choose(
    waiting: Iterable[Waiting], slots: Slots, room: int, clock: Mapping[str, float]
) -> tuple[list[Waiting], dict[Lane, Stop]]:
    """At most `room` jobs that start now, and the lanes that met a limit. Kinds compare by how far behind they are."""
    admitted: list[Waiting] = []
    stopped: dict[Lane, Stop] = {}
    for job in sorted(waiting, key=lambda job: (job.priority, job.rank - clock.get(job.kind, 0.0))):
        if job.lane in stopped or (len(admitted) >= room and job.kind not in UNCAPPED):
            continue
        if found := slots.stop(job):
            stopped[job.lane] = found
        else:
            slots.take(job)
            admitted.append(job)
    return admitted, stopped


def _full(limit: int | None, count: int) -> bool:
    return limit is not None and count >= limit
