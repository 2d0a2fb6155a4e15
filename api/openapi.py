"""The API's description: what FastAPI derives from the routes, and from the catalogue what each kind wants."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.errors import MEDIA_TYPE
from workflows.kind import Catalog, Kind

REF = "#/components/schemas/"
OPEN = ("/livez", "/readyz")
# Calls of another API, which say in its shapes what is wrong.
SPOKEN = "/api/v1/"
ABOUT = """Durable background jobs for AI products.

`POST /api/jobs` answers with a job id in milliseconds; the job outlives crashes, retries what fails, and can be
canceled at any moment. Poll it, stream its events, or look through its audit.

**Credentials.** Servers send `Authorization: Bearer <secret key>`, browsers a token that a server minted with
`POST /api/tokens`. What a token may not see answers 404. **Errors** are Problem Details (RFC 9457) with a stable
`code`.
"""


def describe(app: FastAPI, catalog: Catalog) -> Callable[[], dict[str, Any]]:
    """What `app.openapi` is to be; built once, when first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _schema(app, catalog)
        return app.openapi_schema

    return openapi


def _schema(app: FastAPI, catalog: Catalog) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
    parts = schema["components"]["schemas"]
    _kinds(parts, catalog)
    for unused in ("HTTPValidationError", "ValidationError"):
        parts.pop(unused, None)
    schema["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            operation["security"] = [] if path in OPEN else [{"bearer": []}]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                # a body that a route reads itself brings the parts of its schema along
                parts.update(content["schema"].pop("$defs", {}))
            for status, response in operation["responses"].items():
                if status[0] in "45" and path not in OPEN and not path.startswith(SPOKEN):
                    response["content"] = {MEDIA_TYPE: {"schema": {"$ref": f"{REF}Problem"}}}
    return schema


def _kinds(parts: dict[str, Any], catalog: Catalog) -> None:
    """`Start` becomes one of the kinds', each with its own payload, so that no payload is an open object."""
    general, mapping, choices = parts.pop("Start"), {}, []
    for kind in catalog:
        name = "Start" + "".join(word.capitalize() for word in kind.name.split("-"))
        payload = kind.payload.model_json_schema(by_alias=True, ref_template=REF + "{model}")
        parts.update(payload.pop("$defs", {}))
        parts[kind.payload.__name__] = payload
        parts[name] = _start(general, kind)
        choices.append({"$ref": REF + name})
        mapping |= dict.fromkeys((kind.name, *kind.aliases), REF + name)
    parts["Start"] = {"oneOf": choices, "discriminator": {"propertyName": "jobType", "mapping": mapping}}


def _start(general: dict[str, Any], kind: Kind) -> dict[str, Any]:
    fields = general["properties"] | {
        "jobType": {"type": "string", "enum": [kind.name, *kind.aliases]},
        "payload": {"$ref": REF + kind.payload.__name__},
    }
    return general | {"title": kind.name, "description": f"Start a job of the kind {kind.name}.", "properties": fields}
