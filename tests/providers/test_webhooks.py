"""Events on their way to a receiver: what is signed, where they may go, and how long that may take."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from domain.errors import VendorError
from domain.telling import Receipt, new_secret, webhook_secret
from providers.webhooks import WebhookPoster, signed
from tests.support.site_server import Answer, SiteServer, redirect

BODY = b'{"type":"job.completed"}'
# the example of the Standard Webhooks specification
SPEC_SECRET, SPEC_ID = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
SPEC_BODY, SPEC_AT = b'{"test": 2432232314}', datetime.fromtimestamp(1614265330, UTC)
SPEC_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.fixture
async def site() -> AsyncIterator[SiteServer]:
    async with SiteServer() as site:
        yield site


def test_the_signature_is_that_of_the_specification() -> None:
    assert signed(SPEC_ID, SPEC_BODY, [SPEC_SECRET], SPEC_AT) == {
        "webhook-id": SPEC_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SPEC_SIGNATURE,
    }


def test_a_secret_of_jobs_is_derived_as_it_is_documented() -> None:
    """printf %s longrun:webhooks | openssl dgst -sha256 -hmac a-key -binary | base64"""
    assert webhook_secret("a-key") == "whsec_ayrsrNAmhqEz1OqpE77wlVwn4ngZbzxaRKKaxHnpT3c="


async def test_each_secret_signs(site: SiteServer) -> None:
    site.routes["/hook"] = Answer(202, {"retry-after": "7"}, body="x" * 1000)
    secrets = [new_secret(), new_secret()]
    async with WebhookPoster(allow=[site.authority]) as poster:
        receipt = await poster.post(f"{site.url}/hook", event_id="evt_1", body=BODY, secrets=secrets)
    assert receipt == Receipt(202, 7.0)
    [asked] = site.asked
    assert (asked.method, asked.body, asked.headers["content-type"]) == ("POST", BODY, "application/json")
    for secret in secrets:
        assert Webhook(secret).verify(asked.body, dict(asked.headers)) == {"type": "job.completed"}


async def test_a_redirect_is_an_answer(site: SiteServer) -> None:
    site.routes["/hook"] = redirect(f"{site.url}/elsewhere", 308)
    async with WebhookPoster(allow=[site.authority]) as poster:
        receipt = await poster.post(f"{site.url}/hook", event_id="evt_1", body=BODY, secrets=[new_secret()])
    assert (receipt.status, site.hits["/elsewhere"]) == (308, 0)


async def test_an_answer_that_never_ends_is_not_waited_for(site: SiteServer) -> None:
    site.routes |= {"/drips": Answer(200, body="x" * 100, pause=5, chunk=1), "/hangs": Answer(delay=600)}
    async with WebhookPoster(allow=[site.authority], timeout=30) as poster:
        drips = await poster.post(f"{site.url}/drips", event_id="evt_1", body=BODY, secrets=[new_secret()])
    assert drips.status == 200, "the body is nobody's concern"
    async with WebhookPoster(allow=[site.authority], timeout=0.3) as poster, asyncio.timeout(60):
        with pytest.raises(VendorError) as caught:
            await poster.post(f"{site.url}/hangs", event_id="evt_1", body=BODY, secrets=[new_secret()])
    assert (caught.value.code, caught.value.again) == ("timeout", True)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/", "http://169.254.169.254/"]
)
async def test_private_addresses_are_refused(url: str) -> None:
    async with WebhookPoster() as poster:
        with pytest.raises(VendorError) as caught:
            await poster.post(url, event_id="evt_1", body=BODY, secrets=[new_secret()])
    assert (caught.value.code, caught.value.again) == ("address_refused", False)
