"""A mail server on loopback for tests: aiosmtpd, which speaks the whole protocol, keeping what it is given.

`tls/` holds a certificate for this machine alone, and its key; who has SSL_CERT_FILE name the former believes it.
"""

import asyncio
import ssl
import warnings
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support import listening

CERTIFICATE = Path(__file__).with_name("tls") / "certificate.pem"
USER, PASSWORD = "longrun", "pa:ss@word"


@dataclass(frozen=True)
class Received:
    """A letter as it came: the envelope's addresses, and whether the way was encrypted and its sender logged in."""

    sender: str
    to: list[str]
    message: EmailMessage
    encrypted: bool
    login: str | None


class MailServer:
    """`refusals` are said to the next letters, one each, before any is taken; `unknown` addresses get none.

    `tls` is None, "starttls" or "always".
    """

    def __init__(self, *, tls: str | None = None, login: bool = False) -> None:
        self.letters: list[Received] = []
        self.refusals: list[str] = []
        self.unknown: set[str] = set()
        self.port = 0
        self._tls, self._login = tls, login
        self._server: asyncio.Server | None = None
        self._spoken: list[SMTP] = []

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_name("key.pem"))
        options: dict[str, Any] = {
            "tls_context": context if self._tls == "starttls" else None,
            "authenticator": self._authenticate if self._login else None,
            "auth_required": self._login,
            "auth_require_tls": False,
            "hostname": "mail.test",
        }
        self._server = await asyncio.get_running_loop().create_server(
            lambda: self._speaking(options), "127.0.0.1", 0, ssl=context if self._tls == "always" else None
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        listening.close(self._server)
        await listening.handed_over()
        await self._server.wait_closed()
        for smtp in self._spoken:
            if smtp.transport is not None:
                smtp.transport.close()
        await asyncio.sleep(0)

    def _speaking(self, options: dict[str, Any]) -> SMTP:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of logins without TLS, which are meant
            self._spoken.append(SMTP(self, **options))
        return self._spoken[-1]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called by aiosmtpd by this name."""
        if address in self.unknown:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by aiosmtpd by this name."""
        if self.refusals:
            return self.refusals.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        encrypted = server.transport is not None and server.transport.get_extra_info("sslcontext") is not None
        data: Any = session.auth_data
        login = data.login.decode() if data else None
        self.letters.append(Received(envelope.mail_from or "", list(envelope.rcpt_tos), message, encrypted, login))
        return "250 kept"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        good = isinstance(data, LoginPassword) and data == LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False, auth_data=data)
