"""Events to receivers by the Standard Webhooks spec: signed, to guarded addresses, without following redirects."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Self

import httpcore2
import httpx2
from standardwebhooks import Webhook

from domain.errors import VendorError
from domain.telling import Receipt
from providers.guard import GuardedNetwork, Resolve, look_up
from providers.vendor import answering, retry_after
from providers.web import GuardedTransport, checked

USER_AGENT = "Longrun/0.1 (webhooks)"
WHO = "the receiver"


class WebhookPoster:
    """POSTs events. `allow` lists `host:port` pairs that may be private; `timeout` is in seconds for all of it.

    Raises VendorError: `bad_url` and `address_refused` do not heal; `unknown_host`, `timeout` and `connection` may.
    """

    def __init__(
        self,
        *,
        allow: Sequence[str] = (),
        timeout: float = 15.0,
        resolve: Resolve = look_up,
        network: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._timeout = timeout
        self._http = httpx2.AsyncClient(
            transport=GuardedTransport(GuardedNetwork(allow, resolve=resolve, network=network)),
            headers={"User-Agent": USER_AGENT, "Content-Type": "application/json"},
            follow_redirects=False,
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 5.0)),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def post(self, url: str, *, event_id: str, body: bytes, secrets: Sequence[str]) -> Receipt:
        """Any status is an answer; its body is not read."""
        target, headers = checked(url), signed(event_id, body, secrets)
        try:
            async with asyncio.timeout(self._timeout):
                with answering(WHO):
                    async with self._http.stream("POST", target, content=body, headers=headers) as response:
                        return Receipt(response.status_code, retry_after(response.headers))
        except TimeoutError as error:
            raise VendorError(f"{WHO} did not answer in time", code="timeout") from error


def signed(event_id: str, body: bytes, secrets: Sequence[str], now: datetime | None = None) -> dict[str, str]:
    """The headers of Standard Webhooks, with a signature for each secret."""
    now = now or datetime.now(UTC)
    signatures = [Webhook(secret).sign(event_id, now, body.decode()) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
