"""Bytes into text: byte order marks, UTF-8, then the likeliest of the old encodings."""

import codecs
import re

from charset_normalizer import from_bytes

from domain.documents import DocumentRefused, Note

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE = 64 * 1024
BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,30})""", re.IGNORECASE
)
# The encodings in which such files are really met.
USUAL = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "shift_jis", "euc_jp", "euc_kr", "gb18030", "big5"]
# Western European text has few accents, and no sign such as a superscript inside a word.
ACCENTED = 0.25
SIGN_IN_WORD = re.compile(r"[^\W\d_][\xa1-\xbf\xd7\xf7\u0081-\u009f](?=[^\W\d_])")


def decoded(data: bytes) -> tuple[str, Note | None]:
    """The text, with a note where bytes had to be replaced. Raises DocumentRefused where it is no text at all."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _lenient(data, encoding)
    encoding = _wide(data)
    if encoding is None and BINARY.search(data[:SAMPLE]) and _mostly_binary(data[:SAMPLE]):
        raise DocumentRefused("unsupported_type", "the file is neither text nor a document of a known type")
    try:
        return data.decode(encoding or "utf-8"), None
    except UnicodeDecodeError:
        return _lenient(data, encoding or _guess(data))


def _lenient(data: bytes, encoding: str) -> tuple[str, Note | None]:
    text = data.decode(encoding, errors="replace")
    if "\ufffd" not in text:
        return text, None
    return text, Note(code="text_repaired", message="some bytes were no characters and were replaced")


def _mostly_binary(sample: bytes) -> bool:
    """A stray control character does not make a text binary; a NUL or many of them do."""
    return b"\0" in sample or len(BINARY.findall(sample)) > len(sample) / 100


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Western text is NUL."""
    sample = data[:SAMPLE]
    if len(sample) < 4 or len(data) % 2:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) / 2
    if odd > 0.6 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.6 * half and odd < 0.05 * half else None


def _guess(data: bytes) -> str:
    """What the file declares of itself, else what its bytes look like, else Western European."""
    declared = DECLARED.search(data[:4096])
    if declared:
        try:
            encoding = codecs.lookup(declared[1].decode("ascii")).name
            data[:SAMPLE].decode(encoding)
        except (LookupError, UnicodeDecodeError):
            pass
        else:
            return encoding
    sample = data[:SAMPLE]
    western = sample.decode("cp1252", errors="replace")
    letters = [letter for letter in western if letter.isalpha()]
    if sum(letter > "\x7f" for letter in letters) <= ACCENTED * len(letters) and not SIGN_IN_WORD.search(western):
        return "cp1252"
    best = from_bytes(sample, cp_isolation=USUAL, threshold=0.3).best()
    return best.encoding if best else "cp1252"
