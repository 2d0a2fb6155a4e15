"""Zip-based documents: nothing is unpacked before its size is known to be bearable."""

import io
import zipfile
import zlib

from domain.documents import DocumentRefused, FileType
from providers.documents.limits import MIB, Limits

PIECE = 256 * 1024
MAX_ENTRIES = 20_000
RATIO_FROM = 16 * MIB
MAIN_PARTS: dict[str, FileType] = {
    "word/document.xml": "docx",
    "ppt/presentation.xml": "pptx",
    "xl/workbook.xml": "xlsx",
}
FOLDERS: dict[str, FileType] = {"word/": "docx", "ppt/": "pptx", "xl/": "xlsx"}
# A part of an Office document must not declare a document type (ECMA-376 part 2, 6.2.5): only entity bombs do.
DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def office_type(data: bytes, limits: Limits) -> FileType:
    """Which Office document a zip file is. Raises DocumentRefused: bomb, encrypted, corrupt, unsupported_type."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_declared(archive, len(data), limits)
            found = _kind(archive)
            _check_actual(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError, ValueError) as broken:
        raise DocumentRefused("corrupt", "the archive is damaged") from broken
    return found


def _check_declared(archive: zipfile.ZipFile, size: int, limits: Limits) -> None:
    entries = archive.infolist()
    expanded = sum(entry.file_size for entry in entries)
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise DocumentRefused("encrypted", "the archive is encrypted")
    too_tight = expanded > RATIO_FROM and expanded > limits.max_ratio * size
    if len(entries) > MAX_ENTRIES or expanded > limits.max_expanded or too_tight:
        raise DocumentRefused("bomb", f"{size:,} bytes would unpack to {expanded:,} in {len(entries):,} parts")


def _kind(archive: zipfile.ZipFile) -> FileType:
    names = set(archive.namelist())
    for name, file_type in MAIN_PARTS.items():
        if name in names:
            return file_type
    if "[Content_Types].xml" in names and "xl/workbook.bin" not in names:
        # The main part may be called otherwise, as some writers do; the reader follows the relations.
        for folder, file_type in FOLDERS.items():
            if any(name.startswith(folder) for name in names):
                return file_type
    raise DocumentRefused("unsupported_type", "a zip archive that is no docx, pptx or xlsx")


def _check_actual(archive: zipfile.ZipFile) -> None:
    """Unpack piece by piece: zipfile stops at the declared size, and finds by its sum that there was more."""
    for entry in archive.infolist():
        markup = entry.filename.endswith((".xml", ".rels", ".vml"))
        tail = b""
        with archive.open(entry) as part:
            while piece := part.read(PIECE):
                if markup and any(doctype in tail + piece for doctype in DOCTYPES):
                    raise DocumentRefused("bomb", "a part of the document declares entities")
                tail = piece[-32:]
