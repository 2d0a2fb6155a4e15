"""Letters over real SMTP: both parts, logins, TLS, and what a refusal means."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from domain.errors import VendorError
from domain.telling import Letter
from local import ports
from providers.mail import Mail
from tests.support.mail_server import CERTIFICATE, PASSWORD, USER, MailServer

LETTER = Letter("evt_1_completed", "Completed: Müsli & Co", "Done: 4 of 4.\n", "<p>Done: 4 of 4 &amp; more.</p>\n")
SENDER = "Longrun Jobs <jobs@service.example>"
CREDENTIALS = f"{USER}:{quote(PASSWORD, safe='')}"
TO = "ann@example.com"


@pytest.fixture(autouse=True)
def believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test server's certificate holds."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


async def test_a_letter_has_both_parts_and_a_name_of_its_own() -> None:
    async with MailServer() as server:
        await Mail(f"smtp://{server.authority}", sender=SENDER).send(TO, LETTER)
    [letter] = server.letters
    assert (letter.sender, letter.to) == ("jobs@service.example", [TO])
    message = letter.message
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, TO, LETTER.subject)
    assert message["Message-ID"] == "<evt_1_completed@service.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    told = [part.get_content().replace("\r\n", "\n") for part in (plain, html)]
    assert told == [LETTER.text, LETTER.html]


@pytest.mark.parametrize(
    ("scheme", "tls"), [("smtps", "always"), ("smtp+starttls", "starttls"), ("smtp", "starttls"), ("smtp", None)]
)
async def test_logins_and_tls(scheme: str, tls: str | None) -> None:
    async with MailServer(tls=tls, login=True) as server:
        await Mail(f"{scheme}://{CREDENTIALS}@{server.authority}", sender=SENDER).send(TO, LETTER)
    [letter] = server.letters
    assert (letter.encrypted, letter.login) == (tls is not None, USER)


async def test_tls_that_is_asked_for_is_not_done_without() -> None:
    async with MailServer(login=True) as server:
        with pytest.raises(VendorError) as caught:
            await Mail(f"smtp+starttls://{CREDENTIALS}@{server.authority}", sender=SENDER).send(TO, LETTER)
    assert (caught.value.code, caught.value.again, server.letters) == ("connection", True, [])


async def test_a_certificate_that_nobody_vouches_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    async with MailServer(tls="always") as server:
        with pytest.raises(VendorError) as caught:
            await Mail(f"smtps://{server.authority}", sender=SENDER).send(TO, LETTER)
    assert caught.value.code == "connection"


async def test_a_wrong_password_may_be_mended() -> None:
    async with MailServer(login=True) as server:
        with pytest.raises(VendorError) as caught:
            await Mail(f"smtp://{USER}:wrong@{server.authority}", sender=SENDER).send(TO, LETTER)
    assert (caught.value.code, caught.value.again) == ("mail_credentials", True)


@pytest.mark.parametrize(("said", "again"), [("451 4.7.1 greylisted <ann@example.com>", True), ("550 no", False)])
async def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_not(said: str, again: bool) -> None:
    async with MailServer() as server:
        server.refusals.append(said)
        mail = Mail(f"smtp://{server.authority}", sender=SENDER)
        with pytest.raises(VendorError) as caught:
            await mail.send(TO, LETTER)
        assert (caught.value.code, caught.value.again) == (f"smtp_{said[:3]}", again)
        assert TO not in caught.value.message
        await mail.send(TO, LETTER)
    assert len(server.letters) == 1


async def test_who_is_not_known_there_is_not_asked_for_again() -> None:
    async with MailServer() as server:
        server.unknown.add(TO)
        with pytest.raises(VendorError) as caught:
            await Mail(f"smtp://{server.authority}", sender=SENDER).send(TO, LETTER)
    assert (caught.value.code, caught.value.again, server.letters) == ("smtp_550", False, [])


async def test_a_server_that_is_away_may_come_back() -> None:
    with pytest.raises(VendorError) as caught:
        await Mail(f"smtp://127.0.0.1:{ports.free()}", sender=SENDER).send(TO, LETTER)
    assert (caught.value.code, caught.value.again) == ("connection", True)


@pytest.mark.parametrize("to", ["nobody", "ann@example.com\nBcc: eve@example.com", ""])
async def test_what_is_no_address_is_sent_nothing(to: str) -> None:
    async with MailServer() as server:
        with pytest.raises(VendorError) as caught:
            await Mail(f"smtp://{server.authority}", sender=SENDER).send(to, LETTER)
    assert (caught.value.code, caught.value.again, server.letters) == ("bad_address", False, [])


async def test_a_subject_adds_no_header() -> None:
    async with MailServer() as server:
        mail = Mail(f"smtp://{server.authority}", sender=SENDER)
        with pytest.raises(VendorError):
            await mail.send(TO, replace(LETTER, subject="x\nBcc: eve@example.com"))
    assert server.letters == []


@pytest.mark.parametrize(("url", "sender"), [("http://x", SENDER), ("smtp://", SENDER), ("smtp://mail", "nobody")])
def test_settings_that_cannot_be_used_are_refused(url: str, sender: str) -> None:
    with pytest.raises(ValueError, match=r"say|sender"):
        Mail(url, sender=sender)
