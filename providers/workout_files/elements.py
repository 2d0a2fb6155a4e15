"""XML taken element by element, in constant memory: no document type, no entities, no tree."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from domain.samples import number
from domain.workout import ABSENT, Workout, WorkoutRefused

DEEPEST, LONGEST_TEXT, MOST_AT_ONCE = 64, 64 * 1024, 256 * 1024


class Elements(ABC):
    """One format. Names come without namespace; `path` holds the open elements, the root first."""

    def __init__(self) -> None:
        self.path: list[str] = []

    @abstractmethod
    def opened(self, name: str, attributes: dict[str, str]) -> None: ...

    @abstractmethod
    def closed(self, name: str, text: str) -> None:
        """`path` still ends with `name`; `text` is what stood in it since the last tag."""

    @abstractmethod
    def workout(self, content_hash: str, name: str) -> Workout:
        """After the end of the document."""


class _Target:
    """What expat is to call: finds the format by the root element and hands on to it."""

    def __init__(self, formats: Mapping[str, type[Elements]]) -> None:
        self._formats = formats
        self._text: list[str] = []
        self._length = 0
        self.found: Elements | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if self.found is None:
            if name not in self._formats:
                raise WorkoutRefused("an XML file, but neither GPX nor TCX", code="unknown_format")
            self.found = self._formats[name]()
        self.found.path.append(name)
        if len(self.found.path) > DEEPEST:
            raise WorkoutRefused(f"its elements are nested more than {DEEPEST} deep", code="unsafe_xml")
        self._forget()
        self.found.opened(name, attributes)

    def end(self, tag: str) -> None:
        if self.found is not None:
            self.found.closed(self.found.path[-1], "".join(self._text).strip())
            self.found.path.pop()
        self._forget()

    def data(self, text: str) -> None:
        self._length += len(text)
        if self._length > LONGEST_TEXT:
            raise WorkoutRefused("one of its values is too long to be one", code="unsafe_xml")
        self._text.append(text)

    def close(self) -> None: ...

    def _forget(self) -> None:
        self._text.clear()
        self._length = 0


def read(content: bytes, formats: Mapping[str, type[Elements]], content_hash: str, name: str) -> Workout:
    """Raises WorkoutRefused: `unsafe_xml`, `truncated_file`, `broken_file`, `unknown_format`, what a format finds."""
    target = _Target(formats)
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    try:
        for start in range(0, len(content), MOST_AT_ONCE):
            parser.feed(content[start : start + MOST_AT_ONCE])
        parser.close()
    except DefusedXmlException as error:
        raise WorkoutRefused("it declares a document type or entities", code="unsafe_xml") from error
    except ParseError as error:
        line, _ = error.position
        if line >= content.count(b"\n") + 1 and target.found is not None and target.found.path:
            raise WorkoutRefused("the XML ends in the middle", code="truncated_file") from error
        raise WorkoutRefused(f"the XML is broken in line {line}", code="broken_file") from error
    except (LookupError, ValueError) as error:
        # An encoding that nobody knows, or one that its bytes do not keep to.
        raise WorkoutRefused("its text encoding cannot be read", code="broken_file") from error
    if target.found is None:
        raise WorkoutRefused("an empty XML file", code="broken_file")
    return target.found.workout(content_hash, name)


def time_of(text: str) -> float:
    """POSIX seconds of an ISO 8601 time, taken for UTC where it names no zone; ABSENT if it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return ABSENT
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def degrees(latitude: object, longitude: object) -> tuple[float, float]:
    """Both, or ABSENT for both: half a position is none, and neither is one off the globe."""
    lat, lon = number(latitude), number(longitude)
    return (lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else (ABSENT, ABSENT)
