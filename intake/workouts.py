"""What comes in at the door for runners' activities: one file, one JSON, or an export to be imported by a job."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Protocol

from domain.errors import CallerError
from domain.running.imports import ImportRequest
from domain.workout import WorkoutRefused

if TYPE_CHECKING:
    from activities.workouts import Keeping
    from domain.protocols import WorkoutReader
    from domain.running.given import GivenWorkout
    from ledger.exports import Exports
    from ledger.workouts import WorkoutRow

ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
PIECE = 1024 * 1024


class Upload(Protocol):
    """A file as a form brought it."""

    filename: str | None
    size: int | None
    file: BinaryIO


class WorkoutIntake:
    """Sniffed by content. `max_bytes` of one workout's file, `max_export_bytes` of an archive."""

    def __init__(
        self,
        keeping: "Keeping",
        reader: "WorkoutReader",
        exports: "Exports",
        *,
        max_bytes: int,
        max_export_bytes: int,
    ) -> None:
        self._keeping, self._reader, self._exports = keeping, reader, exports
        self.max_bytes, self.max_export_bytes = max_bytes, max_export_bytes

    async def given(self, user_id: str, given: "GivenWorkout") -> "tuple[WorkoutRow, bool]":
        """Keep what came as JSON; the workout, and whether it is new. Raises WorkoutRefused."""
        return await self._keeping.keep(user_id, await self._reader.given(given))

    async def file(self, user_id: str, upload: Upload) -> "tuple[WorkoutRow, bool] | ImportRequest":
        """Keep a workout's file, or keep an export until the job that was answered has imported it.

        Raises WorkoutRefused for a file that is none of both, PayloadTooLarge for an export.
        """
        file = upload.file
        if await asyncio.to_thread(_start, file) in ARCHIVES:
            export = await asyncio.to_thread(_hash, file)
            await self._exports.put(user_id, _pieces(file), export, max_bytes=self.max_export_bytes)
            return ImportRequest(user_id=user_id, export=export)
        if (upload.size or 0) > self.max_bytes:
            raise WorkoutRefused(f"more than {self.max_bytes // 1024**2} MiB", code="too_large")
        content = await asyncio.to_thread(file.read)
        workout = await self._reader.read(content, PurePath(upload.filename or "").stem)
        return await self._keeping.keep(user_id, workout)

    async def check(self, asked: ImportRequest, owner: str) -> None:
        """An import is of what its owner has uploaded; raises CallerError."""
        if not await self._exports.known(owner, asked.export):
            raise CallerError("there is no such export of this user's", code="not_found", pointer="/payload/export")

    async def behind(self, user_id: str) -> bool:
        """Whether figures of the user's would come out otherwise by now."""
        return await self._keeping.behind(user_id)

    async def current(self, row: "WorkoutRow") -> "WorkoutRow":
        """The workout with the figures that are right by now."""
        return await self._keeping.current(row)


def _start(file: BinaryIO) -> bytes:
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    return start


def _hash(file: BinaryIO) -> str:
    found = hashlib.sha256()
    while piece := file.read(PIECE):
        found.update(piece)
    file.seek(0)
    return found.hexdigest()


async def _pieces(file: BinaryIO) -> AsyncGenerator[bytes]:
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece
