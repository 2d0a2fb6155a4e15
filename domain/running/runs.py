"""A runner's workouts as figures, and windows of time over them."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple, Self

from pydantic_core import from_json

from domain.running.figures import Facts


class RunSummary(NamedTuple):
    """What is needed of a workout to set it beside others. `values` are those of its facts that are not poor, by name:
    what rests on an assumption about the runner must not be compared."""

    id: str
    name: str
    started_at: datetime
    is_run: bool
    values: Mapping[str, float]

    @classmethod
    def of(cls, id: str, name: str, started_at: datetime, facts: Facts) -> Self:  # noqa: A002
        values = {name: fact.value for name, fact in facts.facts.items() if fact.quality != "poor"}
        return cls(id, name, started_at, facts.not_a_run is None, values)

    @classmethod
    def read(cls, id: str, name: str, started_at: datetime, is_run: bool, values: str) -> Self:  # noqa: A002
        """One whose values are JSON."""
        return cls(id, name, started_at, is_run, _values(values))


@lru_cache(2_000)
def _values(text: str) -> Mapping[str, float]:
    """Whoever goes through a history meets each of its runs beside many others."""
    return from_json(text)


class _Column(NamedTuple):
    """A figure of the runs that have it, the newest first; and how many of the first n runs have it."""

    known: Sequence[float]
    reached: Sequence[int]


@dataclass(frozen=True)
class _All:
    """What windows over the same runs share: each figure is looked up once, however many windows ask for it."""

    newest_first: Sequence[RunSummary]
    starts: Sequence[datetime]
    columns: dict[str, _Column] = field(default_factory=dict[str, _Column])

    def column(self, name: str) -> _Column:
        found = self.columns.get(name)
        if found is None:
            values = [run.values.get(name) for run in self.newest_first]
            reached = [0, *accumulate(value is not None for value in values)]
            found = self.columns[name] = _Column([value for value in values if value is not None], reached)
        return found


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs, the newest first: those of `all_` from `first` to before `end`, and before them `newest`."""

    all_: _All
    first: int
    end: int
    newest: RunSummary | None = None

    @classmethod
    def of(cls, runs: Iterable[RunSummary]) -> "Runs":
        """The runs among the workouts, in any order."""
        if isinstance(runs, Runs):
            return runs
        found = sorted((run for run in runs if run.is_run), key=lambda run: run.started_at, reverse=True)
        return Runs(_All(found, [run.started_at for run in reversed(found)]), 0, len(found))

    def before(self, moment: datetime, days: float) -> "Runs":
        """Those that started in the days up to the moment, without the moment itself."""
        start, starts, newest = moment - timedelta(days=days), self.all_.starts, self.newest
        first = len(starts) - bisect_left(starts, moment)
        end = len(starts) - bisect_left(starts, start)
        first, end = max(first, self.first), min(end, self.end)
        within = newest is not None and start <= newest.started_at < moment
        return Runs(self.all_, first, max(first, end), newest if within else None)

    def and_then(self, run: RunSummary) -> "Runs":
        """These and one that came after all of them."""
        return replace(self, newest=run) if self.newest is None else Runs.of([run, *self])

    def values(self, name: str) -> Sequence[float]:
        """The figure of those that have it."""
        known, reached = self.all_.column(name)
        found = known[reached[self.first] : reached[self.end]]
        if self.newest is None or (own := self.newest.values.get(name)) is None:
            return found
        return [own, *found]

    def __len__(self) -> int:
        return self.end - self.first + (self.newest is not None)

    def __iter__(self) -> Iterator[RunSummary]:
        found = self.all_.newest_first[self.first : self.end]
        return iter(found if self.newest is None else [self.newest, *found])

    @property
    def since(self) -> datetime | None:
        """When the oldest of them started."""
        if self.end > self.first:
            return self.all_.newest_first[self.end - 1].started_at
        return self.newest.started_at if self.newest else None
