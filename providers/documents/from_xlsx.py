"""Sheets into Markdown: each sheet a heading, each block of rows between empty ones a table."""

import io
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook

from providers.documents.draft import Draft


def read_xlsx(data: bytes, draft: Draft) -> str | None:
    """Values as they were last computed. Every sheet is a page. Answers the title of the workbook's properties."""
    workbook: Any = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    for sheet in workbook.worksheets:
        draft.page()
        blocks = _blocks(sheet, draft.max_characters)
        for first, block in enumerate(blocks):
            if not first:
                draft.heading(2, sheet.title)
            draft.table(block)
    return workbook.properties.title or None


def _blocks(sheet: Any, most: int) -> Iterator[list[list[str]]]:
    """Rows that stand together; the dimensions that a sheet states of itself are not believed."""
    sheet.reset_dimensions()
    block: list[list[str]] = []
    read = 0
    for row in sheet.iter_rows(values_only=True):
        cells = [_shown(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        read += sum(map(len, cells)) + len(cells)
        if cells:
            block.append(cells)
        elif block:
            yield block
            block = []
        if read > most:
            break
    if block:
        yield block


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
