"""Longrun's API with two bare routes beside its own, as any FastAPI program would have them."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, FastAPI, Request

from api.app import create_app
from domain.model import Model
from ledger.database import Database
from settings import Settings


class Row(Model):
    """The fields that the benchmark sends to both."""

    company_name: str
    role: str
    user_id: str
    company_url: str | None = None


@asynccontextmanager
async def _pool(_app: FastAPI) -> AsyncGenerator[dict[str, Database]]:
    settings = Settings.from_env(os.environ)
    database = Database(settings.database_url, schema=settings.schema, size=settings.pool_size)
    yield {"bare": database}
    await database.close()


router = APIRouter(prefix="/bench", lifespan=_pool)


@router.post("/insert", status_code=202)
async def insert(row: Row, request: Request) -> dict[str, str]:
    """One row, one commit."""
    row_id = uuid4()
    await request.state.bare.execute(
        "INSERT INTO bench_rows (id, body) VALUES ($1, $2)", row_id, row.model_dump(by_alias=True)
    )
    return {"jobId": str(row_id)}


@router.get("/select/{row_id}")
async def select(row_id: UUID, request: Request) -> dict[str, Any]:
    """One row by its primary key."""
    found = await request.state.bare.row("SELECT id, body, at FROM bench_rows WHERE id = $1", row_id)
    return dict(found)


def create() -> FastAPI:
    """For `uvicorn --factory`: the environment is read as Longrun's own root does."""
    app = create_app()
    app.include_router(router)
    return app
