"""A message: its headers, its body as plain text or else from HTML, and the names of what is attached."""

from email import message_from_bytes, policy
from email.message import MIMEPart

from domain.documents import DocumentRefused
from providers.documents.decoding import decoded
from providers.documents.draft import Draft, one_line
from providers.documents.from_html import read_html

HEADERS = ("From", "To", "Cc", "Date")
# A plain part shorter than this beside an HTML part says "see the HTML version".
TELLING = 200


def read_eml(data: bytes, draft: Draft) -> str | None:
    """Answers the subject."""
    try:
        message = message_from_bytes(data, policy=policy.default)
        plain, html = message.get_body(("plain",)), message.get_body(("html",))
        attached = [one_line(part.get_filename() or part.get_content_type()) for part in message.iter_attachments()]
    except RecursionError as deep:
        raise DocumentRefused("bomb", "nested too deeply") from deep
    subject = one_line(str(message["Subject"] or ""))
    draft.heading(1, subject)
    draft.block("\n".join(f"{name}: {one_line(str(message[name]))}" for name in HEADERS if message[name]))
    text = _text(plain)
    if html is not None and len(text.strip()) < TELLING:
        read_html(_text(html), draft)
    else:
        draft.block(text)
    draft.block("\n".join(["Attachments:", *(f"- {name}" for name in attached)]) if attached else "")
    return subject or None


def _text(part: MIMEPart | None) -> str:
    """The part's text; a charset that it lies about is guessed."""
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):
        payload = part.get_payload(decode=True)
        return decoded(payload)[0] if isinstance(payload, bytes) else ""
