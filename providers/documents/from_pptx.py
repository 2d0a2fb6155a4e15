"""Slides into Markdown: each slide its title, its text from top to bottom, its tables, its speaker's notes."""

import io
from collections.abc import Iterator
from typing import Any

from pptx import Presentation

from providers.documents.draft import Draft


def read_pptx(data: bytes, draft: Draft) -> str | None:
    """Answers the title of the presentation's properties. Every slide is a page."""
    presentation: Any = Presentation(io.BytesIO(data))
    for slide in presentation.slides:
        draft.page()
        title = slide.shapes.title
        if title is not None and title.has_text_frame:
            draft.heading(2, title.text_frame.text)
        for shape in sorted(_shapes(slide.shapes), key=lambda shape: (shape.top or 0, shape.left or 0)):
            if title is None or shape.shape_id != title.shape_id:
                _read_shape(shape, draft)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            draft.block(f"Notes: {notes}" if notes else "")
    return presentation.core_properties.title or None


def _shapes(shapes: Any) -> Iterator[Any]:
    """The shapes with those of groups in their place; without recursion, for groups may nest."""
    stack = list(reversed(list(shapes)))
    while stack:
        shape = stack.pop()
        if hasattr(shape, "shapes"):
            stack.extend(reversed(list(shape.shapes)))
        else:
            yield shape


def _read_shape(shape: Any, draft: Draft) -> None:
    if getattr(shape, "has_table", False):
        draft.table([[cell.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        _read_chart(shape.chart, draft)
    elif shape.has_text_frame:
        lines = ((paragraph.level, paragraph.text) for paragraph in shape.text_frame.paragraphs)
        written = ["    " * (level - 1) + f"- {text}" if level else text for level, text in lines if text.strip()]
        draft.block("\n".join(written))


def _read_chart(chart: Any, draft: Draft) -> None:
    """The figures behind a chart as a table: a row a category, a column a series."""
    plots = list(chart.plots)
    if not plots:
        return
    series = list(plots[0].series)
    rows = [["", *(str(each.name) for each in series)]]
    for index, category in enumerate(plots[0].categories):
        values = (each.values[index] if index < len(each.values) else None for each in series)
        rows.append([str(category), *("" if value is None else f"{value:g}" for value in values)])
    draft.table(rows)
