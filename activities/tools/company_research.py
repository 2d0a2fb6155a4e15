"""`company_research`: a job of its own inside the plan's."""

from activities.tools.tool import Spec
from domain.research import CompanyResearchRequest

COMPANY_RESEARCH = Spec(
    "company_research", "Research a company.", CompanyResearchRequest, way="research", by_model=False
)
