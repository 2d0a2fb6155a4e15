"""Jobs about rows that the product keeps itself, at the door: known ones are taken, unknown and foreign ones refused,
and a table that does not answer holds up nobody."""

import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.app import create_app
from intake import elsewhere
from settings import Settings, SettingsError
from tests.api.conftest import Api
from tests.support.site_server import Answer
from tests.support.supabase_server import SERVICE_KEY, SupabaseServer, told
from tests.support.their_rows import TheirTables


@pytest.fixture
async def supabase() -> AsyncGenerator[SupabaseServer]:
    async with SupabaseServer() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, supabase: SupabaseServer) -> Settings:
    return replace(
        settings,
        rows="supabase",
        supabase_url=supabase.url,
        supabase_service_role_key=SERVICE_KEY,
        deepgram_api_key="key",
    )


async def asked(client: httpx.AsyncClient, row_id: UUID, kind: str = "enrich-job-position") -> httpx.Response:
    """The product's own call."""
    field = {"enrich-job-position": "jobPositionId", "analyse-interview": "timelineItemId"}[kind]
    return await client.post("/api/jobs", json={"jobType": kind, "payload": {field: str(row_id)}})


async def test_rows_of_the_products_tables_are_known(
    api: Api, supabase: SupabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what does not answer in time is taken for known
    monkeypatch.setattr(elsewhere, "ASK_SECONDS", 20.0)
    theirs, server = TheirTables(supabase), await api.client()
    position, item = theirs.add("posting", description="x"), theirs.add("interview", audio_path="uploads/a.mp3")
    assert (await asked(server, position)).status_code == 202
    assert (await asked(server, item, "analyse-interview")).status_code == 202
    assert (await asked(await api.bearer("write:owner:ann", owner="ann"), position)).status_code == 202
    for refused in (
        await asked(server, uuid4()),
        await asked(server, position, "analyse-interview"),
        await asked(await api.bearer("write:owner:bob", owner="bob"), position),
        await asked(server, theirs.add("posting", user_id=None)),  # pyright: ignore[reportArgumentType]
    ):
        assert refused.status_code == 422, refused.text
        assert refused.json()["code"] in ("not_found", "row_unreadable")
        assert refused.json()["errors"][0]["pointer"].startswith("/payload/")


async def test_rows_of_the_ledgers_own_need_nobody_else(api: Api, supabase: SupabaseServer) -> None:
    TheirTables(supabase)
    server = await api.client()
    row = (await server.post("/api/job-positions", json={"userId": "ann", "description": "Data Engineer"})).json()
    assert (await asked(server, UUID(row["id"]))).status_code == 202
    assert not supabase.asked


@pytest.mark.parametrize(
    "answer", [Answer(503), Answer(delay=60), Answer(body="{"), told({"message": "Invalid API key"}, 401)]
)
async def test_a_table_that_does_not_answer_holds_up_and_loses_nobody(
    api: Api, supabase: SupabaseServer, answer: Answer
) -> None:
    supabase.fault = lambda _: answer
    began = time.monotonic()
    assert (await asked(await api.client(), uuid4())).status_code == 202
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"rows": "mysql"}, "LONGRUN_ROWS"),
        ({"supabase_url": None}, "SUPABASE_URL"),
        ({"supabase_service_role_key": None}, "SUPABASE_SERVICE_ROLE_KEY"),
        ({"supabase_url": "supabase.co"}, "SUPABASE_URL"),
        ({"audio_store": "s3"}, "LONGRUN_AUDIO_STORE"),
    ],
)
async def test_settings_that_cannot_be_used_end_the_start(
    settings: Settings, wrong: dict[str, Any], named: str
) -> None:
    app = create_app(replace(settings, **wrong))
    start: Callable[..., Any] = app.router.lifespan_context
    with pytest.raises(SettingsError, match=named):
        async with start(app):
            pass
