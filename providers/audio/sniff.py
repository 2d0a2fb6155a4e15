"""What a file is by its first bytes, whatever it is called. The list is closed: nothing else is given to a decoder."""

from typing import BinaryIO

from domain.interviews.audio import AudioRefused, Container

HEAD_BYTES = 64
ID3_BYTES = 10
# a player skips what stands before the first frame, as some writers leave it behind a tag
PADDING_BYTES = 4096
READABLE = "a recording must be wav, mp3, m4a, ogg, webm, flac or the sound of an mp4"
OTHERS = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"PK\x03\x04", "an archive or office document"),
    (b"\xd0\xcf\x11\xe0", "an office document"),
)
PICTURES = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def container_of(file: BinaryIO) -> Container:
    """An mp4 may yet turn out to be an m4a. Leaves the file where it likes. Raises AudioRefused."""
    head = file.read(HEAD_BYTES)
    if not head:
        raise AudioRefused("the file is empty", code="empty_file")
    if head.startswith(b"ID3"):
        head = _after_tag(file, head)
        if not head.startswith(b"fLaC"):
            return "mp3"
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    for magic, container in _MAGICS:
        if head.startswith(magic):
            return container
    if head[4:8] in BOXES and head[8:12] not in PICTURES:
        return "mp4"
    if _is_mpeg_frame(head):
        return "mp3"
    raise AudioRefused(f"the file is {_named(head)}: {READABLE}", code="not_audio")


_MAGICS: tuple[tuple[bytes, Container], ...] = (
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"\x1a\x45\xdf\xa3", "webm"),
)


def tag_length(head: bytes) -> int:
    """Bytes of the ID3v2 tag at the start of a file, 0 without one: four times seven bits (id3.org, v2.4, 3.1)."""
    if not head.startswith(b"ID3") or len(head) < ID3_BYTES:
        return 0
    size = 0
    for byte in head[6:ID3_BYTES]:
        size = size << 7 | byte & 0x7F
    return ID3_BYTES + size


def _after_tag(file: BinaryIO, head: bytes) -> bytes:
    file.seek(tag_length(head))
    return file.read(PADDING_BYTES).lstrip(b"\0")[:HEAD_BYTES]


def _is_mpeg_frame(head: bytes) -> bool:
    """Whether an MPEG audio frame of layer III begins here (ISO 11172-3, 2.4.1.3)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, rate, frequency = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    return version != 1 and layer == 1 and rate not in (0, 15) and frequency != 3


def _named(head: bytes) -> str:
    for magic, name in OTHERS:
        if head.startswith(magic):
            return name
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "an image"
    try:
        text = head[: HEAD_BYTES - 4].decode()
    except UnicodeDecodeError:
        return "no recording"
    return "text" if text.isprintable() or any(one.isspace() for one in text) else "no recording"
