"""The product's own tables in its Supabase project, with the columns that supabase_rows.toml names."""

from typing import Any
from uuid import UUID, uuid4

from domain.rows import RowKind
from providers.supabase_rows import tables
from tests.support.supabase_server import Row, SupabaseServer


class TheirTables:
    """`job_positions` and `timeline_items` of a stand-in."""

    def __init__(self, server: SupabaseServer) -> None:
        self.server = server
        for table in tables().values():
            server.table(table.table)

    def add(self, kind: RowKind, user_id: str = "ann", **said: Any) -> UUID:
        """A row as the product's front door leaves it; its id."""
        table, row_id = tables()[kind], uuid4()
        columns = {table.id, *table.read.values(), *table.written}
        row: Row = dict.fromkeys(columns) | {"id": str(row_id), "user_id": user_id, "processing_status": "pending"}
        self.server.tables[table.table][row_id] = row | said
        return row_id

    def row(self, kind: RowKind, row_id: UUID) -> Row:
        return self.server.tables[tables()[kind].table][row_id]

    def delete(self, kind: RowKind, row_id: UUID) -> None:
        del self.server.tables[tables()[kind].table][row_id]
