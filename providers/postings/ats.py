"""Postings of known applicant tracking systems, from the public JSON behind their pages; no key is needed.

Greenhouse: https://developers.greenhouse.io/job-board.html, Lever: https://github.com/lever/postings-api,
Ashby: https://developers.ashbyhq.com/docs/public-job-posting-api
"""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

from domain.errors import VendorError
from domain.posting import Finding, Period, Salary
from domain.postings.reading import Findings
from domain.postings.wording import employment_in, locations_in, remote_in
from providers.vendor import refused_status

if TYPE_CHECKING:
    from providers.web import GuardedClient

WHO = "the job board"
SURE = 0.98
NAME, ID = r"(?P<board>[\w.-]+)", r"(?P<id>[\w-]+)"
PERIODS: Sequence[Period] = get_args(Period)


@dataclass(frozen=True)
class Listed:
    """A posting as a board has it: its fields, and its text as Markdown."""

    findings: Findings
    text: str


@dataclass(frozen=True)
class System:
    """Pages of `page` are answered for by `address`, in which `{board}` and `{id}` stand for parts of the page's."""

    name: str
    page: re.Pattern[str]
    address: str
    read: Callable[[Any, str], Listed | None]


@dataclass(frozen=True)
class Answered:
    """What a board's API has sent of a posting, for `read_answer`."""

    system: str
    posting_id: str
    body: bytes


class Boards:
    """`bases` moves a system's API elsewhere, by its host."""

    def __init__(self, client: "GuardedClient", bases: Mapping[str, str] | None = None) -> None:
        self._client, self._bases = client, bases or {}

    def knows(self, url: str) -> bool:
        return any(system.page.match(url) for system in SYSTEMS)

    async def fetch(self, url: str) -> Answered | None:
        """What the board of that page says of its posting; None when no system here has such pages.

        Raises VendorError: `gone` when the board no longer lists it, and what GuardedClient raises; RateLimited.
        """
        for system in SYSTEMS:
            if found := system.page.match(url):
                address = system.address.format_map(found.groupdict(default=""))
                for host, base in self._bases.items():
                    address = address.replace(f"https://{host}", base)
                answer = await self._client.get(address)
                if answer.status in (404, 410):
                    raise gone()
                if answer.status != 200:
                    raise refused_status(answer.status, answer.headers, WHO)
                return Answered(system.name, found["id"], answer.body)
        return None


def read_answer(answer: Answered) -> Listed:
    """Keeps a core busy for some tenths of a second. Raises VendorError `gone`, `bad_response`."""
    [read] = [system.read for system in SYSTEMS if system.name == answer.system]
    try:
        listed = read(json.loads(answer.body), answer.posting_id)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VendorError(f"{WHO} sent a broken answer", code="bad_response") from error
    if listed is None:
        raise gone()
    return listed


def gone() -> VendorError:
    return VendorError("the job board no longer lists this position", code="gone", retryable=False)


def _markdown(html: str) -> str:
    # imported here: it takes a second, and most processes never read a posting
    from providers.postings.structured import markdown_of

    return markdown_of(html)


def _greenhouse(job: Any, _: str) -> Listed:
    content = html.unescape(job.get("content") or "")
    ranges = [one for one in job.get("pay_input_ranges") or () if one.get("min_cents") or one.get("max_cents")]
    salary = None
    if ranges:
        low, high = (ranges[0].get(key) for key in ("min_cents", "max_cents"))
        said = f"{ranges[0].get('title') or ''} {ranges[0].get('blurb') or ''}".lower()
        said = said.replace("annual", "year")
        period: Period | None = next((period for period in PERIODS if re.search(rf"\b{period}", said)), None)
        salary = Salary(
            min=low / 100 if low else None,
            max=high / 100 if high else None,
            currency=ranges[0].get("currency_type"),
            period=period,
        )
    place = (job.get("location") or {}).get("name") or ""
    return _listed(
        title=job["title"],
        company=job.get("company_name"),
        places=(place,),
        remote=place,
        salary=salary,
        posted=job.get("first_published"),
        text=_markdown(content),
    )


def _lever(job: Any, _: str) -> Listed:
    kinds, pay = job.get("categories") or {}, job.get("salaryRange") or {}
    lists = "".join(f"<h3>{one['text']}</h3><ul>{one['content']}</ul>" for one in job.get("lists") or ())
    interval = str(pay.get("interval") or "")
    salary = Salary(
        min=pay.get("min"),
        max=pay.get("max"),
        currency=pay.get("currency"),
        period=next((period for period in PERIODS if f"per-{period}" in interval), None),
    )
    created = job.get("createdAt")
    return _listed(
        title=job["text"],
        places=kinds.get("allLocations") or (kinds.get("location") or "",),
        remote=f"{job.get('workplaceType') or ''} {kinds.get('location') or ''}",
        employment=kinds.get("commitment"),
        salary=salary if pay else None,
        posted=datetime.fromtimestamp(created / 1000, UTC).isoformat() if created else None,
        text=_markdown(f"{job.get('description') or ''}{lists}{job.get('additional') or ''}"),
    )


def _ashby(board: Any, posting_id: str) -> Listed | None:
    job = next((one for one in board["jobs"] if one.get("id") == posting_id), None)
    if job is None:
        return None
    parts = (job.get("compensation") or {}).get("summaryComponents") or ()
    pay = next((one for one in parts if one.get("compensationType") == "Salary"), None)
    salary = pay and Salary(
        min=pay.get("minValue"),
        max=pay.get("maxValue"),
        currency=pay.get("currencyCode"),
        period=next((period for period in PERIODS if period in str(pay.get("interval")).lower()), None),
    )
    others = [one.get("location") or "" for one in job.get("secondaryLocations") or ()]
    return _listed(
        title=job["title"],
        places=(job.get("location") or "", *others),
        remote="remote" if job.get("isRemote") else str(job.get("workplaceType") or ""),
        employment=re.sub(r"(?<=[a-z])(?=[A-Z])", " ", job.get("employmentType") or ""),
        salary=salary,
        posted=job.get("publishedAt"),
        text=_markdown(job.get("descriptionHtml") or ""),
    )


def _listed(
    *,
    title: str,
    places: Sequence[str],
    remote: str,
    text: str,
    company: str | None = None,
    employment: str | None = None,
    salary: Salary | None = None,
    posted: str | None = None,
) -> Listed:
    said = remote_in(remote)
    values = {
        "title": title.strip(),
        "company.name": company,
        "locations": tuple(dict.fromkeys(place for one in places for place in locations_in(one))),
        "remote": None if said == "unknown" else said,
        "employment_type": employment_in(employment) if employment else None,
        "salary": salary,
        "posted_at": datetime.fromisoformat(posted).date() if posted else None,
    }
    found = {
        name: Finding(value=value, source="ats", quote=str(value) if isinstance(value, str) else "", confidence=SURE)
        for name, value in values.items()
        if value
    }
    return Listed(found, text)


SYSTEMS: Sequence[System] = (
    System(
        "greenhouse",
        re.compile(rf"https://(?:job-)?boards(?:\.eu)?\.greenhouse\.io/{NAME}/jobs/{ID}"),
        "https://boards-api.greenhouse.io/v1/boards/{board}/jobs/{id}?pay_transparency=true",
        _greenhouse,
    ),
    System(
        "lever",
        re.compile(rf"https://jobs(?P<eu>\.eu)?\.lever\.co/{NAME}/{ID}"),
        "https://api{eu}.lever.co/v0/postings/{board}/{id}",
        _lever,
    ),
    System(
        "ashby",
        re.compile(rf"https://jobs\.ashbyhq\.com/{NAME}/{ID}"),
        "https://api.ashbyhq.com/posting-api/job-board/{board}?includeCompensation=true",
        _ashby,
    ),
)
