"""The product's own tables: copied from and told where the settings name them, else the ledger's rows alone."""

from functools import lru_cache

from activities.elsewhere import InterviewsElsewhere, PostingsElsewhere, RowsElsewhere
from activities.elsewhere_documents import documents
from assembly.parts import Parts
from engine.elsewhere import TellingElsewhere
from ledger.elsewhere import Elsewhere
from ledger.interview_work import InterviewWork
from ledger.interviews import Interviews
from ledger.postings import Postings
from providers.supabase import Supabase, connected
from providers.supabase_rows import chosen


@lru_cache(1)
def supabase(parts: Parts) -> Supabase | None:
    """The product's project, one for all rooms. Ends the process where the settings cannot be used."""
    settings = parts.settings
    try:
        project = connected(settings.supabase_url, settings.supabase_service_role_key)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    if project is not None:
        parts.opened.push_async_callback(project.aclose)
    return project


def postings(parts: Parts) -> Postings:
    """Job positions as their job works on them."""
    rows = _rows(parts)
    return PostingsElsewhere(parts.database, rows) if rows else Postings(parts.database)


def interviews(parts: Parts) -> InterviewWork:
    """Interviews as their job works on them."""
    rows = _rows(parts)
    return InterviewsElsewhere(parts.database, rows) if rows else InterviewWork(parts.database)


def telling(parts: Parts) -> TellingElsewhere | None:
    """Who tells the product's tables how jobs ended; None where there are none."""
    rows = _rows(parts)
    return TellingElsewhere(rows, Elsewhere(parts.database)) if rows else None


@lru_cache(1)
def _rows(parts: Parts) -> RowsElsewhere | None:
    database, settings = parts.database, parts.settings
    try:
        rows = chosen(settings.rows, supabase(parts), settings.rows_map)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    if rows is None:
        return None
    return RowsElsewhere(rows, Elsewhere(database), documents(Postings(database), Interviews(database)))
