"""Where the API is and who calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Target:
    """`timeout` and `patience` are in seconds. The key stays out of `repr`. ValueError when `url` is no http(s) URL."""

    url: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    patience: float = 60.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{self.url!r} is not the URL of an API: say http(s)://host[:port]")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """LONGRUN_URL and LONGRUN_API_KEY; blank is unset."""
        url, key = environ.get("LONGRUN_URL", "").strip(), environ.get("LONGRUN_API_KEY", "").strip()
        return cls(url or DEFAULT_URL, key or None)

    def options(self) -> dict[str, Any]:
        """Arguments of an httpx2 client, blocking or not."""
        return {
            "base_url": self.url,
            "headers": {"Accept": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {}),
            "timeout": self.timeout,
            # A proxy of the environment has no way to this machine's loopback.
            "trust_env": urlsplit(self.url).hostname not in ("127.0.0.1", "::1", "localhost"),
        }
