"""Root of the API process: settings → ledger, engine → routes. Loads no model SDK but for the door's quick model."""

import gc
import logging
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypedDict

import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from api import (
    answering,
    audit,
    batches,
    bulk,
    changing,
    deliveries,
    docs,
    errors,
    events,
    feed,
    health,
    jobs,
    kinds,
    metrics,
    opening,
    queues,
    schedules,
    starting,
    stats,
    tokens,
    upkeep,
    users,
    waitpoints,
    webhooks,
)
from api.adapters import (
    deepgram,
    documents,
    interviews,
    plans,
    postings,
    research,
    run_history,
    running,
    running_history,
    running_words,
    tasks,
    workflow,
)
from api.auth import Credentials
from api.dependencies import Services
from api.edge import Edge
from api.openapi import describe
from domain import logs
from providers.embedding import ONE_THREAD
from settings import Settings, SettingsError
from workflows.catalog import installed
from workflows.kind import Catalog

log = structlog.get_logger()
# the busiest first
ROUTERS = (
    research,
    starting,
    feed,
    queues,
    bulk,
    jobs,
    events,
    changing,
    batches,
    kinds,
    schedules,
    webhooks,
    deliveries,
    users,
    tokens,
    stats,
    upkeep,
    audit,
    metrics,
    health,
    waitpoints,
    answering,
    workflow,
    tasks,
    deepgram,
    documents,
    plans,
    postings,
    interviews,
    run_history,
    running_history,
    running_words,
    running,
)
EXPOSED = ("Location", "Retry-After", "WWW-Authenticate")
REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": errors.Problem, "description": "No credentials, or none that hold"},
    404: {"model": errors.Problem, "description": "There is no such thing, or it is not the caller's"},
    422: {"model": errors.Problem, "description": "The request does not fit; `errors` points to what"},
}


class State(TypedDict):
    """What requests find in `request.state`."""

    services: Services


def create_app(settings: Settings | None = None, catalog: Catalog | None = None) -> FastAPI:
    """The API. Raises SettingsError when it would be reachable from elsewhere without a key.

    Without settings the environment is read and the process's logs are set up: this is then the root.
    """
    root = settings is None
    if settings is None:
        os.environ.setdefault(*ONE_THREAD)
        settings = Settings.from_env(os.environ)
        logs.configure(settings.log_level)
    # without a key nothing could be signed
    kinds_here = catalog or installed(settings.task_hosts if settings.api_keys else ())
    credentials = _credentials(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[State]:
        async with AsyncExitStack() as opened:
            handed = await opening.services(settings, os.environ, kinds_here, credentials, opened)
            if root:
                # what is there by now stays: the search for garbage leaves it out, or would hold up for some 50 ms
                # whoever asks meanwhile
                gc.collect()
                gc.freeze()
            yield {"services": handed}

    app = FastAPI(
        title="Longrun",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        responses=REFUSED,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.openapi = describe(app, kinds_here)
    docs.serve(app)
    app.add_middleware(Edge)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=EXPOSED,
        max_age=86400,
    )
    errors.handle(app)
    for module in ROUTERS:
        app.include_router(module.router)
    # Both would log what may be a secret: addresses with `?token=`, and events with payloads.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("sse_starlette").setLevel(logging.WARNING)
    return app


def _credentials(settings: Settings) -> Credentials:
    if not settings.api_keys and not settings.loopback:
        raise SettingsError(f"LONGRUN_API_KEYS must name a key when listening on {settings.host}, beyond this machine")
    credentials = Credentials(settings.api_keys)
    if credentials.weak:
        log.warning("a key in LONGRUN_API_KEYS is short: 32 characters or more keep tokens safe")
    return credentials
