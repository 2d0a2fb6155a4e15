"""Word documents into Markdown: headings with their numbers, lists, whole tables, footnotes, text boxes, in order."""

import io
from collections.abc import Iterator
from typing import Any

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE

from providers.documents.draft import Draft, one_line
from providers.documents.grid import Cell, rows_of
from providers.documents.numbering import Numbering, W

# Read through: what stands inside belongs to the text around it.
WRAPPERS = {f"{W}{name}" for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag")}
# Deleted text, and the second writing of what `Choice` has said already.
UNSEEN = {f"{W}del", f"{W}moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"}
SPOKEN = {f"{W}tab": " ", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
PARAGRAPH, TABLE, ROW, CELL = f"{W}p", f"{W}tbl", f"{W}tr", f"{W}tc"
TITLE_STYLES = {"title": 1, "subtitle": 2}
NOTES = (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)


def read_docx(data: bytes, draft: Draft) -> str | None:
    """Answers the title of the document's properties. Headers and footers of pages are left out."""
    document = Document(io.BytesIO(data))
    word = _Word(document, draft)
    word.read(document.element.body)
    for kind in NOTES:
        for part in _related(document, kind):
            word.read_notes(part)
    return document.core_properties.title or None


def _related(document: Any, kind: str) -> Iterator[Any]:
    """The root elements of the parts that the document names as `kind`."""
    from docx.oxml.parser import parse_xml

    for relation in document.part.rels.values():
        if relation.reltype == kind and not relation.is_external:
            yield parse_xml(relation.target_part.blob)


class _Word:
    def __init__(self, document: Any, draft: Draft) -> None:
        self._draft = draft
        numbering = next(_related(document, RELATIONSHIP_TYPE.NUMBERING), None)
        self._numbering = Numbering(numbering)
        self._styles = {style.get(f"{W}styleId"): style for style in document.styles.element.iter(f"{W}style")}
        self._in_list = False

    def read(self, body: Any) -> None:
        for element in _through(body):
            if element.tag == PARAGRAPH:
                self._paragraph(element)
            elif element.tag == TABLE:
                self._table(element)

    def read_notes(self, root: Any) -> None:
        for note in root:
            text = "\n".join(filter(None, (_text(paragraph).strip() for paragraph in note.iter(PARAGRAPH))))
            if note.get(f"{W}type") is None and text:
                self._draft.block(f"[^{note.get(f'{W}id')}]: {text}")

    def _paragraph(self, paragraph: Any) -> None:
        text, level = _text(paragraph).strip(), self._heading_level(paragraph)
        number, depth = self._list_of(paragraph)
        mark = self._numbering.mark(number, depth) if number and text else None
        if level and text:
            self._draft.heading(level, f"{mark} {text}" if mark and mark != "-" else text)
        elif mark:
            self._draft.block("    " * depth + f"{mark} {text}", gap="\n" if self._in_list else "\n\n")
        else:
            self._draft.block(text)
        if text:
            self._in_list = bool(mark and not level)
        for box in paragraph.iter(f"{W}txbxContent"):
            if not any(above.tag in UNSEEN for above in box.iterancestors()):
                self.read(box)

    def _table(self, table: Any) -> None:
        rows = [_cells(row) for row in _through(table) if row.tag == ROW]
        self._draft.table(rows_of(_continued(rows)))
        self._in_list = False

    def _heading_level(self, paragraph: Any) -> int:
        """1 to 6, 0 for ordinary text: by the outline level, the paragraph's own or its style's, else by its name."""
        outline = self._property(paragraph, "outlineLvl")
        if outline is not None:
            level = outline.get(f"{W}val", "9")
            return int(level) + 1 if level in ("0", "1", "2", "3", "4", "5") else 0
        names = [name for style in self._style_chain(paragraph) if (name := _child_value(style, "name"))]
        return next((_level_named(name.lower()) for name in names if _level_named(name.lower())), 0)

    def _list_of(self, paragraph: Any) -> tuple[str | None, int]:
        """(list, depth from 0) of a numbered or bulleted paragraph, its own or its style's."""
        found = self._property(paragraph, "numPr")
        if found is None:
            return None, 0
        number, depth = _child_value(found, "numId"), _child_value(found, "ilvl")
        if number is None:
            styled = (style.find(f"{W}pPr/{W}numPr/{W}numId") for style in self._style_chain(paragraph))
            number = next((each.get(f"{W}val") for each in styled if each is not None), None)
        if number in (None, "0"):
            return None, 0
        return number, int(depth) if depth and depth.isdecimal() and len(depth) == 1 else 0

    def _property(self, paragraph: Any, name: str) -> Any | None:
        for holder in (paragraph, *self._style_chain(paragraph)):
            found = holder.find(f"{W}pPr/{W}{name}")
            if found is not None:
                return found
        return None

    def _style_chain(self, paragraph: Any) -> list[Any]:
        """The paragraph's style and those it is based on."""
        chain: list[Any] = []
        named = paragraph.find(f"{W}pPr/{W}pStyle")
        style = None if named is None else self._styles.get(named.get(f"{W}val"))
        while style is not None and style not in chain:
            chain.append(style)
            style = self._styles.get(_child_value(style, "basedOn"))
        return chain


def _level_named(name: str) -> int:
    if name.startswith("heading ") and name[8:9] in "123456789":
        return min(int(name[8]), 6)
    return TITLE_STYLES.get(name, 0)


def _child_value(element: Any, name: str) -> str | None:
    child = element.find(f"{W}{name}")
    return None if child is None else child.get(f"{W}val")


def _through(parent: Any) -> Iterator[Any]:
    """The children, with those of content controls and tracked insertions in their place."""
    stack = list(reversed(parent))
    while stack:
        element = stack.pop()
        if element.tag in WRAPPERS:
            stack.extend(reversed(element))
        elif element.tag not in UNSEEN:
            yield element


def _text(paragraph: Any) -> str:
    """The words of a paragraph as they are after all tracked changes, without those of text boxes anchored in it."""
    words: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if element.tag == f"{W}t":
            words.append(element.text or "")
        elif element.tag in SPOKEN:
            words.append(SPOKEN[element.tag])
        elif element.tag in (f"{W}footnoteReference", f"{W}endnoteReference"):
            words.append(f"[^{element.get(f'{W}id')}]")
        elif element.tag not in UNSEEN and element.tag not in (f"{W}txbxContent", f"{W}pPr", f"{W}rPr"):
            stack.extend(reversed(element))
    return "".join(words)


def _cells(row: Any) -> list[tuple[Cell, bool]]:
    """The cells of a row; True for one that continues the cell above it."""
    late = row.find(f"{W}trPr/{W}gridBefore")
    cells = [(Cell("", _span(late)), False)] if late is not None else []
    for cell in _through(row):
        if cell.tag == CELL:
            paragraphs = (one_line(_text(paragraph)) for paragraph in cell.iter(PARAGRAPH))
            merge = cell.find(f"{W}tcPr/{W}vMerge")
            continues = merge is not None and merge.get(f"{W}val", "continue") == "continue"
            cells.append(
                (Cell(" ".join(filter(None, paragraphs)), _span(cell.find(f"{W}tcPr/{W}gridSpan"))), continues)
            )
    return cells


def _continued(rows: list[list[tuple[Cell, bool]]]) -> Iterator[list[Cell]]:
    """The rows with each merged cell's text said again in every row it reaches."""
    above: dict[int, str] = {}
    for row in rows:
        cells: list[Cell] = []
        column, texts = 0, dict[int, str]()
        for cell, continues in row:
            text = above.get(column, "") if continues else cell.text
            cells.append(Cell(text, cell.columns))
            texts[column] = text
            column += cell.columns
        above = texts
        yield cells


def _span(element: Any | None) -> int:
    value = "" if element is None else element.get(f"{W}val", "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 5 else 1
