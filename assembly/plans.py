"""Plans: their tools, the model that does what no tool does, and those outside who are waited for."""

from collections.abc import Sequence
from datetime import timedelta

from activities.plan_waits import PlanWaits
from activities.plans import PlanSteps
from activities.tools.calculate import Calculate
from activities.tools.connector import ReadRows
from activities.tools.document_search import SearchDocuments
from activities.tools.fetch_page import FetchPage
from activities.tools.http_request import HttpRequest
from activities.tools.send_email import SendEmail
from activities.tools.tool import Tool
from activities.tools.web_search import WebSearch
from activities.waiting import Waits
from assembly import documents
from assembly.parts import Activities, Parts, mail
from domain.connectors import connectors
from domain.keyring import Keyring
from engine.start import QUEUE
from ledger.jobs import Jobs
from ledger.plans import Plans
from ledger.waitpoints import Waitpoints
from providers import search
from providers.connectors import Connectors
from providers.requests import Requests


async def activities(parts: Parts) -> Activities:
    settings, plans, keyring = parts.settings, Plans(parts.database), Keyring(parts.settings.api_keys)
    requests, postman = Requests(parts.guarded()), mail(settings)
    finder, tokens, urls = None, _pairs(settings.connector_tokens), _pairs(settings.connector_urls)
    if settings.search_api_key:
        finder = await parts.opened.enter_async_context(
            search.WebSearch(settings.search_api_key, settings.search_api_url)
        )
    rows = await parts.opened.enter_async_context(Connectors(tokens, urls))
    tools: list[Tool] = [
        Calculate(),
        FetchPage(requests),
        HttpRequest(requests),
        SearchDocuments(documents.search(parts)),
        SendEmail(postman),
        WebSearch(finder),
        *(ReadRows(connector, rows) for connector in connectors().values()),
    ]
    steps = PlanSteps(
        plans,
        Jobs(parts.database),
        parts.models,
        {tool.spec.name: tool for tool in tools},
        patience=settings.ledger_patience_seconds,
    )
    waits = PlanWaits(
        plans,
        Waits(Waitpoints(parts.database), keyring),
        keyring,
        requests,
        postman,
        within=timedelta(hours=settings.task_wait_hours),
        public_url=settings.reached_at,
    )
    return {
        QUEUE: [steps.conclude],
        "io": [steps.run_tool, steps.call_tool, steps.research, steps.conclude, waits.ask],
        "llm": [steps.answer, steps.call_tool],
    }


def _pairs(listed: Sequence[str]) -> dict[str, str]:
    """`name=value` pairs; what is none is left out."""
    return {name.strip(): value.strip() for name, _, value in (entry.partition("=") for entry in listed) if value}
