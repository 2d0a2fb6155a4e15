"""A workout as bytes to keep, and back.

`LRW1`, then one zlib stream: the length of the head (four bytes, little-endian), the head as JSON (what the file and
the device said, and for each channel its name, width and length), then each channel as the differences between whole
numbers of its resolution, four or eight bytes each, little-endian. An absent sample is the lowest number of the width.
"""

import math
import sys
import zlib
from array import array
from datetime import datetime
from itertools import accumulate

from domain.model import Model
from domain.workout import ABSENT, CHANNELS, Lap, Pause, Session, Source, Sport, Streams, Workout

_MAGIC = b"LRW1"

# Steps to one unit: what the finest of devices writes, or finer. A position is kept to a centimetre.
_STEPS = {
    "seconds": 1_000,
    "distance_m": 100,
    "altitude_m": 100,
    "heart_rate_bpm": 10,
    "cadence_spm": 10,
    "latitude_deg": 10_000_000,
    "longitude_deg": 10_000_000,
}
_NONE = {"i": -(2**31), "q": -(2**63)}


class _Column(Model):
    name: str
    width: str
    length: int


class _Head(Model):
    sport: Sport
    name: str
    started_at: datetime
    source: Source
    content_hash: str
    laps: tuple[Lap, ...]
    pauses: tuple[Pause, ...]
    session: Session
    columns: tuple[_Column, ...]


def packed(workout: Workout) -> bytes:
    """All of it; about 7 bytes a sample. The same workout gives the same bytes, and so does what `unpacked` gives."""
    streams = workout.streams
    columns = {name: _deltas(streams.channel(name), _STEPS[name]) for name in ("seconds", *CHANNELS)}
    head = _Head(
        sport=workout.sport,
        name=workout.name,
        started_at=workout.started_at,
        source=workout.source,
        content_hash=workout.content_hash,
        laps=tuple(workout.laps),
        pauses=tuple(workout.pauses),
        session=workout.session,
        columns=tuple(
            _Column(name=name, width=column.typecode, length=len(column)) for name, column in columns.items() if column
        ),
    )
    told = head.model_dump_json(exclude_none=True).encode()
    body = b"".join(_little(column).tobytes() for column in columns.values() if column)
    return _MAGIC + zlib.compress(len(told).to_bytes(4, "little") + told + body, 6)


def unpacked(stored: bytes) -> Workout:
    """The workout that `packed` was given, to the resolution that it keeps; raises ValueError on other bytes."""
    if not stored.startswith(_MAGIC):
        raise ValueError("no packed workout")
    try:
        content = zlib.decompress(stored[len(_MAGIC) :])
    except zlib.error as error:
        raise ValueError("a packed workout that is broken") from error
    end = 4 + int.from_bytes(content[:4], "little")
    head = _Head.model_validate_json(content[4:end])
    channels: dict[str, array[float]] = {}
    for column in head.columns:
        deltas: array[int] = array(column.width)
        start, end = end, end + column.length * deltas.itemsize
        deltas.frombytes(content[start:end])
        channels[column.name] = _values(_little(deltas), _STEPS[column.name])
    return Workout(
        sport=head.sport,
        name=head.name,
        started_at=head.started_at,
        source=head.source,
        content_hash=head.content_hash,
        streams=Streams(**channels),
        laps=head.laps,
        pauses=head.pauses,
        session=head.session,
    )


def _deltas(values: "array[float]", steps: int) -> "array[int]":
    """Differences from sample to sample; None stands for an absent one until the width is known."""
    told: list[int | None] = []
    before = 0
    for value in values:
        if math.isnan(value):
            told.append(None)
        else:
            now = round(value * steps)
            told.append(now - before)
            before = now
    width = "i" if all(delta is None or -(2**31) < delta < 2**31 for delta in told) else "q"
    return array(width, (_NONE[width] if delta is None else delta for delta in told))


def _values(deltas: "array[int]", steps: int) -> "array[float]":
    none = _NONE[deltas.typecode]
    sums = accumulate(0 if delta == none else delta for delta in deltas)
    return array("d", (ABSENT if delta == none else total / steps for delta, total in zip(deltas, sums, strict=True)))


def _little(column: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        column.byteswap()
    return column
