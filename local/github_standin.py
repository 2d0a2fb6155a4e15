"""A local stand-in for the GitHub REST API that answers from shipped files alone: `python -m local.github_standin`.

What the files do not say stays null or empty: no stars, dates, topics or website; an organisation's name is its login;
`/languages` is `{}`, since a few manifests are no measure of a repository's code; a description is package.json's own.
Unknown paths answer 404 in GitHub's shape. File links are the real ones, at the commit the files were copied from.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SHIPPED = Path(__file__).parent / "samples" / "github"
COMMITS = {"18F/18f.gsa.gov": "0a55c75e6"}
WEB = "https://github.com"
Json = dict[str, Any]


class Shelf:
    """Repositories as folders: `<root>/<organisation>/<repository>/<file>`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def organisation(self, login: str) -> Path:
        return _child(self.root, login)

    def repository(self, owner: str, name: str) -> Path:
        return _child(self.organisation(owner), name)

    def file(self, owner: str, name: str, path: str) -> Path:
        found = {each.name: each for each in _files(self.repository(owner, name))}.get(path)
        return found or _missing()


def _child(folder: Path, name: str) -> Path:
    """The folder of that name, in any case as GitHub allows; names are compared, never joined into a path."""
    found = (each for each in sorted(folder.iterdir()) if each.is_dir() and each.name.lower() == name.lower())
    return next(found, None) or _missing()


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_file())


def _missing() -> Any:
    raise HTTPException(404)


def _organisation(folder: Path) -> Json:
    repositories = sum(each.is_dir() for each in folder.iterdir())
    return {
        "login": folder.name, "name": folder.name, "type": "Organization", "html_url": f"{WEB}/{folder.name}",
        "blog": None, "description": None, "public_repos": repositories,
    }  # fmt: skip


def _repository(folder: Path) -> Json:
    full_name = f"{folder.parent.name}/{folder.name}"
    return {
        "name": folder.name, "full_name": full_name, "html_url": f"{WEB}/{full_name}", "fork": False, "private": False,
        "owner": {"login": folder.parent.name}, "description": _description(folder), "default_branch": None,
        "stargazers_count": None, "pushed_at": None, "language": None, "topics": [],
    }  # fmt: skip


def _description(folder: Path) -> str | None:
    manifest = folder / "package.json"
    return json.loads(manifest.read_bytes()).get("description") if manifest.is_file() else None


def _entry(file: Path) -> Json:
    full_name = f"{file.parent.parent.name}/{file.parent.name}"
    link = f"{WEB}/{full_name}/blob/{COMMITS.get(full_name, 'HEAD')}/{file.name}"
    return {"name": file.name, "path": file.name, "type": "file", "size": file.stat().st_size, "html_url": link}


def build(root: Path = SHIPPED) -> Starlette:
    """The application over `root`; embeddable."""
    shelf = Shelf(root)

    def organisation(request: Request) -> Response:
        return JSONResponse(_organisation(shelf.organisation(request.path_params["login"])))

    def repositories(request: Request) -> Response:
        folder = shelf.organisation(request.path_params["login"])
        first = request.query_params.get("page", "1") == "1"
        return JSONResponse([_repository(each) for each in sorted(folder.iterdir()) if each.is_dir()] if first else [])

    def languages(request: Request) -> Response:
        shelf.repository(**request.path_params)
        return JSONResponse({})

    def contents(request: Request) -> Response:
        return JSONResponse([_entry(each) for each in _files(shelf.repository(**request.path_params))])

    def file(request: Request) -> Response:
        found = shelf.file(**request.path_params)
        if "raw" in request.headers.get("accept", ""):
            return Response(found.read_bytes(), media_type="application/vnd.github.raw+json")
        content = base64.encodebytes(found.read_bytes()).decode()
        return JSONResponse({**_entry(found), "encoding": "base64", "content": content})

    def search(request: Request) -> Response:
        words = request.query_params.get("q", "").lower().split()
        items = [_organisation(each) for each in sorted(root.iterdir()) if each.is_dir() and each.name.lower() in words]
        return JSONResponse({"total_count": len(items), "incomplete_results": False, "items": items})

    paths: dict[str, Callable[[Request], Response]] = {
        "/orgs/{login}": organisation,
        "/orgs/{login}/repos": repositories,
        "/repos/{owner}/{name}/languages": languages,
        "/repos/{owner}/{name}/contents/": contents,
        "/repos/{owner}/{name}/contents/{path}": file,
        "/search/users": search,
    }
    routes = [Route(path, endpoint) for path, endpoint in paths.items()]
    return Starlette(routes=routes, exception_handlers={404: _not_found})


def _not_found(_request: Request, _error: Exception) -> Response:
    return JSONResponse(
        {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}, 404
    )


def main(
    port: Annotated[int, typer.Option(help="Where to listen on 127.0.0.1.")] = 8082,
    root: Annotated[Path, typer.Option(help="Folder of organisations.", file_okay=False, exists=True)] = SHIPPED,
) -> None:
    """Serve shipped repositories as the GitHub REST API would."""
    uvicorn.run(build(root), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    typer.run(main)
