"""Rows that the product keeps elsewhere, when a job is asked for that is about one."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from domain.errors import CallerError, JobError, VendorError

if TYPE_CHECKING:
    from domain.rows import RowKind, Rows
    from engine.submit import Check

log = structlog.get_logger()
# Nobody who asks for a job waits longer for the product's database.
ASK_SECONDS = 2.0


def or_elsewhere(check: "Check", rows: "Rows | None", kind: "RowKind", row_of: Callable[[Any], UUID]) -> "Check":
    """The kind's own check, and for a row that the ledger does not have one with the product's table.

    While that does not answer the job is accepted: who asks may ask once and never again, and the job itself finds out
    whether the row is there and whose it is (ADR 17).
    """
    if rows is None:
        return check

    async def checked(asked: Any, owner: str) -> None:
        try:
            await check(asked, owner)
            return
        except CallerError as error:
            if error.code != "not_found":
                raise
            refused = error
        try:
            row = await rows.read(kind, row_of(asked), timeout=ASK_SECONDS)
        except VendorError as error:
            log.warning("the product's table did not answer: accepted without a look", code=error.code, kind=kind)
            return
        except JobError as error:
            raise CallerError(error.message, code=error.code, pointer=refused.pointer) from None
        if row is None or owner not in ("", row.user_id):
            raise refused

    return checked
