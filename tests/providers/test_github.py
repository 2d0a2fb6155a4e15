"""A company's public code, read over real HTTP from a GitHub on loopback."""

from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from local.github_standin import SHIPPED
from providers.github import GitHub
from providers.github_api import Organisation
from providers.github_organisation import belongs, logins
from tests.support.github_company import ACME, asking, package, refusal
from tests.support.github_server import GitHubServer, Repo
from tests.support.site_server import Answer, redirect

RECENT = datetime.now(UTC)


def pushed(days_ago: int) -> str:
    return (RECENT - timedelta(days=days_ago)).isoformat()


# The organisation


async def test_an_organisation_whose_website_is_the_companys_is_found_by_its_login():
    async with GitHubServer() as github:
        github.add("acme-widgets", Repo("web", description="The website"), name="Acme", blog="www.acme.example/code")
        found, lines = await GitHub(github.url).read(asking())
    assert found.github == "https://github.com/acme-widgets"
    assert (found.repositories, found.lines, found.failure) == (1, 1, None)
    assert lines[0].quote == "The website"


async def test_a_namesake_with_another_website_is_refused_and_the_search_goes_on():
    async with GitHubServer() as github:
        github.add("acmewidgets", Repo("rocket"), name="Acme Widgets", blog="https://acme-rockets.example")
        github.add("getacme", Repo("web", description="Ours"), **ACME)
        found, _ = await GitHub(github.url).read(asking())
        assert github.hits["/search/users"] == 1
    assert found.github == "https://github.com/getacme"


async def test_a_namesake_alone_is_not_found_rather_than_taken():
    async with GitHubServer() as github:
        github.add("acmewidgets", Repo("rocket"), name="Acme Widgets", blog="https://acme-rockets.example")
        error = await refusal(github)
        assert not github.hits["/orgs/acmewidgets/repos"]
    assert (error.code, error.again) == ("github_not_found", False)
    assert "Acme" not in error.message


@pytest.mark.parametrize(
    ("name", "blog", "company", "host", "expected"),
    [
        ("18F", "https://18f.gsa.gov", "18F", "18f.gsa.gov", True),
        ("GSA", "https://www.gsa.gov", "18F", "18f.gsa.gov", False),
        ("Acme Open Source", "opensource.acme.example", "Acme", "acme.example", True),
        ("Acme", "https://acme.com", "Acme", "careers.acme.com", True),
        ("Beta", "https://acme.com", "Acme", "careers.acme.com", False),
        ("Acme", "https://notacme.example", "Acme", "acme.example", False),
        ("Acme", "https://acme.example.evil.example", "Acme", "acme.example", False),
        ("Acme, Inc.", None, "ACME", "acme.example", True),
        ("Acme", "https://twitter.com/acme", "Acme", "acme.example", True),
        ("Acme Corp", "https://acme.example", "acme", None, True),
        ("Apollo Fans", "https://fans.example", "Apollo", None, False),
        (None, "https://acme.dev", "Acme", None, True),
        (None, None, "Acme", None, False),
        ("Acme", "http://[broken", "Acme", "acme.example", True),
    ],
)
def test_who_an_organisation_belongs_to(name: str, blog: str, company: str, host: str | None, expected: bool):
    organisation = Organisation(login="acme", name=name, blog=blog, html_url="https://github.com/acme")
    assert belongs(organisation, company, host) is expected


@pytest.mark.parametrize(
    ("name", "host", "expected"),
    [
        ("18F", "18f.gsa.gov", ["18f", "gsa"]),
        ("Acme Widgets, Inc.", "acme.co", ["acmewidgets", "acme-widgets", "acme"]),
        ("AT&T", None, ["att"]),
        ("Crédit Agricole", "127.0.0.1", ["creditagricole", "credit-agricole"]),
        ("株式会社", None, []),
    ],
)
def test_plausible_logins(name: str, host: str | None, expected: list[str]):
    assert logins(name, host) == expected


async def test_a_renamed_organisation_is_followed():
    async with GitHubServer() as github:
        github.add("acme-new", Repo("web", description="Ours"), **ACME)
        github.fail("/orgs/acmewidgets", redirect("/orgs/acme-new", 301))
        found, _ = await GitHub(github.url).read(asking())
    assert found.github == "https://github.com/acme-new"


async def test_an_organisation_with_forks_alone_shows_no_code_of_its_own():
    async with GitHubServer() as github:
        github.add("acmewidgets", Repo("linux", fork=True), Repo(".github"), **ACME)
        error = await refusal(github)
    assert (error.code, error.again) == ("github_empty", False)


# What is read


SHIPPED_STACK = """
Eleventy  @11ty/eleventy-img  @11ty/eleventy-navigation  @11ty/eleventy-plugin-rss
@11ty/eleventy-plugin-syntaxhighlight  USWDS  Autoprefixer  csv-parse  eleventy-plugin-embed-twitter
eleventy-plugin-shiki-twoslash  eleventy-plugin-svg-sprite  esbuild  esbuild-sass-plugin  glob  gulp  js-yaml  Luxon
markdown-it  markdown-it-anchor  markdown-it-attrs  markdown-it-footnote  Netlify CMS  string  @uswds/compile  Chai
check-html-links  chokidar-cli  eslint-config-airbnb-base  eslint-config-prettier  eslint-plugin-import  html-validate
jsdom  Mocha  netlify-cms-proxy-server  npm-run-all  Pa11y CI  PostCSS  postcss-cli  Prettier  rimraf
start-server-and-test  Node.js
"""


async def test_the_shipped_organisation_shows_exactly_its_stack_each_with_a_literal_line():
    async with GitHubServer(shipped=True) as github:
        found, lines = await GitHub(github.url).read(asking("18F", "https://18f.gsa.gov"))
    stack = {line.technology for line in lines if line.technology}
    assert stack == {name.strip() for name in SHIPPED_STACK.replace("\n", "  ").split("  ") if name.strip()}
    assert found.github == "https://github.com/18F"
    folder = SHIPPED / "18F" / "18f.gsa.gov"
    for line in lines:
        assert line.kind == "repository"
        if line.topic == "manifest":
            file = line.title.removeprefix("18F/18f.gsa.gov: ")
            assert line.quote in [written.strip() for written in (folder / file).read_text().splitlines()]
            assert line.url == f"https://github.com/18F/18f.gsa.gov/blob/0a55c75e6/{file}"
    assert [line.quote for line in lines if line.topic == "repository"] == ["The 18F website and blog"]
    assert [line.id for line in lines] == [f"r1.{n}" for n in range(1, len(lines) + 1)]


async def test_description_topics_activity_and_languages_are_evidence_of_their_own():
    repo = Repo(
        "web", description="  The\n website ", topics=("design", "a11y"), stars=1234, pushed_at="2026-10-01T08:00:00Z",
        languages={"JavaScript": 620, "Vue": 370, "Dockerfile": 10, "Shell": 2},
    )  # fmt: skip
    async with GitHubServer() as github:
        github.add("acmewidgets", repo, **ACME)
        _, lines = await GitHub(github.url).read(asking())
    assert [(line.quote, line.technology) for line in lines] == [
        ("The website", None),
        ("Topics: design, a11y", None),
        ("Activity: last pushed on 2026-10-01, 1234 stars", None),
        ("JavaScript: 62 % of the code", "JavaScript"),
        ("Vue: 37 % of the code", "Vue.js"),
        ("Dockerfile: 1 % of the code", None),
    ]
    assert {(line.url, line.title) for line in lines} == {("https://github.com/acmewidgets/web", "acmewidgets/web")}


async def test_manifests_of_each_main_repository_are_cited_by_file():
    api = Repo("api", stars=9, files={"go.mod": "module x\n\ngo 1.22\n", "README.md": "# x", "main.go": ""})
    web = Repo("web", stars=1, files={**package(react="^19.0.0"), "Dockerfile": "FROM node:22\n"})
    async with GitHubServer() as github:
        github.add("acmewidgets", web, api, **ACME)
        found, lines = await GitHub(github.url).read(asking())
        assert not github.hits["/repos/acmewidgets/api/contents/README.md"]
    assert [(line.id, line.title, line.quote, line.technology) for line in lines if line.topic == "manifest"] == [
        ("r1.2", "acmewidgets/api: go.mod", "go 1.22", "Go"),
        ("r2.2", "acmewidgets/web: package.json", '"react": "^19.0.0"', "React"),
        ("r2.3", "acmewidgets/web: Dockerfile", "FROM node:22", "Node.js"),
    ]
    assert lines[1].url == "https://github.com/acmewidgets/api/blob/main/go.mod"
    assert found.repositories == 2


async def test_main_repositories_are_live_ones_with_many_stars_from_all_pages_of_the_list():
    repos = [
        Repo("fork", stars=9999, pushed_at=pushed(1), fork=True),
        Repo("fresh", stars=3, pushed_at=pushed(2)),
        Repo("second", stars=50, pushed_at=pushed(90)),
        Repo("retired", stars=5000, pushed_at=pushed(30), archived=True),
        Repo("asleep", stars=800, pushed_at=pushed(900)),
        Repo("first", stars=700, pushed_at=pushed(200)),
        Repo("unknown"),
    ]
    described = [Repo(r.name, r.name, r.topics, r.stars, r.pushed_at, r.fork, r.archived) for r in repos]
    async with GitHubServer(page_size=4) as github:
        github.add("acmewidgets", *described, **ACME)
        _, lines = await GitHub(github.url).read(asking())
        assert github.hits["/orgs/acmewidgets/repos"] == 2
    firsts = [line.quote for line in lines if line.id.endswith(".1")]
    assert firsts == ["first", "second", "fresh", "asleep", "unknown"]


@pytest.mark.parametrize(("deep", "expected"), [(False, 5), (True, 15)])
async def test_deep_mode_reads_more_repositories_and_never_more_than_four_calls_at_once(deep: bool, expected: int):
    async with GitHubServer() as github:
        github.add("acmewidgets", *(Repo(f"r{n}", f"Number {n}", files=package(koa="3")) for n in range(20)), **ACME)
        github.fail(r".*/languages", Answer(200, body="{}", delay=0.02))
        found, lines = await GitHub(github.url).read(asking(deep_mode=deep))
        assert 2 <= github.most_at_once <= 4
    assert found.repositories == expected
    assert len({line.id for line in lines}) == len(lines) == 2 * expected


# The stand-in that ships


async def test_the_shipped_stand_in_says_only_what_its_files_say():
    async with GitHubServer(shipped=True) as github, httpx2.AsyncClient(base_url=github.url) as http:
        repo = (await http.get("/orgs/18f/repos")).json()[0]
        assert {repo[name] for name in ("stargazers_count", "pushed_at", "language", "default_branch")} == {None}
        assert (await http.get("/repos/18F/18f.gsa.gov/languages")).json() == {}
        listed = (await http.get("/repos/18f/18F.gsa.gov/contents/")).json()
        assert [entry["name"] for entry in listed] == ["Dockerfile", "LICENSE.md", "README.md", "package.json"]
        found = (await http.get("/search/users", params={"q": "18f type:org"})).json()
        assert [account["login"] for account in found["items"]] == ["18F"]


@pytest.mark.parametrize(
    "path",
    ["/orgs/stripe", "/orgs/..", "/repos/18F/other/contents/", "/repos/18F/18f.gsa.gov/contents/..%2f..%2fSOURCES.md"],
)
async def test_the_shipped_stand_in_knows_nothing_else(path: str):
    async with GitHubServer(shipped=True) as github, httpx2.AsyncClient(base_url=github.url) as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.json()["message"]) == (404, "Not Found")
