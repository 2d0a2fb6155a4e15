"""A company of that name for the tests of GitHub: how it is asked for, and what goes wrong."""

import json
from typing import Any

import pytest

from domain.errors import VendorError
from domain.research import CompanyResearchRequest
from providers.github import GitHub
from tests.support.github_server import GitHubServer

ACME = {"name": "Acme Widgets", "blog": "https://acme.example"}


def asking(
    name: str = "Acme Widgets", url: str | None = "https://www.acme.example/", *, deep_mode: bool = False
) -> CompanyResearchRequest:
    return CompanyResearchRequest.model_validate(
        {"company_name": name, "role": "Backend Engineer", "company_url": url, "deep_mode": deep_mode}
    )


def package(**dependencies: str) -> dict[str, str]:
    """The files of a repository that has a package.json alone."""
    return {"package.json": json.dumps({"dependencies": dependencies}, indent=2)}


async def refusal(github: GitHubServer, **options: Any) -> VendorError:
    """What reading Acme's code raises; `options` are GitHub's."""
    with pytest.raises(VendorError) as caught:
        await GitHub(github.url, **options).read(asking())
    return caught.value
