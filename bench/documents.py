"""A thousand documents through a worker as it is, searches in them, and searches while documents are cut anew.

The documents (50 KB each of plain text and Markdown, words drawn at random from English ones) are uploaded before the
clock starts; it stops when the job is done. Memory is that of the worker and its reading processes together.
"""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import psutil

from bench.figures import Figure, p95
from bench.ground import TOKEN, Ground, Program
from ledger.database import Database
from ledger.search import Search
from ledger.vectors import Vectors

COUNT, BYTES, BATCH = 1000, 50_000, 50
RATE, AT_ONCE, GROWTH, SEARCH_MS = 20.0, 5, 1.15, 300.0
# shorter ones, since each search answers with all of a document
SEARCHES, LOOKING, SIZES, FEW, SHORT = 10_000, 4, (60, 90), 20, 2_000
WORDS = (
    *("river", "lemon", "market", "engine", "winter", "garden", "letter", "planet", "silver", "forest", "bridge"),
    *("window", "school", "doctor", "island", "mountain", "kitchen", "harvest", "journey", "machine", "library"),
    *("station", "morning", "picture", "history", "village", "weather", "teacher", "animal"),
)
# in each chunk there is some of it, be it a heading alone
EVERYTHING = " ".join((*WORDS, "document", "part"))


@dataclass
class Watch:
    """What is seen of a job while it runs."""

    most: int = 0
    bytes: list[int] = field(default_factory=list[int])


async def measure(ground: Ground) -> list[Figure]:
    env = await ground.plot("documents")
    async with ground.longrun(env) as longrun:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=longrun.url, headers=headers, timeout=60, trust_env=False) as client:
            documents = await _uploaded(client, COUNT, BYTES)
            seconds, watch = await _processed(longrun, client, documents)
            found = await _found(client)
            broken, searches = await _searched(longrun, client)
    early, late = _settled(watch.bytes)
    return [
        Figure.most(f"a document of 50 KB, {COUNT} of them", seconds / COUNT, 1 / RATE, 1000 / RATE),
        Figure("documents of a job in hand", str(watch.most), "", watch.most, AT_ONCE, ""),
        Figure.most("a search by ten words that most chunks hold, p95", p95(found), min(found), SEARCH_MS),
        Figure("memory at its end, to that after a fifth", _mb(late), _mb(early), late / early, GROWTH, "×"),
        Figure(f"broken sets in {searches:,} searches meanwhile", str(broken), "", broken, 0, ""),
    ]


async def _uploaded(client: httpx.AsyncClient, count: int, size: int) -> list[dict[str, str]]:
    chance, documents = random.Random(1), list[dict[str, str]]()
    for at in range(0, count, BATCH):
        numbers = range(at, min(at + BATCH, count))
        files = [("file", (f"{n}.{'md' if n % 2 else 'txt'}", _text(chance, n, size))) for n in numbers]
        answer = await client.post("/api/documents", files=files)
        documents += answer.raise_for_status().json()["documents"]
    return documents


def _text(chance: random.Random, number: int, most: int) -> bytes:
    parts, size = [f"# Document {number}\n"], 0
    while size < most:
        part = " ".join(chance.choices(WORDS, k=chance.randint(8, 20))).capitalize() + "."
        if chance.random() < 0.1:
            part += f"\n\n## Part {len(parts)}\n"
        parts.append(part)
        size += len(part) + 1
    return "\n".join(parts).encode()[:most]


async def _processed(
    longrun: Program, client: httpx.AsyncClient, documents: list[dict[str, str]]
) -> tuple[float, Watch]:
    watch, began = Watch(), time.monotonic()
    job_id = await _start(client, "bulk-documents", {"documents": documents})
    async with longrun.sql() as ledger:
        while not await ledger.fetchval("SELECT finished_at IS NOT NULL FROM jobs WHERE id = $1", job_id):
            in_hand = await ledger.fetchval("SELECT count(*) FROM documents WHERE processed_by = $1", job_id)
            watch.most = max(watch.most, int(in_hand or 0))
            watch.bytes.append(_memory(longrun))
            await asyncio.sleep(0.1)
        seconds = time.monotonic() - began
        indexed = await ledger.fetchval("SELECT count(*) FROM documents WHERE status = 'indexed'")
        if indexed != COUNT:
            raise RuntimeError(f"{indexed} documents were indexed")
    return seconds, watch


async def _found(client: httpx.AsyncClient) -> list[float]:
    """The seconds of questions that every chunk answers, one at a time."""
    seconds: list[float] = []
    for n in range(20):
        began = time.monotonic()
        answer = await client.get("/api/documents/search", params={"q": " ".join(WORDS[n : n + 10])})
        seconds.append(time.monotonic() - began)
        if len(answer.raise_for_status().json()["chunks"]) < 5:
            raise RuntimeError("a word that every chunk holds was not found")
    return seconds


async def _searched(longrun: Program, client: httpx.AsyncClient) -> tuple[int, int]:
    """How many of the searches saw a set of chunks that never stood; and how many there were."""
    documents = await _uploaded(client, FEW, SHORT)
    ids = [one["id"] for one in documents]
    database, done = Database(longrun.env["DATABASE_URL"]), asyncio.Event()
    search, seen, count = Search(database, Vectors(database)), set[frozenset[str]](), 0
    first = await _start(client, "bulk-documents", {"documents": documents})
    while not await _ended(database, first):
        await asyncio.sleep(0.05)
    # searched one by one: each answers with all of its chunks
    await database.execute("UPDATE documents SET project_id = id WHERE id = ANY($1)", ids)
    whole = await _sets(database, ids)

    async def look(number: int) -> None:
        nonlocal count
        chance = random.Random(number)
        while count < SEARCHES or not done.is_set():
            count += 1
            answers = await search.search("", EVERYTHING, project_id=chance.choice(ids), limit=500)
            seen.add(frozenset(one.chunk_id for one in answers.chunks))

    looking = [asyncio.create_task(look(number)) for number in range(LOOKING)]
    turn = 0
    while count < SEARCHES:
        size = SIZES[turn % len(SIZES)]
        job_id = await _start(client, "document-reprocess", {"documentIds": ids, "newChunkSize": size})
        while not await _ended(database, job_id):
            await asyncio.sleep(0.05)
        whole |= await _sets(database, ids)
        turn += 1
    done.set()
    await asyncio.gather(*looking)
    await database.close()
    return len(seen - whole), count


async def _sets(database: Database, ids: list[str]) -> set[frozenset[str]]:
    rows = await database.fetch(
        """SELECT array_agg(c.id) AS ids FROM chunks c JOIN documents d ON d.key = c.document
        WHERE d.id = ANY($1) GROUP BY d.id""",
        ids,
    )
    return {frozenset(row["ids"]) for row in rows}


async def _ended(database: Database, job_id: str) -> bool:
    row = await database.row("SELECT finished_at IS NOT NULL AS ended FROM jobs WHERE id = $1", job_id)
    return bool(row and row["ended"])


async def _start(client: httpx.AsyncClient, kind: str, payload: dict[str, object]) -> str:
    answer = await client.post("/api/jobs", json={"jobType": kind, "payload": payload})
    return answer.raise_for_status().json()["jobId"]


def _memory(longrun: Program) -> int:
    """Bytes that the worker and what it has started hold."""
    worker, held = psutil.Process(longrun.pids[-1]), 0
    for process in (worker, *worker.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            held += process.memory_info().rss
    return held


def _settled(samples: list[int]) -> tuple[float, float]:
    """The mean over the second fifth of the samples, and over the last."""
    fifth = max(1, len(samples) // 5)
    early, late = samples[fifth : 2 * fifth] or samples, samples[-fifth:]
    return sum(early) / len(early), sum(late) / len(late)


def _mb(held: float) -> str:
    return f"{held / 1e6:.0f} MB"
