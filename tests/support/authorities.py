"""The certificates of the machine, read once a process.

Each client of httpx reads them anew, which takes 30 ms of CPU; the tests make thousands, to talk to this machine alone.
"""

import ssl
from functools import cache
from pathlib import Path

_read = ssl.create_default_context
_of_file = cache(lambda file: _read(cafile=file))


def _context(
    purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH,
    *,
    cafile: str | None = None,
    capath: str | None = None,
    cadata: str | bytes | None = None,
) -> ssl.SSLContext:
    if cafile and purpose is ssl.Purpose.SERVER_AUTH and not capath and not cadata:
        return _of_file(str(Path(cafile).resolve()))
    return _read(purpose, cafile=cafile, capath=capath, cadata=cadata)


def read_once() -> None:
    """From now on, what is believed by one file is one context."""
    ssl.create_default_context = _context
