"""One range of a file's bytes, as RFC 9110 (14.1) has it."""

import re
from dataclasses import dataclass

from domain.errors import CallerError

RANGE = re.compile(r"bytes\s*=\s*(\d*)-(\d*)", re.IGNORECASE)


class RangeNotSatisfiable(CallerError):
    """Nothing of the file lies there."""

    code = "range_not_satisfiable"
    status = 416

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes")
        self.size = size


@dataclass(frozen=True)
class Part:
    """Bytes from `start` up to `end` of `size`; `partial` where that was asked for."""

    start: int
    end: int
    size: int
    partial: bool

    @property
    def headers(self) -> dict[str, str]:
        told = {"Accept-Ranges": "bytes", "Content-Length": str(self.end - self.start)}
        if self.partial:
            told["Content-Range"] = f"bytes {self.start}-{self.end - 1}/{self.size}"
        return told


def part_of(size: int, asked: str | None) -> Part:
    """What is to be sent. Several ranges, and what is none, are answered with the whole file, as the RFC allows.

    Raises RangeNotSatisfiable.
    """
    found = RANGE.fullmatch((asked or "").strip())
    if found is None or not any(found.groups()):
        return Part(0, size, size, partial=False)
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
        if int(last) == 0:
            raise RangeNotSatisfiable(size)
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return Part(0, size, size, partial=False)
    if start >= size:
        raise RangeNotSatisfiable(size)
    return Part(start, end, size, partial=True)
