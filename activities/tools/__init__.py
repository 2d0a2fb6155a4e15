"""The tools of plans, by name. A new one is a file here and its spec in this list; what reads rows from a REST service
is a table in domain/connectors.toml and no code."""

from collections.abc import Mapping

from activities.tools import connector
from activities.tools.calculate import Calculate
from activities.tools.company_research import COMPANY_RESEARCH
from activities.tools.document_search import SearchDocuments
from activities.tools.fetch_page import FetchPage
from activities.tools.http_request import HttpRequest
from activities.tools.send_email import SendEmail
from activities.tools.tool import Spec
from activities.tools.waiting import ASK_PERSON, OUTSIDE
from activities.tools.web_search import WebSearch
from domain.model import Request
from domain.modes import mode_named
from domain.plan import PlanRequest

SPECS: Mapping[str, Spec] = {
    spec.name: spec
    for spec in (
        Calculate.spec,
        FetchPage.spec,
        HttpRequest.spec,
        SearchDocuments.spec,
        SendEmail.spec,
        WebSearch.spec,
        ASK_PERSON,
        COMPANY_RESEARCH,
        OUTSIDE,
        *connector.SPECS.values(),
    )
}
SHAPES: Mapping[str, type[Request]] = {name: spec.shape for name, spec in SPECS.items()}


def with_own_means(plan: PlanRequest) -> bool:
    """Whether the plan uses the service's own mail server or credentials: a step does, or its models may."""
    mode = mode_named(plan.mode)
    offered = [spec for spec in SPECS.values() if spec.by_model and mode and mode.allows(spec.name)]
    return any(
        SPECS[step.does].own_means(step.input or {}) if step.does else any(spec.own_means({}) for spec in offered)
        for step in plan.steps
    )
