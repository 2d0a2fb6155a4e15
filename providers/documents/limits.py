"""How much a single document may cost."""

from domain.documents import DocumentRefused
from domain.model import Model

MIB = 1024 * 1024


class Limits(Model):
    """Caps for one document. `max_memory` is the address space of the process that reads it.

    `seconds` of wall-clock and processor time are for reading, and as many again for cutting: both together stay below
    a minute.

    `max_expanded` and `max_ratio` bound what a zip-based format unpacks to; a ratio counts from 16 MiB on.
    `tesseract` is the OCR program, None where pages without a text layer are not to be read.
    """

    max_bytes: int = 100 * MIB
    max_expanded: int = 400 * MIB
    max_ratio: int = 200
    max_pages: int = 10_000
    max_characters: int = 20_000_000
    max_memory: int = 1024 * MIB
    seconds: float = 28.0
    tesseract: str | None = None
    ocr_languages: str = "eng"

    def check_size(self, size: int) -> None:
        """Raises DocumentRefused `too_large` for a file of more bytes than allowed."""
        if size > self.max_bytes:
            raise DocumentRefused("too_large", f"more than {self.max_bytes / MIB:,.0f} MiB")
