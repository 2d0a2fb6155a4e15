"""The words of telling the world: events and their names, secrets, and who carries a message."""

import base64
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, BeforeValidator, HttpUrl

ALIASES = {
    "RUN_STARTED": "job.started",
    "RUN_COMPLETED": "job.completed",
    "RUN_FAILED": "job.failed",
    "RUN_CANCELED": "job.canceled",
}
EVENTS = ("job.started", "job.completed", "job.failed", "job.canceled", "job.expired")
EventName = Annotated[
    Literal["job.started", "job.completed", "job.failed", "job.canceled", "job.expired"],
    BeforeValidator(lambda name: ALIASES.get(name, name) if isinstance(name, str) else name),
]
EMAIL = r"^[^@\s<>\"',;:\\()\[\]]+@[^@\s<>\"',;:\\()\[\]]+$"
PREFIX = "whsec_"
SECRET_BYTES = 32
LABEL = b"longrun:webhooks"


def _plain(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        raise ValueError("a webhook's address holds no user or password: messages are signed")
    return url


WebhookUrl = Annotated[HttpUrl, AfterValidator(_plain)]


def new_secret() -> str:
    """A secret as Standard Webhooks writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def webhook_secret(api_key: str) -> str:
    """What signs the webhooks that jobs bring themselves: whoever holds the API key can derive it, and nobody else.

    It signs nothing else: an owner's token may name any address, so a message must pass for nothing but what it is.
    """
    return PREFIX + base64.b64encode(hmac.digest(api_key.encode(), LABEL, "sha256")).decode()


@dataclass(frozen=True)
class Receipt:
    """A receiver's answer; `retry_after` is in seconds, or None where it does not ask."""

    status: int
    retry_after: float | None = None


@dataclass(frozen=True)
class Letter:
    """An e-mail; `id` is the same however often it is sent."""

    id: str
    subject: str
    text: str
    html: str


class Poster(Protocol):
    """Carries an event to a URL. Raises VendorError when there is no answer."""

    async def post(self, url: str, *, event_id: str, body: bytes, secrets: Sequence[str]) -> Receipt: ...


class Postman(Protocol):
    """Carries a letter to an address. Raises VendorError; one that does not heal is not worth another attempt."""

    async def send(self, to: str, letter: Letter) -> None: ...
