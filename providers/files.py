"""Files behind addresses that users name."""

from pathlib import Path
from typing import TYPE_CHECKING

from providers.vendor import refused_status

if TYPE_CHECKING:
    from providers.web import GuardedClient


class Files:
    """Fits domain.protocols.FileFetcher. The client guards addresses, size and time; `who` names the other side."""

    def __init__(self, client: "GuardedClient", who: str = "the document's server") -> None:
        self._client, self._who = client, who

    async def fetch(self, url: str) -> bytes:
        """Raises VendorError, RateLimited."""
        found = await self._client.get(url)
        if found.status >= 300:
            raise refused_status(found.status, found.headers, self._who)
        return found.body

    async def save(self, url: str, path: Path) -> None:
        """The same into a file, however large. Raises VendorError, RateLimited."""
        found = await self._client.save(url, path)
        if found.status >= 300:
            raise refused_status(found.status, found.headers, self._who)
