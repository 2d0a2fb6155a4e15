"""What goes through the pipe to a reading process and back: a frame, a head in JSON, a body.

No pickles: what a hostile document might make of that process must not be able to run in the one that asked.
"""

import json
from typing import Any

FRAME = 12


def opened(head: dict[str, Any], body: bytes) -> bytes:
    """The frame and the head: the lengths of head (4 bytes) and body (8), big-endian, then the head."""
    written = json.dumps(head).encode()
    return len(written).to_bytes(4, "big") + len(body).to_bytes(8, "big") + written


def lengths(frame: bytes) -> tuple[int, int]:
    """Of head and body, in bytes."""
    return int.from_bytes(frame[:4], "big"), int.from_bytes(frame[4:FRAME], "big")
