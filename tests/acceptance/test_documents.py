"""Documents through the whole product: what is hostile harms nobody, and what dies in between loses nothing.

In the suite few small ones. `DOCUMENTS=1000 DOCUMENT_KILLS=2` in the environment, and `--timeout=900`, give the worker
that is killed many, of 50 KB each.
"""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from longrun import Job, Options
from tests.acceptance.conftest import StackMaker
from tests.support.hostile_documents import BILLION_LAUGHS, archive, pdf
from tests.support.processes import KEY, Stack, until

OUTCOME_SECONDS = 60
DOCUMENTS, KILLS = int(os.environ.get("DOCUMENTS", "60")), int(os.environ.get("DOCUMENT_KILLS", "2"))
SENTENCES = 800 if "DOCUMENTS" in os.environ else 400


def given() -> list[tuple[str, bytes, str]]:
    """Their names, contents, and what comes of them."""
    return [
        ("../../etc/notes.md", b"# Fruit\n\nLemons are yellow.", "indexed"),
        ("\u202egpj.exe", b"Plain words about limes.", "indexed"),
        ("x" * 300 + ".csv", b"fruit,colour\norange,orange\n", "indexed"),
        ("actually-a-page.pdf", b"<!doctype html><html><body><p>Pomelos</p></body></html>", "indexed"),
        ("bomb.docx", archive({"word/document.xml": b"\0" * 200_000_000}), "bomb"),
        ("laughs.docx", archive({"word/document.xml": BILLION_LAUGHS}), "bomb"),
        ("deep.json", b"[" * 200_000 + b"]" * 200_000, "bomb"),
        ("pages.pdf", pdf(10_001, lines=1), "too_many_pages"),
        ("program.txt", b"\x7fELF" + bytes(range(256)) * 100, "unsupported_type"),
        ("nothing.txt", b"", "empty"),
    ]


def upload(stack: Stack, files: list[tuple[str, bytes]], **fields: str) -> list[dict[str, Any]]:
    answer = httpx.post(
        f"{stack.url}/api/documents",
        files=[("file", file) for file in files],
        data=fields,
        headers={"authorization": f"Bearer {KEY}"},
        timeout=60,
    )
    return answer.raise_for_status().json()["documents"]


def search(stack: Stack, question: str, **asked: str) -> list[dict[str, Any]]:
    headers = {"authorization": f"Bearer {KEY}"}
    answer = httpx.get(
        f"{stack.url}/api/documents/search", params={"q": question, **asked}, headers=headers, timeout=20
    )
    return answer.raise_for_status().json()["chunks"]


def outcomes(job: Job) -> dict[str, str]:
    assert job.status == "completed", job.error
    return {one["id"]: one.get("error", {}).get("code", one["status"]) for one in job.result["documents"]}


def test_each_gets_its_outcome_and_the_worker_lives(running: Stack) -> None:
    owner, client, hostile = uuid4().hex, running.client(), given()
    documents = upload(running, [(name, content) for name, content, _ in hostile], userId=owner)
    began = time.monotonic()
    payload = {"documents": documents, "projectId": "p", "tags": ["fruit"], "mode": "Admin"}
    job = client.wait(client.start("bulk-documents", payload, Options(owner=owner)).job_id, OUTCOME_SECONDS)
    assert time.monotonic() - began < OUTCOME_SECONDS
    expected = {document["id"]: outcome for document, (_, _, outcome) in zip(documents, hostile, strict=True)}
    assert outcomes(job) == expected
    assert job.progress.items
    assert (job.progress.items.done, job.progress.items.failed) == (4, 6)
    for word, name in {"lemon": "notes.md", "limes": "gpj.exe", "pomelo": "actually-a-page.pdf"}.items():
        assert [one["filename"] for one in search(running, word, owner=owner, projectId="p", tag="fruit")] == [name]


def test_the_payloads_of_the_front_end_run_as_they_are(running: Stack) -> None:
    client = running.client()
    documents = [
        {"id": "doc1", "filename": "report.pdf", "fileType": "pdf", "fileSize": 1024000},
        {"id": "doc2", "filename": "contract.docx", "fileType": "docx", "fileSize": 512000},
    ]
    bulk = {"documents": documents, "projectId": "project-123", "tags": ["important", "legal"], "mode": "Admin"}
    again = {"documentIds": ["doc1", "doc2", "doc3"], "newChunkSize": 500, "newOverlap": 100, "mode": "Sales"}
    for kind, payload, ids in (
        ("bulk-documents", bulk, ("doc1", "doc2")),
        ("document-reprocess", again, ("doc1", "doc2", "doc3")),
    ):
        asked = running.post("/api/jobs", {"jobType": kind, "payload": payload})
        job_id = asked["jobId"]
        assert outcomes(client.wait(job_id, 60)) == dict.fromkeys(ids, "document_not_found")
        [shown] = running.rows("SELECT status, progress, mode FROM workflow_executions WHERE id = $1", job_id)
        assert shown == {"status": "completed", "progress": "1/1", "mode": payload["mode"]}
        [step] = running.rows("SELECT name, status FROM workflow_steps WHERE execution_id = $1", job_id)
        assert step == {"name": "index", "status": "completed"}


def test_a_worker_that_is_killed_leaves_each_document_once(make_stack: StackMaker) -> None:
    stack, owner = make_stack(LONGRUN_DOCUMENT_READERS="1"), uuid4().hex
    worker, api = stack.worker(), stack.api()
    for service in (worker, api):
        service.launch()
    for service in (worker, api):
        service.ready()
    text = "\n\n".join(f"Paragraph {n} says that lemons are yellow and limes are green." for n in range(SENTENCES))
    files = [(f"{n}.txt", f"Document {n}.\n\n{text}".encode()) for n in range(DOCUMENTS)]
    documents = [one for at in range(0, DOCUMENTS, 60) for one in upload(stack, files[at : at + 60], userId=owner)]
    job_id = stack.client().start("bulk-documents", {"documents": documents}, Options(owner=owner)).job_id
    with kept_back(stack, documents[-1]["id"]):
        for kill in range(KILLS):
            most = DOCUMENTS * (kill + 1) // (KILLS + 2)
            until(lambda most=most: done(stack, job_id) >= most, 300, f"{most} documents")
            worker.kill()
            assert done(stack, job_id) < DOCUMENTS
            worker.start()
    job = stack.client().wait(job_id, 90 + DOCUMENTS / 2)
    assert outcomes(job) == {document["id"]: "indexed" for document in documents}
    [index] = stack.rows(
        """SELECT count(DISTINCT document) AS documents, count(*) AS chunks,
            count(DISTINCT (document, id)) AS different,
            (SELECT sum(chunk_count) FROM documents) AS counted FROM chunks"""
    )
    assert index["documents"] == DOCUMENTS
    assert index["chunks"] == index["different"] == index["counted"]
    assert search(stack, "Document 41", owner=owner, limit="1")[0]["filename"] == "41.txt"


@contextmanager
def kept_back(stack: Stack, document_id: str) -> Generator[None]:
    """Nobody can begin with this document meanwhile: no kill is too late."""

    async def lock() -> asyncpg.Connection:
        connection = await asyncpg.connect(stack.env["DATABASE_URL"])
        await connection.execute("BEGIN")
        assert await connection.fetchrow("SELECT id FROM longrun.documents WHERE id = $1 FOR UPDATE", document_id)
        return connection

    connection = stack.background.run(lock())
    try:
        yield
    finally:
        stack.background.run(connection.close())


def done(stack: Stack, job_id: str) -> int:
    [row] = stack.rows("SELECT (items ->> 'done')::integer AS done FROM jobs WHERE id = $1", job_id)
    return row["done"]
