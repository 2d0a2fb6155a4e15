"""Files behind addresses that users name."""

from typing import TYPE_CHECKING

from providers.vendor import refused_status

if TYPE_CHECKING:
    from providers.web import GuardedClient


class Files:
    """Fits domain.protocols.FileFetcher. The client guards addresses, size and time."""

    def __init__(self, client: "GuardedClient") -> None:
        self._client = client

    async def fetch(self, url: str) -> bytes:
        """Raises VendorError, RateLimited."""
        found = await self._client.get(url)
        if found.status >= 300:
            raise refused_status(found.status, found.headers, "the document's server")
        return found.body
