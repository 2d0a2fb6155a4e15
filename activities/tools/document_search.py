"""`document_search`: passages of the owner's own documents."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import Field

from activities.tools.tool import Spec, Use
from domain.errors import JobError
from domain.model import Request

if TYPE_CHECKING:
    from domain.protocols import DocumentSearch


class DocumentQuery(Request):
    q: str = Field(min_length=1, max_length=1000)
    project_id: str | None = Field(default=None, max_length=200)
    tag: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=5, ge=1, le=20)


class SearchDocuments:
    """`documents` None: this service keeps no index of documents."""

    spec = Spec("document_search", "Search the user's own documents.", DocumentQuery, timeout=timedelta(seconds=30))

    def __init__(self, documents: "DocumentSearch | None") -> None:
        self._documents, self.ready = documents, documents is not None

    async def use(self, asked: DocumentQuery, use: Use) -> dict[str, Any]:
        if self._documents is None:
            raise JobError("this service keeps no index of documents", code="not_configured")
        found = await self._documents.search(
            use.owner, asked.q, project_id=asked.project_id, tag=asked.tag, limit=asked.limit
        )
        return found.model_dump(mode="json", by_alias=True)
