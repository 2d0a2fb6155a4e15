"""The small model at the door of job positions, where the settings have a key for one."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from intake.postings import MODEL_SECONDS
from intake.quick_posting import QuickReading
from ledger.buckets import Buckets
from ledger.changes import Changes
from ledger.database import Database
from ledger.spend import Spend
from providers import model_names
from providers.models import Models
from settings import Settings


def quick_reading(settings: Settings, database: Database, opened: AsyncExitStack) -> QuickReading | None:
    """Its SDK takes seconds to load: that is done beside everything else, and who comes before goes without."""
    keys = {"anthropic_key": settings.anthropic_api_key, "openai_key": settings.openai_api_key}
    model = model_names.quick(settings.quick_model, settings.model, **keys)
    if model is None:
        return None
    make = partial(
        Models,
        Spend(database, patience=MODEL_SECONDS),
        bucket=_bucket(settings, database),
        model=model,
        anthropic_base_url=settings.anthropic_base_url,
        openai_base_url=settings.openai_base_url,
        timeout=MODEL_SECONDS,
        **keys,
    )
    loading = asyncio.ensure_future(asyncio.to_thread(make))

    async def loaded() -> Models:
        return await asyncio.shield(loading)

    async def close() -> None:
        await (await loading).close()

    opened.push_async_callback(close)
    return QuickReading(loaded, partial(Changes(database).reschedule, by="the door"))


def _bucket(settings: Settings, database: Database) -> Buckets | None:
    """The vendors' limits a minute, shared with the workers, where there are any."""
    requests, tokens = settings.model_requests_per_minute, settings.model_tokens_per_minute
    if requests is None and tokens is None:
        return None
    return Buckets(database, requests_per_minute=requests, tokens_per_minute=tokens, patience=MODEL_SECONDS)
