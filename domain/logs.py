"""Structured logs: one JSON object a line, with `jobId` and `kind`, never payloads, results, tokens or addresses."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

TRACEBACKS = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def _types_and_places_only(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Exceptions without their words, which may quote payloads; ours are logged by `code`."""
    for error in event.get("exception") or ():
        error.pop("exc_value", None)
        error.pop("exc_notes", None)
    return event


def configure(level: str = "info") -> None:
    """Once a process. Libraries' own loggers speak through the same lines, from warning up."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            TRACEBACKS,
            _types_and_places_only,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            TRACEBACKS,
            _types_and_places_only,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # a failed attempt is the ledger interceptor's to tell, with its code
    logging.getLogger("temporalio.activity").setLevel(logging.ERROR)
