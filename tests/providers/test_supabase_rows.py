"""The product's rows by PostgREST over real HTTP: what is read, what is written, and what each refusal means."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import JobError, RateLimited, VendorError
from domain.rows import RowKind
from providers.supabase import Supabase
from providers.supabase_rows import SupabaseRows, chosen, tables
from tests.support.site_server import Answer
from tests.support.supabase_server import SERVICE_KEY, SupabaseServer, told
from tests.support.their_rows import TheirTables

DONE = {"processingStatus": "completed", "error": None}


@pytest.fixture
async def server() -> AsyncGenerator[SupabaseServer]:
    async with SupabaseServer() as server:
        yield server


@pytest.fixture
def theirs(server: SupabaseServer) -> TheirTables:
    return TheirTables(server)


@pytest.fixture
async def rows(server: SupabaseServer) -> AsyncGenerator[SupabaseRows]:
    async with Supabase(server.url, SERVICE_KEY) as supabase:
        yield SupabaseRows(supabase, tables())


async def test_a_row_says_what_a_job_needs(theirs: TheirTables, rows: SupabaseRows) -> None:
    position = theirs.add("posting", url="https://acme.example/17", description="Data Engineer")
    found = await rows.read("posting", position)
    assert found
    assert (found.user_id, found.url, found.given) == ("ann", "https://acme.example/17", "Data Engineer")
    item = theirs.add("interview", audio_path="uploads/ann/1.mp3", job_position_id=str(position))
    found = await rows.read("interview", item)
    assert found
    assert (found.source, found.posting_id, found.empty) == ("uploads/ann/1.mp3", position, False)
    assert await rows.read("interview", position) is None
    blank = await rows.read("posting", theirs.add("posting", description=" \n"))
    assert blank
    assert blank.empty


@pytest.mark.parametrize("said", [{"user_id": None}, {"user_id": ""}, {"user_id": 7}, {"url": ["x"]}])
async def test_a_row_that_cannot_be_read_says_so(theirs: TheirTables, rows: SupabaseRows, said: dict[str, Any]) -> None:
    with pytest.raises(JobError) as caught:
        await rows.read("posting", theirs.add("posting", **said))
    assert caught.value.code == "row_unreadable"


async def test_what_was_found_is_written_and_what_was_not_leaves_what_is_there(
    theirs: TheirTables, rows: SupabaseRows
) -> None:
    other, row_id = theirs.add("posting"), theirs.add("posting", title="Engineer", processing_error="before")
    company = {"name": "Acme", "website": None, "logoUrl": ""}
    assert await rows.write(
        "posting", row_id, {**DONE, "title": None, "company": company, "details": {"a\0": "\ud800"}}
    )
    row = theirs.row("posting", row_id)
    assert (row["processing_status"], row["processing_error"]) == ("completed", None), "an error that is over"
    assert (row["title"], row["company_name"], row["company_website"]) == ("Engineer", "Acme", None)
    assert row["details"] == {"a": "?"}
    failed = {"processingStatus": "failed", "error": {"code": "gone", "message": "the posting is gone"}}
    assert await rows.write("posting", row_id, failed)
    assert (row["processing_status"], row["processing_error"]) == ("failed", "the posting is gone")
    assert row["company_name"] == "Acme"
    assert theirs.row("posting", other)["processing_status"] == "pending"


async def test_a_row_that_is_gone_is_not_written(theirs: TheirTables, rows: SupabaseRows) -> None:
    row_id = theirs.add("posting")
    theirs.delete("posting", row_id)
    assert await rows.write("posting", row_id, DONE) is False
    assert await rows.write("posting", uuid4(), DONE) is False


FAILURES: dict[str, tuple[Answer, str, bool]] = {
    "401": (told({"message": "Invalid API key"}, 401), "http_401", False),
    "no such table": (told({"code": "PGRST205", "message": "Could not find the table"}, 404), "no_such_table", False),
    "no such column": (told({"code": "PGRST204", "message": "Could not find it"}, 400), "no_such_column", False),
    "429": (told({"message": "rate limit"}, 429, **{"retry-after": "4"}), "rate_limited", True),
    "500": (told({"code": "40001", "message": "serialization"}, 500), "http_500", True),
    "503": (told({"code": "PGRST000", "message": "no connection"}, 503), "http_503", True),
    "hang": (Answer(delay=30), "timeout", True),
    "broken": (Answer(body='[{"id":'), "bad_response", True),
    "an object": (told({"id": "1"}), "bad_response", True),
    "a list of words": (told(["id"]), "bad_response", True),
    "nothing": (Answer(204), "bad_response", True),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_refusal_is_classed_once_and_tells_no_secret(
    server: SupabaseServer, theirs: TheirTables, name: str
) -> None:
    answer, code, again = FAILURES[name]
    row_id = theirs.add("posting")
    server.fault = lambda _: answer
    async with Supabase(server.url, SERVICE_KEY, timeout=0.5 if answer.delay else 20) as supabase:
        rows = SupabaseRows(supabase, tables())
        for ask in (rows.read("posting", row_id), rows.write("posting", row_id, DONE)):
            with pytest.raises(VendorError) as caught:
                await ask
            assert (caught.value.code, caught.value.again) == (code, again)
            assert isinstance(caught.value, RateLimited) == (code == "rate_limited")
            for secret in (SERVICE_KEY, server.url, str(row_id), "job_positions"):
                assert secret not in caught.value.message


async def test_somebody_who_waits_is_not_kept(server: SupabaseServer, rows: SupabaseRows) -> None:
    server.fault = lambda _: Answer(delay=30)
    with pytest.raises(VendorError) as caught:
        await rows.read("posting", uuid4(), timeout=0.2)
    assert caught.value.code == "timeout"


async def test_a_column_that_is_not_there_is_named(theirs: TheirTables, rows: SupabaseRows) -> None:
    """In the words of PostgREST for a write, of PostgreSQL for a read."""
    row_id = theirs.add("posting")
    del theirs.row("posting", row_id)["company_logo_url"]
    with pytest.raises(VendorError) as written:
        await rows.write("posting", row_id, {"company": {"logoUrl": "https://acme.example/a.png"}})
    del theirs.row("posting", row_id)["url"]
    with pytest.raises(VendorError) as read:
        await rows.read("posting", row_id)
    for caught, column in ((written, "company_logo_url"), (read, "url")):
        assert (caught.value.code, caught.value.again) == ("no_such_column", False)
        assert f"no such column {column}: LONGRUN_ROWS_MAP" in caught.value.message


async def test_a_map_of_ones_own(server: SupabaseServer, tmp_path: Path) -> None:
    file = tmp_path / "rows.toml"
    file.write_text(
        '[posting]\ntable = "Jobs & more"\nid = "uid"\n[posting.read]\nuser_id = "owner"\ngiven = "txt"\n'
        '[posting.written]\nstate = "processingStatus"\ncity = "locations"\n'
    )
    row_id = uuid4()
    table = {"id": str(row_id), "uid": str(row_id), "owner": "bob", "txt": "x", "state": "new", "city": None}
    server.table("Jobs%20%26%20more", table)
    async with Supabase(server.url, SERVICE_KEY) as supabase:
        rows = chosen("supabase", supabase, file)
        assert rows
        found = await rows.read("posting", row_id)
        assert found
        assert (found.user_id, found.given) == ("bob", "x")
        assert await rows.write("posting", row_id, {**DONE, "locations": ["Bonn"], "title": "unmapped"})
        kinds: list[RowKind] = ["interview"]
        assert [await rows.read(kind, UUID(int=0)) for kind in kinds] == [None], "no table of that kind"
    assert (table["state"], table["city"]) == ("completed", ["Bonn"])


@pytest.mark.parametrize(
    "text",
    [
        "[posting",
        "[runs]\ntable = 'x'",
        "[posting]\ntable = ''\n[posting.read]\nuser_id = 'u'\n[posting.written]",
        "[posting]\ntable = 't'\n[posting.read]\nurl = 'u'\n[posting.written]",
        "[posting]\ntable = 't'\n[posting.read]\nuser_id = 'u'\nwhat = 'w'\n[posting.written]",
        None,
    ],
)
def test_a_map_that_cannot_be_used_is_named(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "rows.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match="LONGRUN_ROWS_MAP"):
        tables(file)


def test_rows_are_the_ledgers_unless_the_settings_say_otherwise() -> None:
    assert chosen("ledger", None, None) is None
    for name in ("supabase", "mysql"):
        with pytest.raises(ValueError, match="LONGRUN_ROWS"):
            chosen(name, None, None)
