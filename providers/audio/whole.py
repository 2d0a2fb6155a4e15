"""Whether a recording is there to its end, by what its container says of its own length.

Containers whose writer could not go back at the end say nothing: such a file is as long as it is.
"""

import os
from collections.abc import Callable
from typing import BinaryIO

from domain.interviews.audio import Container
from providers.audio.sniff import tag_length

UNKNOWN = 0xFFFFFFFF
# an ogg page has at most 27 + 255 bytes of head and 255 x 255 of content
OGG_PAGE = 65_307


def cut_short(file: BinaryIO, container: Container) -> bool:
    """Whether the end of the recording is missing. A flac says so only by what is decoded of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    check = _CHECKS.get(container)
    return check is not None and check(file, size)


def _wav(file: BinaryIO, size: int) -> bool:
    """RIFF: chunks of 8 bytes of name and length, then their content, then one byte where that is odd."""
    if file.read(12)[:4] != b"RIFF":
        return False
    while len(head := file.read(8)) == 8:
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"data":
            return length != UNKNOWN and file.tell() + length > size
        file.seek(length + length % 2, os.SEEK_CUR)
    return True


def _mp3(file: BinaryIO, size: int) -> bool:
    """The first frame of files of changing rate holds how many bytes the others have ("Xing", or "Info")."""
    start = tag_length(file.read(10))
    file.seek(start)
    frame = file.read(512)
    for name in (b"Xing", b"Info"):
        at = frame.find(name)
        if at < 0:
            continue
        flags, at = int.from_bytes(frame[at + 4 : at + 8], "big"), at + 8
        if flags & 2:
            at += 4 * (flags & 1)
            return start + int.from_bytes(frame[at : at + 4], "big") > size
    return False


def _mp4(file: BinaryIO, size: int) -> bool:
    """Boxes of 4 bytes of length and 4 of name; 1 is a length of 8 bytes behind the name, 0 is to the end."""
    indexed, at = False, 0
    while at < size:
        file.seek(at)
        head = file.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        indexed = indexed or name == b"moov"
        if length == 0:
            return not indexed
        if length < 8 or at + length > size:
            # some writers leave a few bytes behind the last box
            return not indexed or length >= 8
        at += length
    return not indexed


def _webm(file: BinaryIO, size: int) -> bool:
    """EBML: an id, a length (RFC 8794, 4), and in the segment all there is. All ones is a length nobody knew."""
    file.seek(4)
    file.seek(_ebml_length(file) or 0, os.SEEK_CUR)
    if file.read(4) != b"\x18\x53\x80\x67":
        return False
    length = _ebml_length(file)
    return length is not None and file.tell() + length > size


def _ebml_length(file: BinaryIO) -> int | None:
    first = file.read(1)[0]
    more = 8 - first.bit_length()
    length = int.from_bytes(bytes([first & (0x7F >> more)]) + file.read(more), "big")
    return None if length == (1 << 7 * (more + 1)) - 1 else length


def _ogg(file: BinaryIO, size: int) -> bool:
    """The last page says how long its pieces are (RFC 3533, 6)."""
    file.seek(max(0, size - 2 * OGG_PAGE))
    tail = file.read()
    page = tail[tail.rfind(b"OggS") :]
    return len(page) < 27 or 27 + page[26] + sum(page[27 : 27 + page[26]]) > len(page)


_CHECKS: dict[Container, Callable[[BinaryIO, int], bool]] = {
    "wav": _wav,
    "mp3": _mp3,
    "mp4": _mp4,
    "m4a": _mp4,
    "webm": _webm,
    "ogg": _ogg,
}
