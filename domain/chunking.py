"""Cut a document by its structure, then by tokens, so that every chunk is a slice of the text."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256

from semantic_text_splitter import MarkdownSplitter, TextSplitter

from domain.documents import Chunk, Heading, Parsed, Table

# Counted offline: the splitter carries the vocabulary (o200k) of this model with it.
TOKENS_OF = "gpt-4o"
ENCODED = re.compile(r"[!-~]{4096,}")
OPENING = re.compile(r"\W*")
PLAIN = ("txt", "pdf", "json")


def chunks_of(parsed: Parsed, chunk_size: int, overlap: int) -> list[Chunk]:
    """Chunks of at most `chunk_size` tokens in the order of the text; between them only whitespace is left out.

    Sections, paragraphs, table rows and sentences stay whole where they fit. Neighbours share up to `overlap` tokens.
    Raises ValueError unless 0 <= overlap < chunk_size.
    """
    if not 0 <= overlap < chunk_size:
        raise ValueError("overlap must be smaller than the chunk size, and neither negative")
    splitter = _splitter(parsed.file_type in PLAIN, chunk_size, overlap)
    seed = f"{parsed.content_hash}:{parsed.file_type}:{chunk_size}:{overlap}"
    places = Places(parsed)
    return [
        places.chunk(seed, before + start, text)
        for before, piece in _pieces(parsed.text, chunk_size)
        for start, text in splitter.chunk_indices(piece)
    ]


def _pieces(text: str, chunk_size: int) -> Iterator[tuple[int, str]]:
    """The text in one piece, but for encoded data: letters by the thousand that no blank parts.

    Nothing in them is worth finding a place to cut, and the splitter would look for it a hundred times as long.
    """
    done = 0
    for run in ENCODED.finditer(text):
        yield done, text[done : run.start()]
        yield from (
            (at, text[at : min(at + chunk_size, run.end())]) for at in range(run.start(), run.end(), chunk_size)
        )
        done = run.end()
    yield done, text[done:]


@lru_cache(maxsize=8)
def _splitter(plain: bool, chunk_size: int, overlap: int) -> TextSplitter | MarkdownSplitter:
    kind = TextSplitter if plain else MarkdownSplitter
    return kind.from_tiktoken_model(TOKENS_OF, chunk_size, overlap)


class Places:
    """Says where in a document an offset stands."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self._headings = [heading.offset for heading in parsed.headings]
        self._paths = list(_paths(parsed.headings))
        self._tables = [table.start for table in parsed.tables]

    def chunk(self, seed: str, start: int, text: str) -> Chunk:
        end = start + len(text)
        identity = sha256(f"{seed}:{start}:{end}:".encode() + text.encode()).hexdigest()[:32]
        table = self._table(start)
        return Chunk(
            id=identity,
            start=start,
            end=end,
            text=text,
            page=bisect_right(self._parsed.pages, start) or None,
            heading_path=self._path(start, end),
            table_header=table.header if table and start > table.start else None,
        )

    def _table(self, offset: int) -> Table | None:
        before = bisect_right(self._tables, offset)
        table = self._parsed.tables[before - 1] if before else None
        return table if table and offset < table.end else None

    def _path(self, start: int, end: int) -> tuple[str, ...]:
        """The headings over the first words of the chunk that are none; those it opens with are among them."""
        text = self._parsed.text
        until = bisect_left(self._headings, start)
        while until < len(self._headings):
            opening = OPENING.match(text, start, end)
            if self._headings[until] > (opening.end() if opening else start):
                break
            start = text.find("\n", self._headings[until], end)
            until += 1
            if start < 0:
                break
        return self._paths[until - 1] if until else ()


def _paths(headings: Iterable[Heading]) -> Iterator[tuple[str, ...]]:
    """For each heading its title after those it stands under."""
    above: list[Heading] = []
    for heading in headings:
        while above and above[-1].level >= heading.level:
            above.pop()
        above.append(heading)
        yield tuple(each.title for each in above)
