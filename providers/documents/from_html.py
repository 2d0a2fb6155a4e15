"""HTML into Markdown: headings, paragraphs, lists, tables in their order; navigation, scripts, styles left out."""

from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from providers.documents.draft import Draft, one_line
from providers.documents.grid import Cell, rows_of

_UNSEEN = "script style noscript template svg nav iframe object canvas head datalist"
_BLOCK_TAGS = """address article aside blockquote body caption center dd details div dl dt fieldset figcaption figure
footer form h1 h2 h3 h4 h5 h6 header hr html legend li main ol p pre section summary table tbody td tfoot th thead
tr ul"""
UNSEEN = frozenset(_UNSEEN.split())
BLOCKS = frozenset(_BLOCK_TAGS.split())
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BREAK = "\v"
DEEPEST_LIST = 8


def read_html(text: str, draft: Draft) -> str | None:
    """Answers the page's title."""
    tree = LexborHTMLParser(text)
    title = tree.css_first("title")
    if tree.root is not None:
        _Page(draft).read(tree.root)
    return title.text() if title else None


@dataclass
class _List:
    ordered: bool
    items: int


class _Page:
    """Writes the words between two block tags as one block."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._words: list[str] = []
        self._lists: list[_List] = []
        self._mark = ""
        self._heading = 0
        self._in_list = False

    def read(self, root: LexborNode) -> None:
        walk = _Walk(root)
        for node, entering in walk:
            tag = node.tag or ""
            if tag in BLOCKS:
                self._flush()
            if not entering:
                self._leave(tag)
            elif tag == "-text":
                self._words.append(node.text_content or "")
            elif tag == "br":
                self._words.append(BREAK)
            elif tag == "pre":
                self._preformatted(_inline(node))
                walk.skip()
            elif tag == "table" and _is_data(node):
                self._table(node)
                walk.skip()
            else:
                self._enter(tag, node)
        self._flush()

    def _enter(self, tag: str, node: LexborNode) -> None:
        if tag in ("ul", "ol"):
            self._lists.append(_List(tag == "ol", _number(node, "start") - 1))
        elif tag == "li" and self._lists:
            current = self._lists[-1]
            current.items += 1
            indent = "    " * min(len(self._lists) - 1, DEEPEST_LIST)
            self._mark = indent + (f"{current.items}. " if current.ordered else "- ")
        self._heading = HEADINGS.get(tag, self._heading)

    def _leave(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            self._lists.pop()
        elif tag in HEADINGS:
            self._heading = 0

    def _flush(self) -> None:
        lines = [one_line(line) for line in "".join(self._words).split(BREAK)]
        text = "\n".join(line for line in lines if line)
        self._words = []
        if text and self._heading:
            self._draft.heading(self._heading, text)
            self._in_list = False
        elif text:
            self._draft.block(self._mark + text, gap="\n" if self._mark and self._in_list else "\n\n")
            self._in_list = bool(self._mark)
            self._mark = ""

    def _table(self, table: LexborNode) -> None:
        for caption in table.iter():
            if caption.tag == "caption":
                self._draft.block(one_line(_inline(caption)))
        self._draft.table(rows_of(_cells(table)))
        self._in_list = False

    def _preformatted(self, text: str) -> None:
        if text.strip():
            fence = "~~~~" if "```" in text else "```"
            self._draft.block("\n".join((fence, text.strip("\n"), fence)))
            self._in_list = False


class _Walk:
    """Depth first without recursion, for a page may nest as deep as it likes: each node when entered and left."""

    def __init__(self, root: LexborNode) -> None:
        self._stack = [(root, True)]
        self._inside: LexborNode | None = None

    def skip(self) -> None:
        """Do not go into the node just entered."""
        self._inside = None

    def __iter__(self) -> Iterator[tuple[LexborNode, bool]]:
        while self._stack:
            node, entering = self._stack.pop()
            if entering and (node.tag in UNSEEN or (node.is_element_node and "hidden" in node.attrs)):
                continue
            self._inside = node if entering and node.is_element_node else None
            yield node, entering
            if self._inside is not None:
                children = list(node.iter(include_text=True))
                self._stack.append((node, False))
                self._stack.extend((child, True) for child in reversed(children))


def _inline(node: LexborNode) -> str:
    words: list[str] = []
    for inner, entering in _Walk(node):
        if entering and inner.tag == "-text":
            words.append(inner.text_content or "")
        elif inner.tag == "br" or (inner.tag in BLOCKS and inner.tag != "pre"):
            words.append("\n")
    return "".join(words)


def _is_data(table: LexborNode) -> bool:
    """Tables that hold tables only lay the page out, unless they name their columns; so do those of one column."""
    if table.css_first("th"):
        return True
    return len(table.css("table")) == 1 and bool(table.css_first("td + td"))


def _cells(table: LexborNode) -> Iterator[Iterator[Cell]]:
    for row in table.css("tr"):
        if _table_of(row) == table:
            yield (
                Cell(_inline(cell), _number(cell, "colspan"), _number(cell, "rowspan"))
                for cell in row.iter()
                if cell.tag in ("td", "th")
            )


def _table_of(row: LexborNode) -> LexborNode | None:
    above = row.parent
    while above is not None and above.tag != "table":
        above = above.parent
    return above


def _number(node: LexborNode, name: str) -> int:
    value = (node.attrs.get(name) or "").strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 9 else 1
