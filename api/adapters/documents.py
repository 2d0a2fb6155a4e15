"""The AI workstation's documents: files in, chunks found."""

import asyncio
from contextlib import ExitStack
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter, ValidationError

from api import uploads
from api.dependencies import Auth, Given
from api.errors import Problem
from api.wire import reply
from domain.errors import InvalidPayload
from domain.library import Answers, Document, DocumentStatus, Id, Remark, Tags, tidy
from domain.model import Model
from ledger.blobs import Spool, spooling
from ledger.documents import Given as GivenDocument

if TYPE_CHECKING:
    from starlette.datastructures import FormData, UploadFile

router = APIRouter(prefix="/api/documents", tags=["documents"])
MOST_FILES, PIECE = 200, 1024 * 1024
FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MOST_FILES},
        "userId": {"type": "string", "maxLength": 256},
        "projectId": {"type": "string", "maxLength": 200},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
    },
}
BODY = {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}
TOO_LARGE: dict[int | str, dict[str, Any]] = {413: {"model": Problem, "description": "A file or the body is too large"}}
SEVERAL: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "Several owners have a document of this id: say whose"}
}
LABELS: TypeAdapter[tuple[str | None, tuple[str, ...]]] = TypeAdapter(tuple[Id | None, Tags])
Owner = Annotated[str | None, Query(max_length=256)]


class Uploaded(Model):
    """A document as it came; a job takes it as it is. `fileType` is what its name says, until it is read."""

    id: str
    filename: str
    file_type: str | None
    file_size: int
    content_hash: str
    status: DocumentStatus


class UploadedFiles(Model):
    documents: list[Uploaded]


class DocumentView(Model):
    """A document. `chunkCount`: by how many chunks it is found; sizes of chunks in tokens, `fileSize` in bytes."""

    id: str
    filename: str
    file_type: str | None
    file_size: int
    content_hash: str
    status: DocumentStatus
    error: Remark | None
    notes: tuple[Remark, ...]
    title: str | None
    pages: int
    chunk_count: int
    chunk_size: int | None
    overlap: int | None
    tags: tuple[str, ...]
    project_id: str | None

    @classmethod
    def of(cls, document: Document) -> "DocumentView":
        return cls.model_validate({**vars(document), "file_size": document.size})


@router.post(
    "", status_code=201, response_model=UploadedFiles, responses=TOO_LARGE, openapi_extra={"requestBody": BODY}
)
async def upload(request: Request, given: Given, caller: Auth) -> Response:
    """Keep documents, all of them or none; the same bytes are kept once.

    Fields `file` (up to 200), `userId` (or `owner`), `projectId` and `tags` (repeated, or separated by commas). What is
    answered goes as it is into `documents` of a `bulk-document-processing` job, which makes them findable.
    """
    settings = given.settings
    async with uploads.form(request, max_bytes=settings.upload_max_bytes, max_files=MOST_FILES) as form:
        owner = caller.writes_of(uploads.word(form, "userId") or uploads.word(form, "owner"))
        project, tags = _labels(form)
        with ExitStack() as spools:
            documents: list[GivenDocument] = []
            for file in uploads.files(form):
                spool = spools.enter_context(spooling(settings.document_max_bytes))
                await _copy(file, spool)
                name = tidy(file.filename or "")
                suffix = PurePath(name).suffix.lstrip(".").lower()[:20] or None
                documents.append(GivenDocument(str(uuid4()), name, spool, suffix, project, tags))
            kept = await given.documents.give(owner, documents)
    shown = [Uploaded.model_validate({**vars(one), "file_size": one.size}) for one in kept]
    return reply({"documents": [one.model_dump(mode="json", by_alias=True) for one in shown]}, 201)


@router.get("/search", response_model=Answers)
async def search(
    given: Given,
    caller: Auth,
    q: Annotated[str, Query(min_length=1, max_length=2000, description="A question, or words.")],
    project_id: Annotated[str | None, Query(alias="projectId", max_length=200)] = None,
    tag: Annotated[str | None, Query(max_length=128)] = None,
    owner: Owner = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 5,
) -> Response:
    """The chunks of an owner's documents that answer best, best first: ranked by words (BM25) and, where embeddings
    are kept, by meaning. Any of the words may match."""
    whose = owner or "" if caller.grants is None else caller.reads_of(owner)
    return reply(await given.search.search(whose, q, project_id=project_id, tag=tag, limit=limit))


@router.get("/{document_id}", response_model=DocumentView, responses=SEVERAL)
async def get_document(document_id: str, given: Given, caller: Auth, owner: Owner = None) -> Response:
    """A document, and how far it is: `processing` while an open job works on it."""
    whose = owner if caller.grants is None else caller.reads_of(owner)
    return reply(DocumentView.of(await given.documents.get(whose, document_id)))


@router.delete("/{document_id}", status_code=204, responses=SEVERAL)
async def delete_document(document_id: str, given: Given, caller: Auth, owner: Owner = None) -> Response:
    """Take a document away, and all that is found of it."""
    whose = owner if caller.grants is None else caller.writes_of(owner)
    document = await given.documents.get(whose, document_id)
    await given.documents.delete(document.owner, document.id)
    return Response(status_code=204)


async def _copy(file: "UploadFile", spool: Spool) -> None:
    while data := await file.read(PIECE):
        await asyncio.to_thread(spool.write, data)


def _labels(form: "FormData") -> tuple[str | None, tuple[str, ...]]:
    """Project and tags; raises CallerError."""
    said = [one for one in form.getlist("tags") if isinstance(one, str)]
    tags = [tag.strip() for one in said for tag in one.split(",") if tag.strip()]
    try:
        return LABELS.validate_python((uploads.word(form, "projectId"), tuple(tags)))
    except ValidationError as error:
        places = ("/projectId", "/tags")
        raise InvalidPayload([(places[int(e["loc"][0])], e["msg"]) for e in error.errors()]) from None
