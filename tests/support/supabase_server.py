"""A Supabase project on loopback: PostgREST and Storage behind one gateway, in the words that the real ones use.

Written after supabase/storage (src/http/error-handler.ts, src/internal/errors/codes.ts) and PostgREST's reference of
errors.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from tests.support.site_server import Answer, Asked, SiteServer

SERVICE_KEY = "service-key-of-the-supabase-stand-in"
OBJECT, SIGN, REST = "/storage/v1/object/", "/storage/v1/object/sign/", "/rest/v1/"
Row = dict[str, Any]
Fault = Callable[[Asked], Answer | None]


def told(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, {"content-type": "application/json", **headers}, json.dumps(value))


def stored_error(status: int, code: str, message: str) -> Answer:
    """As the storage server says it: 400 to nearly all, the status in the body."""
    body = {"statusCode": str(status), "code": code, "error": code, "message": message}
    return told(body, 500 if status == 500 else 400)


class SupabaseServer(SiteServer):
    """`tables` hold rows by id, each with all of its table's columns; `buckets` hold objects by path. `fault` may
    answer in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, dict[UUID, Row]] = {}
        self.buckets: dict[str, dict[str, bytes]] = {}
        self.types: dict[str, str] = {}
        self.limit = 2_000_000
        self.fault: Fault | None = None

    def table(self, name: str, *rows: Row) -> dict[UUID, Row]:
        """A table with these rows."""
        self.tables[name] = {UUID(row["id"]): row for row in rows}
        return self.tables[name]

    async def _answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        self.hits[asked.path] += 1
        if self.fault and (answer := self.fault(asked)):
            return answer
        if asked.headers.get("apikey") != SERVICE_KEY and "token=" not in asked.target:
            return told({"message": "Invalid API key", "hint": "Double check your Supabase `anon` or key."}, 401)
        if asked.path.startswith(SIGN) and asked.method == "POST":
            return self._sign(unquote(asked.path.removeprefix(SIGN)))
        if asked.path.startswith(OBJECT):
            return self._object(asked, unquote(asked.path.removeprefix(OBJECT).removeprefix("sign/")))
        if asked.path.startswith(REST):
            return self._rows(asked, asked.path.removeprefix(REST))
        return told({"message": "no Route matched with those values"}, 404)

    def _sign(self, place: str) -> Answer:
        bucket, _, path = place.partition("/")
        if path not in self.buckets.get(bucket, {}):
            return stored_error(404, "not_found", "Object not found")
        return told({"signedURL": f"/object/sign/{place}?token=signed"})

    def _object(self, asked: Asked, place: str) -> Answer:
        bucket, _, path = place.partition("/")
        objects = self.buckets.get(bucket)
        if objects is None:
            return stored_error(404, "Bucket not found", "Bucket not found")
        if asked.method == "POST":
            if len(asked.body) > self.limit:
                return stored_error(413, "Payload too large", "The object exceeded the maximum allowed size")
            if path in objects and asked.headers.get("x-upsert") != "true":
                return stored_error(409, "Duplicate", "The resource already exists")
            objects[path], self.types[place] = asked.body, asked.headers["content-type"]
            return told({"Id": "1", "Key": place})
        if path not in objects:
            return stored_error(404, "not_found", "Object not found")
        if asked.method == "DELETE":
            del objects[path]
            return told({"message": "Successfully deleted"})
        return _part(objects[path], asked.headers)

    def _rows(self, asked: Asked, table: str) -> Answer:
        rows, query = self.tables.get(table), parse_qs(urlsplit(asked.target).query)
        if rows is None:
            message = f"Could not find the table 'public.{table}' in the schema cache"
            return told({"code": "PGRST205", "details": None, "hint": None, "message": message}, 404)
        rows = dict(rows)  # the tests' own thread may add some meanwhile
        columns = set().union(*rows.values()) if rows else {"id"}
        [(name, value)] = [(name, said[0]) for name, said in query.items() if name != "select"]
        selected = query.get("select", ["*"])[0].split(",")
        if rows and (unknown := [one for one in [name, *selected] if one != "*" and one not in columns]):
            message = f"column {table}.{unknown[0]} does not exist"
            return told({"code": "42703", "details": None, "hint": None, "message": message}, 400)
        found = [row for row in rows.values() if f"eq.{row[name]}" == value]
        if asked.method == "PATCH":
            said = json.loads(asked.body)
            if rows and (unknown := [one for one in said if one not in columns]):
                message = f"Could not find the '{unknown[0]}' column of '{table}' in the schema cache"
                return told({"code": "PGRST204", "details": None, "hint": None, "message": message}, 400)
            for row in found:
                row.update(said)
        return told([{name: row[name] for name in columns if selected == ["*"] or name in selected} for row in found])


def _part(body: bytes, headers: Mapping[str, str]) -> Answer:
    if not (said := headers.get("range", "").removeprefix("bytes=")):
        return Answer(200, {"content-type": "audio/mpeg"}, body)
    first, _, last = said.partition("-")
    start, end = int(first), min(int(last or len(body)), len(body) - 1)
    if start > end:
        return stored_error(416, "InvalidRange", "The requested range is not satisfiable")
    part = {"content-type": "audio/mpeg", "content-range": f"bytes {start}-{end}/{len(body)}"}
    return Answer(206, part, body[start : end + 1])
