"""The product's rows in a Supabase project, by PostgREST, as supabase_rows.toml maps them."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from domain.connectors import at
from domain.errors import JobError, VendorError
from domain.model import Model
from domain.rows import RowKind, TheirRow
from domain.storable import storable
from providers.supabase import WHO, Supabase

UNREADABLE = "the product's row does not say what a job needs, or not as it should"


class Table(Model):
    """`read`: the product's column for each of TheirRow's fields. `written`: for each of the product's columns the
    dotted path of what stands there."""

    table: str = Field(min_length=1)
    id: str = "id"
    read: dict[str, str]
    written: dict[str, str]


def tables(path: Path | None = None) -> Mapping[RowKind, Table]:
    """The map of that file, or ours. Raises ValueError for one that cannot be used."""
    try:
        text = path.read_text("utf-8") if path else files("providers").joinpath("supabase_rows.toml").read_text("utf-8")
        found = TypeAdapter(dict[RowKind, Table]).validate_python(tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ValueError(f"LONGRUN_ROWS_MAP cannot be used: {error}") from None
    for kind, table in found.items():
        if "user_id" not in table.read or table.read.keys() - TheirRow.model_fields.keys():
            raise ValueError(f"LONGRUN_ROWS_MAP cannot be used: [{kind}.read] must name user_id, and nothing unknown")
    return found


class SupabaseRows:
    """Fits domain.rows.Rows. A kind that the map leaves out has no rows there."""

    def __init__(self, supabase: Supabase, map_: Mapping[RowKind, Table]) -> None:
        self._supabase, self._tables = supabase, map_

    async def read(self, kind: RowKind, row_id: UUID, *, timeout: float | None = None) -> TheirRow | None:
        table = self._tables.get(kind)
        if table is None:
            return None
        asked = {"select": ",".join(dict.fromkeys(table.read.values())), table.id: f"eq.{row_id}"}
        rows = _listed(await self._supabase.ask("GET", _path(table), params=asked, timeout=timeout))
        if not rows:
            return None
        try:
            return TheirRow.model_validate({ours: rows[0].get(theirs) for ours, theirs in table.read.items()})
        except ValidationError:
            raise JobError(UNREADABLE, code="row_unreadable") from None

    async def write(self, kind: RowKind, row_id: UUID, document: Mapping[str, Any]) -> bool:
        table = self._tables.get(kind)
        if table is None:
            return False
        said = {
            theirs: value
            for theirs, ours in table.written.items()
            if ours.partition(".")[0] in document
            for value in (at(document, ours),)
            # an error that is over is taken away; what was not found leaves what is there
            if value not in (None, "", [], {}) or ours.startswith("error")
        }
        asked = {table.id: f"eq.{row_id}", "select": table.id}
        headers = {"prefer": "return=representation"}
        request: dict[str, Any] = {"params": asked, "json": storable(said), "headers": headers}
        return bool(_listed(await self._supabase.ask("PATCH", _path(table), **request)))


def _path(table: Table) -> str:
    return f"/rest/v1/{quote(table.table, safe='')}"


def _listed(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list) or not all(isinstance(row, dict) for row in cast("list[Any]", answer)):
        raise VendorError(f"{WHO} sent a broken answer", code="bad_response")
    return cast("list[dict[str, Any]]", answer)


def chosen(name: str, supabase: Supabase | None, path: Path | None) -> SupabaseRows | None:
    """The product's rows; None where `name` says that rows are the ledger's own. Raises ValueError where the settings
    cannot be used."""
    if name == "ledger":
        return None
    if name != "supabase":
        raise ValueError("LONGRUN_ROWS must be ledger or supabase")
    if supabase is None:
        raise ValueError("LONGRUN_ROWS=supabase needs SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY")
    return SupabaseRows(supabase, tables(path))
