"""Recordings in a bucket of Supabase Storage (REST as of supabase/storage, July 2026)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

from domain.errors import JobError, VendorError
from domain.interviews.audio import AudioTooLarge
from providers.supabase import WHO, Supabase

OBJECT = "/storage/v1/object"
PIECE = 256 * 1024
# Longer than the longest recording takes to be transcribed.
LINK_SECONDS = 6 * 3600
GONE, TOO_LARGE = "http_404", "http_413"


class SupabaseAudio:
    """Fits domain.interviews.audio.AudioStore. Keys lie in `bucket`; without one they are `bucket/path` of the
    product's own objects. `links`: vendors can reach the project. Of a fetched object at most `max_bytes` are read."""

    def __init__(
        self, supabase: Supabase, bucket: str | None, *, links: bool = True, max_bytes: int | None = None
    ) -> None:
        self._supabase, self._bucket = supabase, bucket
        self._links, self._max_bytes = links, max_bytes

    async def put(self, key: str, file: Path, content_type: str = "application/octet-stream") -> None:
        """Raises AudioTooLarge where the store takes no file of that size."""
        size = (await asyncio.to_thread(file.stat)).st_size
        headers = {"x-upsert": "true", "content-type": content_type, "content-length": str(size)}
        try:
            async with self._supabase.stream("POST", self._at(key), content=_read(file), headers=headers) as answer:
                await answer.aread()
        except VendorError as error:
            if error.code == TOO_LARGE:
                raise AudioTooLarge(f"{WHO} keeps no file of that size") from error
            raise

    async def fetch(self, key: str, path: Path) -> None:
        file = await asyncio.to_thread(path.open, "wb")
        with file:
            read = 0
            async for piece in self._body(key, {}):
                read += len(piece)
                if self._max_bytes is not None and read > self._max_bytes:
                    raise AudioTooLarge("the recording is larger than may be")
                await asyncio.to_thread(file.write, piece)

    async def pieces(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        at, headers = start, {"range": f"bytes={start}-{end - 1}"}
        if start >= end:
            return
        async for piece in self._body(key, headers):
            yield piece[: end - at]
            at += len(piece)
            if at >= end:
                return

    async def link(self, key: str) -> str | None:
        if not self._links:
            return None
        place = self._at(key).removeprefix(OBJECT)
        try:
            answer = await self._supabase.ask("POST", f"{OBJECT}/sign{place}", json={"expiresIn": LINK_SECONDS})
        except VendorError as error:
            raise _gone(error) from error
        signed = answer.get("signedURL") if isinstance(answer, dict) else None
        if not isinstance(signed, str) or not signed.startswith("/"):
            raise VendorError(f"{WHO} sent a broken answer", code="bad_response")
        return f"{self._supabase.url}/storage/v1{signed}"

    async def delete(self, key: str) -> None:
        try:
            await self._supabase.ask("DELETE", self._at(key))
        except VendorError as error:
            if error.code != GONE:
                raise

    async def _body(self, key: str, headers: dict[str, str]) -> AsyncIterator[bytes]:
        try:
            async with self._supabase.stream("GET", self._at(key), headers=headers) as answer:
                if headers and answer.status_code != 206:
                    raise VendorError(f"{WHO} sent another part of a file than was asked for", code="bad_response")
                async for piece in answer.aiter_raw(PIECE):
                    yield piece
        except VendorError as error:
            raise _gone(error) from error

    def _at(self, key: str) -> str:
        # the HTTP client takes such segments out, and the service key opens what stands beside the objects too
        if any(part in ("", ".", "..") for part in key.split("/")):
            raise JobError("that is no object's path", code="file_gone")
        return f"{OBJECT}/{quote(f'{self._bucket}/{key}' if self._bucket else key)}"


async def _read(file: Path) -> AsyncIterator[bytes]:
    opened = await asyncio.to_thread(file.open, "rb")
    with opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece


def _gone(error: VendorError) -> VendorError | JobError:
    return JobError("the recording is no longer there", code="file_gone") if error.code == GONE else error
