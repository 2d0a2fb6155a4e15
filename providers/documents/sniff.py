"""What a file is, told by its bytes. The name decides only between kinds of plain text that the bytes leave open."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator

from domain.documents import DocumentRefused, FileType, Note
from providers.documents.archives import office_type
from providers.documents.limits import Limits

EXTENSIONS: dict[str, FileType] = {
    "pdf": "pdf", "docx": "docx", "docm": "docx", "pptx": "pptx", "pptm": "pptx", "xlsx": "xlsx", "xlsm": "xlsx",
    "html": "html", "htm": "html", "xhtml": "html", "md": "md", "markdown": "md", "txt": "txt", "text": "txt",
    "log": "txt", "csv": "csv", "tsv": "csv", "json": "json", "eml": "eml",
}  # fmt: skip
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
ZIP = b"PK\x03\x04"
HTML = re.compile(r"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
PROLOGUE = re.compile(r"\s+|<!--.*?-->|<\?xml.*?\?>", re.DOTALL)
TAGS = re.compile(r"</(?:p|div|span|table|ul|ol|h[1-6]|body|a)>", re.IGNORECASE)
HEADER = re.compile(r"^([A-Za-z][A-Za-z0-9-]*):[ \t]?.*(?:\n[ \t].+)*\n?", re.MULTILINE)
MAIL_HEADERS = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "received",
    "return-path",
    "mime-version",
    "delivered-to",
}
MARKDOWN = re.compile(
    r"^(?:#{1,6} \S|```|~~~|\|(?: *:?-+:? *\|)+ *$)|\[[^\]\n]{1,200}\]\(\S|\*\*\S[^*\n]{0,200}\*\*", re.MULTILINE
)
DELIMITERS = ",;\t|"
SAMPLE_LINES = 60
HEAD = 64 * 1024


def binary_type(data: bytes, limits: Limits) -> FileType | None:
    """The type of a document that is no plain text, or None. Raises DocumentRefused."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:5] == b"%PDF-":
        return "pdf"
    if data.startswith(ZIP):
        return office_type(data, limits)
    if data.startswith(OLE):
        if ENCRYPTED_PACKAGE in data:
            raise DocumentRefused("encrypted", "the document is protected by a password")
        raise DocumentRefused("unsupported_type", "an Office document of before 2007, or a message of Outlook's")
    if data.startswith((rb"{\rtf", b"%!PS")):
        raise DocumentRefused("unsupported_type", "the type of the document is known but not read")
    return "pdf" if b"%PDF-" in data[:1024] and b"\0" in data[:HEAD] else None


def text_type(text: str, filename: str) -> FileType:
    """The kind of a plain text."""
    named = EXTENSIONS.get(extension(filename))
    if is_html(text[:HEAD]) or (named == "html" and TAGS.search(text)):
        return "html"
    if is_mail(text[:HEAD]):
        return "eml"
    if is_json(text):
        return "json"
    if named in ("md", "txt"):
        return named
    if named == "csv" or any(_is_table(widths) for widths in widths_by_delimiter(text).values()):
        return "csv"
    return "md" if MARKDOWN.search(text[:HEAD]) else "txt"


def extension(filename: str) -> str:
    return filename.rpartition(".")[2].lower() if "." in filename else ""


def misnamed(filename: str, file_type: FileType) -> Note | None:
    """A note where the name promises another type."""
    named = EXTENSIONS.get(extension(filename))
    if named is None or named == file_type:
        return None
    return Note(code="wrong_extension", message=f"named as {named}, but its content is {file_type}")


def is_html(text: str) -> bool:
    """A page by its first tag; what may stand before that is skipped."""
    position = 0
    while match := PROLOGUE.match(text, position):
        position = match.end()
    return bool(HTML.match(text, position))


def is_mail(text: str) -> bool:
    """Headers from the first line on, with at least three that only messages have together."""
    names: set[str] = set()
    position = 0
    while match := HEADER.match(text, position):
        names.add(match[1].lower())
        position = match.end()
    return len(names & MAIL_HEADERS) >= 3 and (position >= len(text) or text[position] in "\r\n")


def is_json(text: str) -> bool:
    """An object or a list; numbers and words alone are text. Raises DocumentRefused where it is nested too deeply."""
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("{}", "[]"):
        return False
    try:
        json.loads(stripped, parse_int=float)
    except RecursionError as deep:
        raise DocumentRefused("bomb", "nested too deeply") from deep
    except ValueError:
        return False
    return True


def widths_by_delimiter(text: str) -> dict[str, list[int]]:
    """For each delimiter the number of columns of each of the first rows."""
    lines = text[:HEAD].splitlines()[: SAMPLE_LINES + 1]
    if len(text) > HEAD or len(lines) > SAMPLE_LINES:
        lines = lines[:-1]
    return {delimiter: widths for delimiter in DELIMITERS if (widths := list(_widths(lines, delimiter)))}


def _is_table(widths: list[int]) -> bool:
    return len(widths) > 2 and len(set(widths)) == 1 and widths[0] > 2


def _widths(lines: list[str], delimiter: str) -> Iterator[int]:
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            if row:
                yield len(row)
    except csv.Error:
        return


def delimiter_of(text: str) -> str:
    """The delimiter by which most rows have the same number of columns, and most columns; a comma where none does."""

    def fit(delimiter: str) -> tuple[float, int]:
        width, times = Counter(found[delimiter]).most_common(1)[0]
        return (times / len(found[delimiter]) if width > 1 else 0.0, width)

    found = widths_by_delimiter(text)
    return max(found, key=fit, default=",")
