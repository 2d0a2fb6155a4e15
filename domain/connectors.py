"""REST services that plans may read from, as connectors.toml describes them."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, create_model

from domain.model import Model, Request

MOST_ROWS = 1000
PAGES = 20


class Auth(Model):
    header: str
    value: str


class Paging(Model):
    """`most` is how many rows the service gives at once."""

    parameter: str
    next: str
    size: str
    most: int


class Connector(Model):
    """One tool: a GET of pages until there are rows enough."""

    name: str
    description: str
    system: str
    url: str
    path: str
    auth: Auth
    items: str
    paging: Paging
    parameters: dict[str, Literal["text", "list"]] = Field(default_factory=dict)

    @property
    def shape(self) -> type[Request]:
        """The input: how many rows, and the parameters that there are."""
        types = {"text": str | None, "list": tuple[str, ...] | None}
        fields: dict[str, Any] = {name: (types[kind], None) for name, kind in self.parameters.items()}
        name = "".join(word.capitalize() for word in self.name.split("_"))
        return create_model(name, __base__=Request, limit=(int, Field(default=100, ge=1, le=MOST_ROWS)), **fields)


@cache
def connectors() -> Mapping[str, Connector]:
    """By name."""
    told = tomllib.loads(files("domain").joinpath("connectors.toml").read_text(encoding="utf-8"))
    return MappingProxyType({name: Connector(name=name, **row) for name, row in told.items()})


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path of a JSON value; None where nothing does."""
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
