"""A company's site and a GitHub that answer everything after a second: `python -m bench.standin --port 9000`."""

import asyncio
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

SECONDS = 1.0
TEXT = "The company builds software for harbours. It was founded in 1994 and employs 120 people in Rotterdam. "
PAGE = f"<!DOCTYPE html><html><head><title>About us</title></head><body><main><p>{TEXT * 5}</p></main></body>"


async def _page(_request: Request) -> Response:
    await asyncio.sleep(SECONDS)
    return HTMLResponse(PAGE)


async def _nothing(_request: Request) -> Response:
    await asyncio.sleep(SECONDS)
    return JSONResponse({"message": "Not Found"}, 404)


def main(port: Annotated[int, typer.Option()]) -> None:
    """Serve until SIGTERM."""
    routes = [
        Route("/github/{path:path}", _nothing),
        Route("/robots.txt", _nothing),
        Route("/sitemap.xml", _nothing),
        Route("/{path:path}", _page),
    ]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    typer.run(main)
