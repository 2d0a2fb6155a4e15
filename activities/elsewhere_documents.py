"""What the product's rows are told of what a job has found, in the wire's words."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    from activities.elsewhere import Document
    from domain.interviews.item import Answer, Interview
    from domain.model import Model
    from domain.rows import RowKind
    from ledger.interviews import Interviews
    from ledger.postings import PostingRow, Postings


def documents(postings: "Postings", interviews: "Interviews") -> "dict[RowKind, Document]":
    async def posting(row_id: "UUID", job_id: "UUID") -> Mapping[str, Any] | None:
        return _of(await postings.get(row_id), job_id, _posting)

    async def interview(row_id: "UUID", job_id: "UUID") -> Mapping[str, Any] | None:
        return _of(await interviews.get(row_id), job_id, _interview)

    return {"posting": posting, "interview": interview}


def _of(row: Any, job_id: "UUID", said: Callable[[Any], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What it says, if it is there and that job has completed it."""
    if row is None or row.job_id != job_id or row.processing_status != "completed":
        return None
    return {**said(row), "answeredBy": row.answered_by, "reason": row.reason, "model": row.model}


def _posting(row: "PostingRow") -> Mapping[str, Any]:
    details = _json(row.details)
    return {**details, "details": details}


def _interview(row: "Interview") -> Mapping[str, Any]:
    audio, said, found = row.audio, row.transcript, row.analysis
    return {
        "durationSeconds": audio.seconds if audio else None,
        "container": audio.container if audio else None,
        "transcript": {**_json(said), "text": said.text} if said else None,
        "questions": [_question(answer) for answer in row.answers],
        "summary": found.summary if found else None,
        "improvements": list(found.improvements) if found else [],
        "trend": found.trend if found else None,
        "metrics": _json(found.measures) if found else None,
    }


def _question(answer: "Answer") -> Mapping[str, Any]:
    judged = _json(answer.judgement) if answer.judgement else {}
    asked = answer.question
    words = {"question": asked.question, "answer": asked.answer, "start": asked.start, "end": asked.end}
    return {**words, **judged, "judgedBy": answer.judged_by}


def _json(model: "Model") -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True)
