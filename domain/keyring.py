"""Secrets that nobody has to keep: each is derived from a secret key of the service by HMAC-SHA256 and a label.

| label                  | what                                                     | spelt                    |
|------------------------|----------------------------------------------------------|--------------------------|
| `longrun:tasks`        | signs what the service sends to the application          | `whsec_` + base64        |
| `longrun:job:<job id>` | signs what an outside party sends back about one job     | `whsec_` + base64        |
| `longrun:wait:<id>`    | the token in the URL of one waitpoint                    | base64url, no padding    |
"""

import hmac
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from domain.telling import PREFIX


class Keyring:
    """`keys` are the service's secret keys. The first one signs; what any of them has signed is believed."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def __bool__(self) -> bool:
        return bool(self._keys)

    @property
    def signing_secret(self) -> str:
        """What the application verifies our requests with. Raises IndexError without a key, as all of these do."""
        return _secret(self._keys[0], "longrun:tasks")

    def execution_secret(self, job_id: UUID) -> str:
        """One job's own secret, handed to the outside party that works for it."""
        return _secret(self._keys[0], f"longrun:job:{job_id}")

    def execution_secrets(self, job_id: UUID) -> list[str]:
        """Every secret that may have been handed out for the job: keys are rotated while jobs wait."""
        return [_secret(key, f"longrun:job:{job_id}") for key in self._keys]

    def wait_token(self, waitpoint_id: UUID) -> str:
        """The same whenever it is asked for, so that a retry shows the same URL."""
        return urlsafe_b64encode(_derived(self._keys[0], f"longrun:wait:{waitpoint_id}")).decode().rstrip("=")


def digest(token: str) -> bytes:
    """What the ledger keeps of a token."""
    return sha256(token.encode()).digest()


def _derived(key: str, label: str) -> bytes:
    return hmac.digest(key.encode(), label.encode(), "sha256")


def _secret(key: str, label: str) -> str:
    return PREFIX + b64encode(_derived(key, label)).decode()
