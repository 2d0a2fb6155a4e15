"""Who calls: a server with a secret key, or a browser with a token that such a key has signed."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import jwt

from api.errors import Unauthorized
from api.grants import Caller, Grants

ALGORITHM = "HS256"
SHORT = 32


def fingerprint(key: bytes) -> str:
    """A name for a key that the audit may show: it tells keys apart and gives none away, however often it is read.

    It is cut so short that a guessed key can hardly be confirmed by it.
    """
    return hashlib.sha256(b"longrun key " + key).hexdigest()[:8]


class Credentials:
    """The configured secret keys. Any of them verifies a token; the first one signs."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in keys]
        # HMAC pads a short key with zeros itself: the same signature, without a warning at each call.
        self._signing = [key.ljust(SHORT, b"\0") for key in self._keys]
        self._names = [f"key:{fingerprint(key)}" for key in self._keys]

    @property
    def weak(self) -> bool:
        """Whether a key is so short that a token could give it away."""
        return any(len(key) < SHORT for key in self._keys)

    def caller(self, credential: str | None) -> Caller:
        """Raises Unauthorized."""
        if not credential:
            raise Unauthorized("send `Authorization: Bearer <secret key or token>`")
        given = credential.encode()
        # every key is compared, so that the time taken says nothing about which one it was
        same = [hmac.compare_digest(given, key) for key in self._keys]
        if any(same):
            return Caller(self._names[same.index(True)])
        claims = self._claims(credential) if credential.count(".") == 2 else None
        if claims is None:
            raise Unauthorized("this key or token does not hold here, or no longer")
        owner, scopes = claims.get("sub"), claims.get("scopes")
        owner = owner if isinstance(owner, str) and owner else None
        named: list[Any] = scopes if isinstance(scopes, list) else []
        granted = Grants.of([scope for scope in named if isinstance(scope, str)], owner)
        return Caller(f"owner:{owner}" if owner else "token", granted)

    def mint(self, owner: str | None, scopes: Sequence[str], expires_at: datetime) -> str:
        claims: dict[str, Any] = {"scopes": list(scopes), "exp": expires_at, "iat": datetime.now(UTC)}
        if owner:
            claims["sub"] = owner
        return jwt.encode(claims, self._signing[0], algorithm=ALGORITHM)

    def _claims(self, token: str) -> dict[str, Any] | None:
        for key in self._signing:
            try:
                # the Trigger.dev client names an audience of its own
                return jwt.decode(token, key, algorithms=[ALGORITHM], options={"require": ["exp"], "verify_aud": False})
            except jwt.InvalidTokenError:
                continue
        return None
