"""Rows as a file tells them, made into streams: in the order of time, one a moment, NaN where nothing was told."""

import math
from array import array
from datetime import UTC, datetime, timedelta

from domain.workout import ABSENT, CHANNELS, Streams, WorkoutRefused

# 55 hours at one a second; a file with more is no workout.
MOST_SAMPLES = 200_000

# Before satellites gave the time, a clock that was never set does.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()

# A workout lasts days at most; a clock that jumps further was set anew on the way.
LONGEST_SECONDS = 14 * 24 * 3600.0

LONGEST_LEAD_SECONDS = 60.0

# A clock may step back now and then (a fix, a merged file); one that does so more often tells no order.
MOST_STEPS_BACK = 0.05


class Samples:
    """Collects rows; `add` refuses more than MOST_SAMPLES of them."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, tuple[float, ...]]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, at: float, row: tuple[float, ...]) -> None:
        """A sample at a POSIX time in seconds; `row` has a value, or ABSENT, for each of CHANNELS in their order."""
        if len(self._rows) >= MOST_SAMPLES:
            raise WorkoutRefused(f"more than {MOST_SAMPLES:,} samples", code="too_large")
        self._rows.append((at, row))

    def started_at(self, said: float = ABSENT) -> datetime:
        """When it began: as the file says (`said`, POSIX seconds) if that is at most a minute before the earliest
        sample, else that sample's time. Raises WorkoutRefused `no_samples`, or `bad_clock` if it cannot be true."""
        if not self._rows:
            raise WorkoutRefused("there are no samples with a time in it", code="no_samples")
        first, last = min(at for at, _ in self._rows), max(at for at, _ in self._rows)
        if first < EARLIEST or last > LATEST:
            raise WorkoutRefused("its clock was never set: samples before 1990 or after 2100", code="bad_clock")
        if last - first > LONGEST_SECONDS:
            raise WorkoutRefused("its samples lie more than 14 days apart", code="bad_clock")
        return moment(said if 0 <= first - said <= LONGEST_LEAD_SECONDS else first)

    def streams(self, started_at: datetime) -> Streams:
        """The samples since `started_at`. A row that steps back in time is left out, rows of one moment are merged."""
        began, latest, back = started_at.timestamp(), -math.inf, 0
        seconds: array[float] = array("d")
        columns: list[array[float]] = [array("d") for _ in CHANNELS]
        for at, row in self._rows:
            if at < latest:
                back += 1
            elif at == latest:
                for column, value in zip(columns, row, strict=True):
                    if not math.isnan(value):
                        column[-1] = value
            else:
                latest = at
                seconds.append(max(0.0, at - began))
                for column, value in zip(columns, row, strict=True):
                    column.append(value)
        if back > MOST_STEPS_BACK * len(self._rows):
            raise WorkoutRefused(f"its clock steps back {back} times", code="bad_clock")
        told = {
            name: column for name, column in zip(CHANNELS, columns, strict=True) if not all(map(math.isnan, column))
        }
        return Streams(seconds=seconds, **told)


def moment(at: float) -> datetime:
    """A POSIX time in UTC, to the millisecond: what clocks of workouts know."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=round(at * 1000))


def number(text: object) -> float:
    """A number that something on Earth may have, or ABSENT for whatever else a field may hold."""
    try:
        found = float(text)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError):
        return ABSENT
    return found if abs(found) < 1e9 else ABSENT
