"""One file: found out by its content, unpacked with a limit, and handed to its format."""

import hashlib
import zlib
from collections.abc import Collection

from pydantic import ValidationError

from domain.running.given import GivenWorkout, workout_given
from domain.workout import Workout, WorkoutKnown, WorkoutRefused
from providers.workout_files import elements, fit
from providers.workout_files.gpx import Gpx
from providers.workout_files.tcx import Tcx

# Twice what an ultramarathon at one sample a second needs in the wordiest of the formats.
MOST_BYTES = 50 * 1024 * 1024

_XML = {"gpx": Gpx, "TrainingCenterDatabase": Tcx}
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def read_workout(content: bytes, name: str = "", known: Collection[str] = ()) -> Workout:
    """The workout in a FIT, GPX, TCX or JSON file, gzipped or not. `name` is a name for one that has none.

    Raises WorkoutRefused; WorkoutKnown for a file whose hash is `known`, before it is read."""
    if content[:2] == b"\x1f\x8b":
        content = _gunzipped(content)
    if len(content) > MOST_BYTES:
        raise WorkoutRefused(f"more than {MOST_BYTES // 2**20} MB", code="too_large")
    if not content.strip(b"\0 \t\r\n"):
        raise WorkoutRefused("an empty file", code="empty_file")
    content_hash = hashlib.sha256(content).hexdigest()
    if content_hash in known:
        raise WorkoutKnown(content_hash)
    if content[8:12] == b".FIT":
        return fit.read(content, content_hash, name)
    start = content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") or content.startswith(_MARKS[1:]):
        return elements.read(content.lstrip(b" \t\r\n"), _XML, content_hash, name)
    if start.startswith(b"{"):
        return _json(content, name)
    if start.startswith(b"PK\x03\x04"):
        raise WorkoutRefused("a zip archive where one workout was expected", code="unsafe_archive")
    raise WorkoutRefused("neither FIT nor GPX nor TCX nor JSON", code="unknown_format")


def _gunzipped(content: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = unpacker.decompress(content, MOST_BYTES + 1)
    except zlib.error as error:
        raise WorkoutRefused("its gzip is broken", code="broken_file") from error
    if len(unpacked) > MOST_BYTES:
        raise WorkoutRefused(f"it unpacks to more than {MOST_BYTES // 2**20} MB", code="too_large")
    if not unpacker.eof:
        raise WorkoutRefused("its gzip ends in the middle", code="truncated_file")
    if unpacked[:2] == b"\x1f\x8b":
        raise WorkoutRefused("a gzip inside a gzip", code="unsafe_archive")
    return unpacked


def _json(content: bytes, name: str) -> Workout:
    try:
        given = GivenWorkout.model_validate_json(content)
    except ValidationError as error:
        # Where, and what kind of wrong; never the value.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = "/".join(str(part) for part in first["loc"][:4])[:100]
        raise WorkoutRefused(f"JSON, but no workout: {place}: {first['type']}", code="unknown_format") from error
    return workout_given(given if given.name else given.model_copy(update={"name": name}))
