"""What grows old: contents are blanked and histories folded in small portions; rows and figures stay."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ledger.database import sql

if TYPE_CHECKING:
    from ledger.database import Database

PORTION = 200


@dataclass(frozen=True)
class Keep:
    """For how long after a job's end; None: for ever. `events` holds for single steps in the audit too."""

    contents: timedelta | None = None
    events: timedelta | None = None

    @classmethod
    def days(cls, contents: float, events: float) -> "Keep":
        """0 is for ever."""
        return cls(*(timedelta(days=days) if days > 0 else None for days in (contents, events)))


class Retention:
    """Each portion is one short transaction that skips rows which somebody holds, and remembers how far it came."""

    def __init__(self, database: "Database", keep: Keep, *, portion: int = PORTION) -> None:
        self._database, self._keep, self._portion = database, keep, portion

    async def run(self, seconds: float) -> dict[str, int]:
        """Work on what is due until nothing is left or the time is over: {blanked, folded, keys, exports} done
        now."""
        deadline = asyncio.get_running_loop().time() + seconds
        done = {"blanked": 0, "folded": 0, "keys": 0, "exports": 0}
        if self._keep.contents is not None:
            done["blanked"] = await self._portions(sql("blank"), deadline, self._keep.contents)
        if self._keep.events is not None:
            done["folded"] = await self._portions(sql("fold"), deadline, self._keep.events)
        done["keys"] = await self._portions(EXPIRED_KEYS, deadline)
        done["exports"] = await self._portions(LEFT_EXPORTS, deadline)
        return done

    async def _portions(self, query: str, deadline: float, *args: Any) -> int:
        done, more = 0, True
        while more and asyncio.get_running_loop().time() < deadline:
            row = await self._database.row(query, *args, self._portion)
            if row is None:
                break
            done, more = done + row["done"], row["more"]
        return done


EXPIRED_KEYS = """
WITH gone AS (
    DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_keys WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED))
    RETURNING job_id
)
SELECT count(*) AS done, count(*) = $1 AS more FROM gone
"""

# Exports whose import failed or was canceled a week ago: a replay may still have wanted them. They are large: one at a
# time.
LEFT_EXPORTS = """
WITH gone AS (
    DELETE FROM blob_uses WHERE ctid = ANY (ARRAY(
        SELECT u.ctid FROM blob_uses u JOIN blobs b USING (hash)
        WHERE u.name LIKE 'export:%' AND b.created_at < now() - interval '7 days' AND NOT EXISTS (
            SELECT FROM jobs j WHERE j.owner = u.owner AND j.kind = 'import-run-export'
                AND j.status IN ('queued', 'delayed', 'running'))
        LIMIT least($1::integer, 1)))
    RETURNING hash
)
SELECT count(*) AS done, count(*) > 0 AS more FROM gone
"""
