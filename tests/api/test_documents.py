"""Documents over HTTP: kept once, shown to their owners, found by what they say."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.library import Asked
from settings import Settings
from tests.api.conftest import Api
from tests.ledger.book import Book
from tests.ledger.shelf import Shelf, cut

Files = list[tuple[str, tuple[str, bytes]]]


def files(**contents: bytes) -> Files:
    return [("file", (name.replace("_", "."), content)) for name, content in contents.items()]


async def upload(client: httpx.AsyncClient, given: Files, **fields: Any) -> list[dict[str, Any]]:
    answer = await client.post("/api/documents", files=given, data=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["documents"]


async def indexed(api: Api, owner: str, document_id: str, text: str, **said: Any) -> None:
    await Shelf(Book(api.database), owner).index(document_id, cut(text, size=100), **said)


async def test_many_files_come_in_at_once(server: httpx.AsyncClient) -> None:
    given = files(report_pdf=b"%PDF-", notes_md=b"# Notes", big_txt=b"x" * 3_000_000)
    [report, notes, big] = await upload(server, given, projectId="p", tags="important, legal", userId="ann")
    assert {**report, "id": "", "contentHash": ""} == {
        "id": "",
        "filename": "report.pdf",
        "fileType": "pdf",
        "fileSize": 5,
        "contentHash": "",
        "status": "uploaded",
    }
    assert (notes["fileType"], big["fileSize"]) == ("md", 3_000_000)
    shown = (await server.get(f"/api/documents/{report['id']}")).json()
    assert (shown["projectId"], shown["tags"], shown["status"]) == ("p", ["important", "legal"], "uploaded")
    assert shown["contentHash"] == report["contentHash"]
    assert Asked.model_validate(report).id == report["id"], "a job takes it as it is"


async def test_the_same_bytes_are_kept_once(api: Api, server: httpx.AsyncClient) -> None:
    [one, two] = await upload(server, files(a_txt=b"same", b_txt=b"same"))
    assert one["contentHash"] == two["contentHash"]
    assert one["id"] != two["id"]
    assert await Book(api.database).value("SELECT count(*) FROM blobs") == 1


NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\x\\y.doc": "y.doc",
    "x" * 296 + ".pdf": "x" * 179 + "…" + "x" * 16 + ".pdf",
    "\u202egpj.exe": "gpj.exe",
    "..": "document",
}


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_cannot_do_harm(server: httpx.AsyncClient, name: str) -> None:
    [document] = await upload(server, [("file", (name, b"text"))])
    assert document["filename"] == NAMES[name]


async def test_too_much_is_refused_and_nothing_kept(api: Api, settings: Settings, serve: Any) -> None:
    small = await serve(replace(settings, document_max_bytes=1000, upload_max_bytes=2500))
    client = await small.client()
    answer = await client.post("/api/documents", files=files(a_txt=b"good", b_txt=b"x" * 1001))
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    answer = await client.post("/api/documents", files=files(a_txt=b"x" * 2_000_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    assert await Book(api.database).value("SELECT count(*) FROM documents") == 0
    assert await Book(api.database).value("SELECT count(*) FROM blobs") == 0


async def test_what_does_not_fit_is_said(server: httpx.AsyncClient) -> None:
    assert (await server.post("/api/documents", data={"projectId": "p"}, files={"other": b""})).status_code == 422
    answer = await server.post(
        "/api/documents", files=files(a_txt=b""), data={"tags": "x" * 200, "projectId": "y" * 300}
    )
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/projectId", "/tags"]
    assert (await server.get("/api/documents/search")).status_code == 422


async def test_owners_see_their_own(api: Api, server: httpx.AsyncClient) -> None:
    ann, bob = [await api.bearer(f"write:owner:{name}", owner=name) for name in ("ann", "bob")]
    [document] = await upload(ann, files(a_txt=b"hers"))
    assert (await ann.get(f"/api/documents/{document['id']}")).status_code == 200
    for path in (f"/api/documents/{document['id']}", f"/api/documents/{document['id']}?owner=ann"):
        for method in ("GET", "DELETE"):
            answer = await bob.request(method, path)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
    assert (await bob.post("/api/documents", files=files(a_txt=b"his"), data={"userId": "ann"})).status_code == 404
    reader = await api.bearer("read:owner:ann")
    assert (await reader.get(f"/api/documents/{document['id']}")).status_code == 200
    assert (await reader.delete(f"/api/documents/{document['id']}")).status_code == 404
    assert (await ann.delete(f"/api/documents/{document['id']}")).status_code == 204
    gone = await server.get(f"/api/documents/{document['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "document_not_found")


async def test_chunks_are_found_by_their_owner(api: Api, server: httpx.AsyncClient) -> None:
    ann, bob = uuid4().hex, uuid4().hex
    await indexed(api, ann, "fees", "Late fees are cut & go to eight dollars.", project_id="p", tags=("x",))
    await indexed(api, ann, "roads", "Roads cost many dollars.", project_id="q")
    await indexed(api, bob, "theirs", "Late fees in dollars.")
    client = await api.bearer(f"read:owner:{ann}", owner=ann)
    answer = (await client.get("/api/documents/search", params={"q": "late fee dollars"})).json()
    assert answer["ranking"] == "words"
    assert [chunk["documentId"] for chunk in answer["chunks"]] == ["fees", "roads"]
    [best, _] = answer["chunks"]
    assert best["text"] == "Late fees are cut & go to eight dollars."
    assert best["highlight"].startswith("<mark>Late</mark> <mark>fees</mark> are cut &amp; go")
    assert (best["filename"], best["page"], best["start"], best["end"]) == ("fees.txt", None, 0, len(best["text"]))
    for narrow in ({"projectId": "q"}, {"limit": 1, "q": "roads"}):
        answer = (await client.get("/api/documents/search", params={"q": "dollars", **narrow})).json()
        assert [chunk["documentId"] for chunk in answer["chunks"]] == ["roads"]
    asked = {"q": "fees", "tag": "x", "owner": ann}
    assert len((await server.get("/api/documents/search", params=asked)).json()["chunks"]) == 1
    assert (await client.get("/api/documents/search", params={"q": "fees", "owner": bob})).status_code == 404
    assert (await server.get("/api/documents/search", params={"q": "fees"})).json()["chunks"] == []
