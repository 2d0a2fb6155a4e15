"""The catalogue over HTTP: what this service can be asked to do."""

from functools import cache
from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from api.dependencies import Auth, Given
from api.wire import reply
from domain.job import PlannedStep
from domain.model import Model
from engine.submit import PAYLOAD_BYTES
from workflows.kind import Catalog, Kind

router = APIRouter(prefix="/api", tags=["kinds"])


class Limits(Model):
    max_duration_seconds: int
    payload_bytes: int


class KindView(Model):
    """A kind of job: its names, JSON Schema of payload and result, the steps people see, and its limits."""

    name: str = Field(examples=["company-research"])
    aliases: tuple[str, ...] = Field(examples=[["research"]])
    payload: dict[str, Any]
    result: dict[str, Any]
    steps: tuple[PlannedStep, ...]
    limits: Limits

    @classmethod
    def of(cls, kind: Kind) -> "KindView":
        return cls(
            name=kind.name,
            aliases=kind.aliases,
            payload=kind.payload.model_json_schema(by_alias=True),
            result=kind.result.model_json_schema(by_alias=True, mode="serialization"),
            steps=kind.plan(),
            limits=Limits(max_duration_seconds=int(kind.max_duration.total_seconds()), payload_bytes=PAYLOAD_BYTES),
        )


class Kinds(Model):
    kinds: list[KindView]


@router.get("/kinds", response_model=Kinds)
async def list_kinds(given: Given, _: Auth) -> Response:
    """All kinds of jobs that can be started here."""
    return reply(_described(given.catalog))


@cache
def _described(catalog: Catalog) -> Kinds:
    return Kinds(kinds=[KindView.of(kind) for kind in catalog])
