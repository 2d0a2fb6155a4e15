"""The sample site is a website: no template shows, its links lead somewhere, and nothing that was written is lost."""

import re
import time
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser

from local import samples
from local.rendering import Source, front_matter, render
from local.sample_pages import SHIPPED, site, sources

SHOWN = {path: source for path, source in sources().items() if not source.get("redirect_to")}
pages = pytest.mark.parametrize(("path", "source"), SHOWN.items(), ids=[source.name for source in SHOWN.values()])


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with samples.serve() as url:
        yield url


def fetch(base: str, path: str) -> LexborHTMLParser:
    answer = httpx.get(base + path, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return LexborHTMLParser(answer.text)


def words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text))


@pages
def test_no_template_shows(base: str, path: str, source: Source) -> None:
    page = fetch(base, path).html or ""
    for sign in ("{%", "%}", "| url", "markdownify", "baseurl", "<!-- ", "\ue000", "\ue001"):
        assert sign not in page
    braces = re.findall(r"\{\{\s*(\w*)", page)
    assert not braces or "raw %}" in source.body


@pages
def test_all_that_was_written_is_read(base: str, path: str, source: Source) -> None:
    """Every line of prose stands in the page, word by word."""
    body = fetch(base, path).body
    assert body is not None
    shown = words(body.text())
    unread = r"<!--.*?-->|\{% for\b.*?endfor %\}|\{%.*?%\}|</?[a-z][^>]*>|```\w*|^ *\[\d+\]: [^\n]*$"
    written = re.sub(unread, "", source.body, flags=re.DOTALL | re.MULTILINE).splitlines()
    prose = [re.sub(r"\]\([^)]*\)|^\s*\d+\.\s", "", line) for line in written if not re.search(r"[{}]|&\w+;", line)]
    prose = [line.replace("\\", "") for line in prose if re.search(r"\w", line)]
    assert prose
    assert [line for line in prose if words(line) not in shown] == []


def test_text_that_templates_carry_is_kept(base: str) -> None:
    assert "Digitize and streamline internal systems" in httpx.get(f"{base}/", timeout=30).text
    assert "Christina Ho, Former Deputy Assistant Secretary" in httpx.get(f"{base}/our-work/", timeout=30).text
    assert "Federal Election Commission" in httpx.get(f"{base}/our-work/cloud-gov/", timeout=30).text


@pages
def test_a_page_says_what_it_is(base: str, path: str, source: Source) -> None:
    page = fetch(base, path)
    title, description = page.css_first("title"), page.css_first('meta[name="description"]')
    assert title is not None
    assert title.text() == f"{source.get('title')} | 18F"
    said = source.get("lead") or source.get("excerpt")
    assert (description.attrs["content"] if description else "") == said
    assert len(page.css("h1")) >= 1


def test_every_link_inside_leads_to_a_page_and_every_page_is_linked(base: str) -> None:
    seen, open_paths = set[str](), {"/"}
    while open_paths:
        path = open_paths.pop()
        seen.add(path)
        for link in fetch(base, path).css("a[href]"):
            target = urlsplit(urljoin(base + path, link.attrs["href"] or ""))
            if f"{target.scheme}://{target.netloc}" == base and target.path not in seen:
                open_paths.add(target.path)
    listed = re.findall(r"<loc>(.*?)</loc>", httpx.get(f"{base}/sitemap.xml", timeout=30).text)
    assert {base + path for path in seen} == set(listed)
    assert set(SHOWN) < seen


def test_robots_names_the_sitemap(base: str) -> None:
    assert httpx.get(f"{base}/robots.txt", timeout=30).text == f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n"


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/apply/", "/join/"),
        ("/about", "/about/"),
        ("/code-of-conduct/", "https://handbook.tts.gsa.gov/code-of-conduct/"),
    ],
)
def test_moved_pages_say_where(base: str, path: str, location: str) -> None:
    answer = httpx.get(base + path, timeout=30)
    assert (answer.status_code, answer.headers["location"]) == (301, location)


def test_what_is_not_there_is_not_found(base: str) -> None:
    assert httpx.get(f"{base}/nothing/", timeout=30).status_code == 404


def test_only_the_first_page_waits() -> None:
    with samples.serve(delay_first_seconds=0.5) as url, httpx.Client(base_url=url, timeout=30) as http:

        def took(path: str) -> float:
            started = time.monotonic()
            http.get(path)
            return time.monotonic() - started

        # a busy machine holds up one of some answers
        assert any(took("/robots.txt") < 0.5 for _ in range(20))
        assert took("/") >= 0.5
        assert any(took("/about/") < 0.5 for _ in range(20))


def test_each_shipped_file_is_a_path_of_its_own() -> None:
    files = [path for path in SHIPPED.iterdir() if path.name != "SOURCES.md"]
    assert len(sources()) == len(files)
    assert set(sources()) < set(site("http://127.0.0.1", sources()))


def test_front_matter_over_several_lines() -> None:
    read = front_matter('title: "A: b"\nempty:\nexcerpt: >\n  one\n  two\nlist:\n- "x"\n  - y\nlong: one\n  two\n')
    assert read == {"title": ["A: b"], "empty": [], "excerpt": ["one two"], "list": ["x", "y"], "long": ["one two"]}


def test_braces_meant_for_readers_stay() -> None:
    assert render("`{% raw %}{{{% endraw %} name }}`", markdown=True) == "<p><code>{{ name }}</code></p>\n"
