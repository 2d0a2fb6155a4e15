"""The base of every shape that crosses a boundary: frozen, camelCase on the wire, snake_case in Python."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """A value. Unknown fields are ignored, so that old histories and newer writers decode."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class Request(Model):
    """What a caller sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")
