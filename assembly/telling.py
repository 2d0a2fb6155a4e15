"""Webhooks and e-mails: who tells them what became of jobs."""

from activities.telling import Telling
from assembly.parts import Activities, Parts, mail
from domain.telling import webhook_secret
from ledger.deliveries import Deliveries
from ledger.jobs import Jobs
from providers.webhooks import WebhookPoster


async def activities(parts: Parts) -> Activities:
    settings, database = parts.settings, parts.database
    poster = WebhookPoster(allow=settings.fetch_allow, timeout=settings.webhook_timeout_seconds)
    parts.opened.push_async_callback(poster.aclose)
    secrets = [webhook_secret(key) for key in settings.api_keys]
    telling = Telling(
        Deliveries(database), Jobs(database), poster, mail(settings), retry=settings.webhook_retry, secrets=secrets
    )
    return {"tell": [telling.deliver_webhook, telling.deliver_email]}
