"""What the player did, as far as the ledger does not tell it: the checks read it."""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

LIMITS = ("total", "perOwner", "perKey")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Crash:
    """`up` is when the part was started again, not when it was ready."""

    part: str
    down: datetime
    up: datetime | None = None


@dataclass
class Setting:
    """Limits that may have been in force from `since` until `until`."""

    limits: dict[str, int | None]
    since: datetime
    until: datetime | None = None


@dataclass
class Notes:
    """Of one group of sequences. All jobs of the group carry its `tag`; `jobs` and `batches` are by sequence."""

    tag: str
    jobs: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict[int, list[str]](list))
    batches: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict[int, list[str]](list))
    bulks: list[str] = field(default_factory=list[str])
    crashes: list[Crash] = field(default_factory=list[Crash])
    resets: Counter[str] = field(default_factory=Counter[str])
    touched: set[str] = field(default_factory=set[str])
    settings: list[Setting] = field(default_factory=lambda: [Setting(dict.fromkeys(LIMITS), now())])
    wrong: list[str] = field(default_factory=list[str])

    def limited(self, limits: dict[str, Any], sent: datetime, *, sure: bool) -> None:
        """Limits were set; not `sure`: the answer was lost, so that the ones before may stand as well."""
        if sure:
            for setting in self.settings:
                setting.until = setting.until or now()
        self.settings.append(Setting({name: limits[name] for name in LIMITS}, sent))

    def highest(self, limit: str, since: datetime, until: datetime) -> float:
        """The highest that may have been in force at some moment between."""
        found = [one for one in self.settings if one.since <= until and (one.until is None or one.until >= since)]
        each = [one.limits[limit] for one in found]
        return max((math.inf if value is None else value for value in each), default=math.inf)

    def crashes_in(self, since: datetime, until: datetime) -> int:
        """How many fell into that time."""
        return sum(since <= (crash.up or until) and crash.down <= until for crash in self.crashes)
