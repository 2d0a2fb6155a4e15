"""Whole exports: thousands of files in a zip, read one at a time from the disk, never unpacked to it.

Services pack zips into the zip (by year, by ten thousand files): one level of that is followed.
"""

import os
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from domain.workout import Workout, WorkoutRefused
from providers.workout_files.single import MOST_BYTES, read_workout

MOST_MEMBERS = 100_000
MOST_DIRECTORY_BYTES = MOST_MEMBERS * 400
# Of one archive: what all that is read from it may come to.
MOST_UNPACKED = 16 * 1024**3
# Text compresses 20 times, a bomb a thousand.
MOST_EXPANSION, EXPANSION_COUNTS_FROM = 200, 1024 * 1024
MOST_INNER_BYTES = 2 * 1024**3

_ZIP, _ENCRYPTED, _CHUNK = b"PK\x03\x04", 0x1, 256 * 1024
# The record at the end with the longest comment, and the longer record before it.
_LONGEST_END = 64 * 1024 + 256
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive and what came of it. `number` counts from 1 up to `total`, inner archives' files with
    them: `total` grows when such an archive is opened."""

    name: str
    number: int
    total: int
    outcome: Workout | WorkoutRefused


def members(path: Path, start: int = 0, known: Collection[str] = ()) -> Iterator[Member]:
    """The workouts in the file at `path`, one at a time: a zip's members after the first `start`, or the file itself
    if it is no zip; what has a `known` hash is not read. Raises WorkoutRefused for an archive that is refused as a
    whole."""
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            yield from _alone(path, start, known)
            return
        yield from _Walk(start, known).archive(file, "")


def count(path: Path) -> int:
    """Of how many files `members` tells, without reading them. Raises WorkoutRefused as it does."""
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            return 1
        # it begins after the last one
        walk = _Walk(MOST_MEMBERS, ())
        list(walk.archive(file, ""))
        return walk.number


def _alone(path: Path, start: int, known: Collection[str]) -> Iterator[Member]:
    if start:
        return
    outcome: Workout | WorkoutRefused
    try:
        if path.stat().st_size > MOST_BYTES:
            raise WorkoutRefused(f"more than {MOST_BYTES // 2**20} MB", code="too_large")
        content = path.read_bytes()
        if content.startswith(_ZIP):
            raise WorkoutRefused("a zip archive whose end is missing or broken", code="truncated_file")
        outcome = read_workout(content, known=known)
    except WorkoutRefused as refused:
        outcome = refused
    yield Member("", 1, 1, outcome)


class _Walk:
    """Through an archive and those directly in it, counting what was opened."""

    def __init__(self, start: int, known: Collection[str]) -> None:
        self._start, self._known = start, known
        self.number = self._total = self._unpacked = 0

    def archive(self, file: IO[bytes], within: str) -> Iterator[Member]:
        try:
            if _directory_bytes(file) > MOST_DIRECTORY_BYTES:
                raise WorkoutRefused(f"more than {MOST_MEMBERS:,} files in the archive", code="unsafe_archive")
            archive = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise WorkoutRefused("the archive's table of contents is broken", code="broken_file") from error
        with archive:
            entries = [entry for entry in archive.infolist() if _matters(entry)]
            self._total += len(entries)
            if self._total > MOST_MEMBERS:
                raise WorkoutRefused(f"more than {MOST_MEMBERS:,} files in the archive", code="unsafe_archive")
            for entry in entries:
                if not within and entry.filename.lower().endswith(".zip"):
                    yield from self._inner(archive, entry)
                    continue
                self.number += 1
                if self.number > self._start:
                    name = within + entry.filename
                    yield Member(name, self.number, self._total, self._outcome(archive, entry))

    def _inner(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[Member]:
        """The files of an archive in the archive; it is counted as a file itself only when it is refused."""
        self._total -= 1
        with tempfile.TemporaryFile() as file:
            try:
                for chunk in self._read(archive, entry, MOST_INNER_BYTES):
                    file.write(chunk)
                yield from self.archive(file, f"{entry.filename}/")
            except WorkoutRefused as refused:
                self.number, self._total = self.number + 1, self._total + 1
                if self.number > self._start:
                    yield Member(entry.filename, self.number, self._total, refused)

    def _outcome(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Workout | WorkoutRefused:
        try:
            return read_workout(b"".join(self._read(archive, entry, MOST_BYTES)), known=self._known)
        except WorkoutRefused as refused:
            return refused

    def _read(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
        """What the entry really holds; its header may claim anything."""
        if entry.flag_bits & _ENCRYPTED:
            raise WorkoutRefused("it is encrypted", code="encrypted_archive")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise WorkoutRefused("it is packed in a way that zips of exports are not", code="unsafe_archive")
        length = 0
        try:
            with archive.open(entry) as packed:
                while chunk := packed.read(_CHUNK):
                    length += len(chunk)
                    self._unpacked += len(chunk)
                    if length > most:
                        raise WorkoutRefused(f"more than {most // 2**20} MB", code="too_large")
                    if length > max(EXPANSION_COUNTS_FROM, MOST_EXPANSION * entry.compress_size):
                        raise WorkoutRefused(
                            f"it unpacks to over {MOST_EXPANSION} times its size", code="unsafe_archive"
                        )
                    if self._unpacked > MOST_UNPACKED:
                        raise WorkoutRefused("the archive unpacks to more than any export", code="unsafe_archive")
                    yield chunk
        except _BROKEN as error:
            raise WorkoutRefused("its place in the archive is broken", code="broken_file") from error


def _directory_bytes(file: IO[bytes]) -> int:
    """The size of the table of contents, as the archive's end says it: zipfile takes the whole of it into memory."""
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - _LONGEST_END))
    tail = file.read()
    end, end_64 = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
    if end_64 >= 0 and len(tail) >= end_64 + 48:
        return int.from_bytes(tail[end_64 + 40 : end_64 + 48], "little")
    return int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0


def _matters(entry: zipfile.ZipInfo) -> bool:
    """Not a folder, and none of the files that systems leave behind in archives."""
    name = entry.filename.rsplit("/", 1)[-1]
    return not entry.is_dir() and not name.startswith(".") and not entry.filename.startswith("__MACOSX/")
