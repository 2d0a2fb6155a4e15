"""Tables of a page that only shows them: lines whose parts stand below those of a line of names."""

from collections.abc import Iterable, Iterator

from providers.documents.sizes import Line

Span = tuple[float, float]
FEWEST_ROWS = 3
MOST_COLUMNS = 20
LONGEST_HEADER = 200
# Points between two left edges that are one.
NEAR = 3.0
# Lines of one part, of a cell that goes on or a title between rows, that may follow each other within a table.
ALONE = 2


def spans(parts: Iterable[Span], gap: float) -> tuple[Span, ...]:
    """(left, right) of each cell: parts that are less than `gap` from each other are one."""
    found: list[Span] = []
    for left, right in sorted(parts):
        if found and left - found[-1][1] < gap:
            found[-1] = (found[-1][0], max(right, found[-1][1]))
        else:
            found.append((left, right))
    return tuple(found)


def tables_of(lines: list[Line]) -> Iterator[tuple[int, int, str]]:
    """(start, end, header) of each table among the lines of one page."""
    at = 0
    while at < len(lines):
        end = _end(lines, at)
        if end:
            yield lines[at].offset, lines[end - 1].offset + len(lines[end - 1].text), lines[at].text
        at = end or at + 1


def _end(lines: list[Line], first: int) -> int:
    """Where the table ends whose header is this line; 0 where it is none."""
    header, end, rows, alone = lines[first], 0, list[Line](), 0
    if not _names_columns(header) or (first and _are_rows(lines[first - 1], header)):
        return 0
    for at in range(first + 1, len(lines)):
        line = lines[at]
        alone = alone + 1 if len(line.cells) < 2 else 0
        below = line.bottom < lines[at - 1].bottom
        if not below or alone > ALONE or not (alone or _is_row(line, header)):
            break
        if not alone:
            rows.append(line)
            end = at + 1
    figures = sum(any(map(str.isdigit, row.text)) for row in rows)
    # two columns of words are as likely names and what they stand for
    return end if len(rows) >= FEWEST_ROWS and (len(header.cells) > 2 or 2 * figures >= len(rows)) else 0


def _names_columns(line: Line) -> bool:
    return (
        2 <= len(line.cells) <= MOST_COLUMNS
        and len(line.text) <= LONGEST_HEADER
        and any(map(str.isalpha, line.text))
        and not any(map(str.isdigit, line.text))
    )


def _are_rows(one: Line, other: Line) -> bool:
    """Whether two lines are rows of one table, or of one list of names and what they stand for."""
    alike = len(one.cells) == len(other.cells) > 1 and abs(one.cells[0][0] - other.cells[0][0]) < NEAR
    return alike or _is_row(one, other)


def _is_row(line: Line, header: Line) -> bool:
    """Whether it has cells and each, but the name of the row, stands in a column of the header's."""

    def named(cell: Span) -> bool:
        return any(cell[0] < right and cell[1] > left for left, right in header.cells)

    if len(line.cells) < 2:
        return False
    name, *cells = line.cells
    return all(map(named, cells)) and (name[0] < header.cells[1][0] or named(name))
