"""What the worker's root hands to each product's room: settings and what all of them share."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from ledger.database import Database
from providers.mail import Mail
from providers.models import Models
from providers.web import GuardedClient
from settings import Settings

# a product's activities by the queue they are polled on
Activities = dict[str, Sequence[Callable[..., Any]]]


@dataclass(frozen=True)
class Parts:
    """`opened` is closed with the worker: what a room opens is pushed there."""

    settings: Settings
    database: Database
    models: Models
    opened: AsyncExitStack

    def guarded(self, *, timeout: float | None = None, max_bytes: int | None = None) -> GuardedClient:
        """A client for what is fetched on a user's word; seconds and bytes as the settings say."""
        client = GuardedClient(
            allow=self.settings.fetch_allow,
            timeout=timeout or self.settings.fetch_timeout_seconds,
            max_bytes=max_bytes or self.settings.fetch_max_bytes,
        )
        self.opened.push_async_callback(client.aclose)
        return client


def mail(settings: Settings) -> Mail | None:
    """Who sends letters; None where there is no mail server. Ends the process where the settings cannot be used."""
    try:
        return Mail(settings.smtp_url, sender=settings.email_from) if settings.smtp_url else None
    except ValueError as error:
        raise SystemExit(f"SMTP_URL or LONGRUN_EMAIL_FROM cannot be used: {error}") from None
