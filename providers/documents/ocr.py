"""Pages that are images, read by the `tesseract` program where it is installed."""

import subprocess
import time
from typing import Any, Self

from providers.documents.draft import cleaned
from providers.documents.limits import Limits

DOTS_PER_INCH = 300
POINTS_PER_INCH = 72
MAX_PIXELS = 30_000_000
# The part of a document's time that recognition may take; the rest is for what is done with its text.
SHARE = 0.8
NOT_INSTALLED = "character recognition (tesseract) is not installed"


class Reading:
    """Reads pages for as long as the document's time allows."""

    def __init__(self, program: str | None, languages: str, until: float) -> None:
        """`until` is on the monotonic clock."""
        self._program = program
        self._languages = languages
        self._until = until
        self.why_not = "recognition found no text in them" if program else NOT_INSTALLED

    @classmethod
    def of(cls, limits: Limits) -> Self:
        return cls(limits.tesseract, limits.ocr_languages, time.monotonic() + SHARE * limits.seconds)

    def text_of(self, page: Any) -> str:
        """The text of an opened PDF page; empty where there is none, no program, or no time left."""
        left = self._until - time.monotonic()
        if self._program is None or left <= 0:
            return ""
        try:
            done = subprocess.run(  # noqa: S603 - the operator's program, and no argument comes from a document
                [self._program, "stdin", "stdout", "-l", self._languages],
                input=_image(page),
                capture_output=True,
                timeout=left,
                check=True,
                env={"OMP_THREAD_LIMIT": "1"},
            )
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError, OSError):
            self.why_not = "recognition of them failed or took too long"
            return ""
        return cleaned(done.stdout.decode("utf-8", errors="replace")).strip()


def _image(page: Any) -> bytes:
    """The page in grey as a portable graymap."""
    width, height = page.get_size()
    scale = min(DOTS_PER_INCH / POINTS_PER_INCH, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True)
    pixels, stride = bytes(bitmap.buffer), bitmap.stride
    rows = (pixels[row * stride : row * stride + bitmap.width] for row in range(bitmap.height))
    return f"P5 {bitmap.width} {bitmap.height} 255\n".encode() + b"".join(rows)
