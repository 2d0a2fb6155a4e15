"""Bodies that are larger than others: files in a form, streamed to this machine's disk, and large JSON."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from api.edge import ALLOWED
from domain.errors import CallerError

M = TypeVar("M", bound=BaseModel)
# what a form holds beside its files
FORM_BYTES = 1024 * 1024


def has_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("multipart/form-data")


@asynccontextmanager
async def form(request: Request, *, max_bytes: int, max_files: int) -> AsyncGenerator[FormData]:
    """The form, its files on disk until the block ends. A body of more than `max_bytes` is 413, a broken one 400."""
    request.scope[ALLOWED] = max_bytes + FORM_BYTES
    async with request.form(max_files=max_files, max_fields=100, max_part_size=FORM_BYTES) as given:
        yield given


def files(given: FormData) -> list[UploadFile]:
    """The form's fields `file`; raises CallerError when there is none."""
    found = [one for one in given.getlist("file") if not isinstance(one, str)]
    if not found:
        raise CallerError("the form has no field `file` with a file", pointer="/file")
    return found


def word(given: FormData, name: str) -> str | None:
    """A plain field of the form; None where it is missing or blank."""
    value = given.get(name)
    return value or None if isinstance(value, str) else None


async def json_body(request: Request, model: type[M], *, max_bytes: int) -> M:
    """The body as that model; refused as any other body is: 400 for what is no JSON, 422 for what does not fit."""
    request.scope[ALLOWED] = max_bytes
    body = await request.body()
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from None
