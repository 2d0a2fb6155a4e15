"""`send_email`: a letter by the configured mail server."""

from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from pydantic import Field

from activities.tools.tool import Spec, Use
from domain.errors import JobError
from domain.model import Request
from domain.telling import EMAIL, Letter

if TYPE_CHECKING:
    from domain.telling import Postman


class Mail(Request):
    to: str = Field(pattern=EMAIL, max_length=320)
    subject: str = Field(min_length=1, max_length=200, pattern=r"^[^\r\n]+$")
    text: str = Field(min_length=1, max_length=50_000)


class SendEmail:
    """`postman` None: this service has no mail server. The letter's id is the same for all attempts."""

    spec = Spec(
        "send_email",
        "Send an e-mail.",
        Mail,
        timeout=timedelta(seconds=60),
        changes=lambda _: True,
        own_means=lambda _: True,
        by_model=False,
    )

    def __init__(self, postman: "Postman | None") -> None:
        self._postman, self.ready = postman, postman is not None

    async def use(self, asked: Mail, use: Use) -> dict[str, Any]:
        if self._postman is None:
            raise JobError("this service has no mail server", code="not_configured")
        await self._postman.send(asked.to, letter(use.key, asked.subject, asked.text))
        return {"sent": True}


def letter(key: str, subject: str, text: str) -> Letter:
    return Letter(id=key, subject=subject, text=text, html=f"<pre>{escape(text)}</pre>")
