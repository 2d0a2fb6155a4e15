"""The numbers of Word's lists and headings, which are not in the text but counted by the reader (ECMA-376, 17.9)."""

from typing import Any, NamedTuple

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
         (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
LEVELS = 9


class Level(NamedTuple):
    """How a level of a list is numbered: `pattern` such as "%1.%2." names the levels whose numbers it shows."""

    start: int = 1
    style: str = "bullet"
    pattern: str = ""


class Numbering:
    """Counts as Word does: a level goes on until a higher one counts; instances of one list count together."""

    def __init__(self, part: Any | None) -> None:
        """`part` is the root of numbering.xml, None where the document has no lists."""
        self._levels: dict[str, dict[int, Level]] = {}
        self._lists: dict[str, str] = {}
        self._restarts: dict[str, dict[int, int]] = {}
        self._counts: dict[str, list[int | None]] = {}
        if part is None:
            return
        for abstract in part.iter(f"{W}abstractNum"):
            self._levels[abstract.get(f"{W}abstractNumId", "")] = dict(map(_level, abstract.iter(f"{W}lvl")))
        for instance in part.iter(f"{W}num"):
            number = instance.get(f"{W}numId", "")
            self._lists[number] = _value(instance, "abstractNumId") or ""
            self._restarts[number] = {
                _whole(override.get(f"{W}ilvl"), 0): _whole(start, 1)
                for override in instance.iter(f"{W}lvlOverride")
                if (start := _value(override, "startOverride")) is not None
            }

    def mark(self, number: str, depth: int) -> str | None:
        """Count the next paragraph of list `number` at `depth` from 0: "-", its number, or None."""
        levels = self._levels.get(self._lists.get(number, ""))
        if levels is None or not 0 <= depth < LEVELS:
            return None
        level = levels.get(depth, Level())
        counts = self._counts.setdefault(self._lists[number], [None] * LEVELS)
        restart = self._restarts.get(number, {}).pop(depth, None)
        before = counts[depth]
        counts[depth] = restart if restart is not None else level.start if before is None else before + 1
        counts[depth + 1 :] = [None] * (LEVELS - depth - 1)
        if level.style in ("bullet", "none"):
            return "-" if level.style == "bullet" else None
        shown = level.pattern
        for above in range(depth + 1):
            counted = counts[above] if counts[above] is not None else levels.get(above, Level()).start
            shown = shown.replace(f"%{above + 1}", _written(counted or 0, levels.get(above, Level()).style))
        return shown.strip() or None


def _level(element: Any) -> tuple[int, Level]:
    return _whole(element.get(f"{W}ilvl"), 0), Level(
        _whole(_value(element, "start"), 1), _value(element, "numFmt") or "decimal", _value(element, "lvlText") or ""
    )


def _value(element: Any, name: str) -> str | None:
    child = element.find(f"{W}{name}")
    return None if child is None else child.get(f"{W}val")


def _whole(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isascii() and value.isdecimal() and len(value) < 7 else otherwise


def _written(count: int, style: str) -> str:
    if style in ("lowerRoman", "upperRoman") and 0 < count < 5000:
        shown = _roman(count)
    elif style in ("lowerLetter", "upperLetter") and count > 0:
        shown = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
    else:
        return str(count)
    return shown.upper() if style.startswith("upper") else shown


def _roman(count: int) -> str:
    shown = ""
    for value, letters in ROMAN:
        shown += letters * (count // value)
        count %= value
    return shown
