"""Tables with merged cells as plain rows: what spans several places is said at each of them."""

from collections.abc import Iterable
from typing import NamedTuple

MAX_SPAN = 200


class Cell(NamedTuple):
    """A cell as HTML and Office write it."""

    text: str
    columns: int = 1
    rows: int = 1


def rows_of(table: Iterable[Iterable[Cell]]) -> list[list[str]]:
    """The table without spans. Spans of absurd size are cut."""
    rows: list[list[str]] = []
    hanging: dict[int, tuple[str, int]] = {}
    for cells in table:
        row: list[str] = []
        for cell in cells:
            _hang(row, hanging)
            for _ in range(min(max(cell.columns, 1), MAX_SPAN)):
                if cell.rows > 1:
                    hanging[len(row)] = (cell.text, min(cell.rows, MAX_SPAN))
                row.append(cell.text)
        _hang(row, hanging)
        hanging = {column: (text, left - 1) for column, (text, left) in hanging.items() if left > 1}
        rows.append(row)
    return rows


def _hang(row: list[str], hanging: dict[int, tuple[str, int]]) -> None:
    """Continue the cells of earlier rows that reach down to where `row` has come."""
    while len(row) in hanging:
        row.append(hanging[len(row)][0])
