"""How well chunks are found: recall and precision of the first five on questions whose answers are marked in the text.

The real reader cuts the text into chunks of the default size, the real ledger indexes them and answers. Recall is the
share of the marked characters that the five chunks hold, precision the share of the chunks' characters that are marked
(Smith and Troynikov 2024); the questions and their text are described in chunk_eval/SOURCES.md.
"""

import csv
import json
import tempfile
from pathlib import Path
from uuid import uuid4

from domain.chunking import chunks_of
from ledger.blobs import spooling
from ledger.database import Database
from ledger.documents import Cut, Documents, Given
from ledger.jobs import Jobs
from ledger.migrate import migrate
from ledger.rows import NewJob
from ledger.search import Search
from ledger.vectors import Vectors
from local import postgres
from providers import minilm
from providers.documents.limits import Limits
from providers.documents.reading import read
from settings import Settings

FOLDER = Path(__file__).with_name("chunk_eval")
TEXT, FIRST, OWNER = "state_of_the_union.md", 5, "quality"
BARS = {"words": 0.90, "hybrid": 0.95}


async def measure() -> dict[str, tuple[float, float]]:
    """(recall, precision) by words, and by both where the local model is installed."""
    made = cut()
    with tempfile.TemporaryDirectory(prefix="longrun-quality-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's user must enter
        with postgres.serve(Path(folder) / "postgres", fsync=False) as url:
            await migrate(url, "longrun")
            database = Database(url)
            try:
                return await measured(database, made)
            finally:
                await database.close()


def cut() -> Cut:
    """The text as the product cuts it."""
    settings = Settings()
    parsed = read((FOLDER / TEXT).read_bytes(), TEXT, Limits())
    chunks = chunks_of(parsed, settings.chunk_tokens, settings.chunk_overlap)
    return Cut(parsed, chunks, settings.chunk_tokens, settings.chunk_overlap)


async def measured(database: Database, made: Cut, *, hybrid: bool = True) -> dict[str, tuple[float, float]]:
    """As `measure`, in a ledger that is there; without `hybrid` by words alone."""
    documents, vectors, job_id = Documents(database), Vectors(database), uuid4()
    await Jobs(database).open([NewJob(job_id, "quality", {}, (), "")])
    with spooling(10**7) as spool:
        [document] = await documents.give(OWNER, [Given(TEXT, TEXT, spool)])
    await documents.index(document, job_id, made)
    found = {"words": await _asked(Search(database, vectors))}
    if hybrid and minilm.installed() and await vectors.enable():
        model = minilm.MiniLM()
        texts = {chunk.digest: chunk.indexed_text for chunk in made.chunks}
        meant = dict(zip(texts, await model.embed(list(texts.values())), strict=True))
        await vectors.put(document.key, model.model, meant)
        found["hybrid"] = await _asked(Search(database, vectors, model))
    return found


async def _asked(search: Search) -> tuple[float, float]:
    """Recall and precision, each the mean over all questions."""
    recall, precision, count = 0.0, 0.0, 0
    with (FOLDER / "questions.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            marked = {at for one in json.loads(row["references"]) for at in range(one["start_index"], one["end_index"])}
            best = (await search.search(OWNER, row["question"], limit=FIRST)).chunks
            shown = [at for one in best for at in range(one.start, one.end)]
            recall += len(marked.intersection(shown)) / len(marked)
            precision += len(marked.intersection(shown)) / max(1, len(shown))
            count += 1
    return recall / count, precision / count
