"""E-mail by SMTP, plain and HTML in one message."""

from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib

from domain.errors import VendorError
from domain.telling import Letter

LOOPBACK = ("localhost", "127.0.0.1", "::1")
PORTS = {"smtp": 587, "smtp+starttls": 587, "smtps": 465}
PERMANENT = 500


class Mail:
    """Letters by one SMTP server.

    `url` is smtp://, smtp+starttls:// or smtps://, with user and password where the server wants them. smtp:// changes
    to TLS when the server offers that, and sends a password in the clear to nobody but this machine. Raises ValueError
    for a URL or a sender that cannot be read.
    """

    def __init__(self, url: str, *, sender: str, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("say smtp://, smtp+starttls:// or smtps://, then user:password@host:port")
        name, address = parseaddr(sender)
        if "@" not in address:
            raise ValueError("the sender is not an e-mail address")
        self._sender = str(Address(name, addr_spec=address))
        self._domain = address.rpartition("@")[2]
        must = parts.scheme == "smtp+starttls" or (parts.password is not None and parts.hostname not in LOOPBACK)
        tls = parts.scheme == "smtps"
        self._smtp: dict[str, Any] = {
            "hostname": parts.hostname,
            "port": parts.port or PORTS[parts.scheme],
            "username": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            "use_tls": tls,
            "start_tls": False if tls else (True if must else None),
            # else the library asks the resolver for this machine's name
            "local_hostname": self._domain,
            "timeout": timeout,
        }

    async def send(self, to: str, letter: Letter) -> None:
        """Hand the letter to the server. Raises VendorError; `refused` and `bad_address` do not heal."""
        try:
            await aiosmtplib.send(self._message(to, letter), sender=parseaddr(self._sender)[1], **self._smtp)
        except aiosmtplib.SMTPAuthenticationError as error:
            raise VendorError("the mail server did not accept our credentials", code="mail_credentials") from error
        except (aiosmtplib.SMTPResponseException, aiosmtplib.SMTPRecipientsRefused) as error:
            raise _refused(error) from None
        except TimeoutError as error:
            raise VendorError("the mail server did not answer in time", code="timeout") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise VendorError("the mail server could not be reached", code="connection") from error
        except (ValueError, IndexError, HeaderParseError):  # the library's own parser trips over some
            raise VendorError("this is no e-mail address", code="bad_address", retryable=False) from None

    def _message(self, to: str, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = Address(addr_spec=to)
        message["Subject"] = letter.subject
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{letter.id}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        return message


def _refused(error: aiosmtplib.SMTPResponseException | aiosmtplib.SMTPRecipientsRefused) -> VendorError:
    """The server's words are left out: they may quote the address."""
    refusals = error.recipients if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else [error]
    code = max(refusal.code for refusal in refusals)
    return VendorError(f"the mail server refused the letter ({code})", code=f"smtp_{code}", retryable=code < PERMANENT)
