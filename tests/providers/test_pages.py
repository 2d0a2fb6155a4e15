"""Pages into text and sentences: a real page in full, and made ones for what real pages do to readers."""

from pathlib import Path

import pytest

from providers.naming import CANDIDATES, candidates, names_company, same_site
from providers.pages import Link, Page, read_page, topic_of
from providers.picks import canonical, locations, picks, score, usual
from providers.sentences import sentences

CAREERS = (Path(__file__).parent / "data" / "careers.html").read_text()


@pytest.fixture(scope="module")
def careers() -> Page:
    return read_page(CAREERS, "https://join.tts.gsa.gov/join/login-fraud-apr2023/")


def quotes(page: Page) -> list[str]:
    return [quote for quote, _ in page.sentences]


def split(text: str) -> list[str]:
    return [quote for quote, _ in sentences(text)]


def test_real_page_is_read_in_whole_sentences(careers: Page) -> None:
    assert careers.title == "Login.gov: Fraud Technical Expert"
    assert careers.topic == "careers"
    assert "Join the Technology Transformation Services" in careers.names
    assert not careers.needs_javascript
    said = quotes(careers)
    # In the source each of these is broken over two lines, the second has a link inside.
    assert (
        "To qualify, you must have one at least (1) year of specialized experience at the next lower GS-grade "
        "(or equivalent)." in said
    )
    assert "Learn more about the benefits of working at GSA and TTS." in said
    assert "Open to U.S. citizens or nationals (residents of American Samoa and Swains Island)." in said
    assert any(quote.startswith("The Technology Transformation Service’s (TTS) mission") for quote in said)


def test_real_page_without_banner_menu_and_doubles(careers: Page) -> None:
    said = quotes(careers)
    assert len(said) == len(set(said))
    for crumb in ("official website", "know", "Skip to", "cookies"):
        assert not [quote for quote in said if crumb in quote and ".gov website" in quote]
    assert not [quote for quote in said if "Skip to" in quote or "Here’s how you know" in quote]


def test_offsets_are_exact(careers: Page) -> None:
    assert len(careers.sentences) > 40
    for quote, offset in careers.sentences:
        assert careers.text[offset : offset + len(quote)] == quote


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "We work with Dr. J. Smith of the U.S. Treasury on this. It began in 2014.",
            ["We work with Dr. J. Smith of the U.S. Treasury on this.", "It began in 2014."],
        ),
        (
            "Most of us live in the U.S. The others live elsewhere, e.g. Berlin or Lagos.",
            ["Most of us live in the U.S.", "The others live elsewhere, e.g. Berlin or Lagos."],
        ),
        (
            "Acme Inc. Research is our second name. Acme Inc. We have no third name.",
            ["Acme Inc. Research is our second name.", "We have no third name."],
        ),
        (
            "“It changed our whole methodology.” That is what they said! Is it not good?",
            ["“It changed our whole methodology.”", "That is what they said!"],
        ),
        ("Login.gov 2.5 serves 3.5 million people. All of them.", ["Login.gov 2.5 serves 3.5 million people."]),
        ("- Be kind to each other always\n- Ship", ["Be kind to each other always"]),
        (
            "私たちは政府のためにソフトを作ります。二〇一四年に始まりました。",
            ["私たちは政府のためにソフトを作ります。", "二〇一四年に始まりました。"],
        ),
    ],
)
def test_sentences_end_where_they_end(text: str, expected: list[str]) -> None:
    assert split(text)[: len(expected)] == expected
    for quote, offset in sentences(text):
        assert text[offset : offset + len(quote)] == quote


@pytest.mark.parametrize(
    "crumb",
    [
        "Home › Products › Widgets › Blue ones here",
        "About Us | Our Careers | The Press | Contact",
        "Home About Careers Contact Press",
        "We use cookies to improve your experience on this site.",
        "By clicking you accept the use of cookies.",
        "© 2024 Acme and its many friends.",
        "All rights reserved by Acme and friends.",
        "An official website of the United States government",
        "Read more now",
    ],
)
def test_crumbs_and_banners_are_no_sentences(crumb: str) -> None:
    assert split(f"{crumb}\nAcme makes widgets for small farms.") == ["Acme makes widgets for small farms."]


def test_endless_sentence_is_cut_into_quotable_pieces() -> None:
    text = "We build " + ", ".join(f"thing number {n}" for n in range(100)) + "."
    pieces = list(sentences(text))
    assert len(pieces) > 3
    assert all(len(quote) <= 480 and text[at : at + len(quote)] == quote for quote, at in pieces)
    assert sum(len(quote) + 1 for quote, _ in pieces) == len(text) + 1


LANDING = """<!DOCTYPE html><html><head><title>Acme</title>
<meta name="description" content="Acme builds widgets for small farms in Ohio.">
<meta property="og:site_name" content="Acme Widgets">
<script type="application/ld+json">{"@graph": [{"@type": ["Organization"], "name": "Acme Widgets, Inc.",
 "description": "Acme Widgets was founded in 1999 by two farmers."}]}</script>
<script type="application/ld+json">{broken</script></head>
<body><nav><a href="/about">About Acme and all its people</a></nav>
<section><h1>Widgets that work as hard as you do</h1></section>
<section><blockquote>Acme saved our harvest in a very wet year.</blockquote></section>
<div class="cookie-bar"><p>This bar tells you about small baked goods.</p></div>
<footer><p>Acme is a mark of Acme Holdings of Delaware.</p></footer></body></html>"""


def test_landing_page_is_read_beyond_its_article() -> None:
    page = read_page(LANDING, "https://acme.example/")
    assert page.topic == "home"
    assert page.names == ("Acme Widgets", "Acme Widgets, Inc.", "Widgets that work as hard as you do")
    assert {
        "Acme builds widgets for small farms in Ohio.",
        "Acme Widgets was founded in 1999 by two farmers.",
        "Widgets that work as hard as you do",
        "Acme saved our harvest in a very wet year.",
    } <= set(quotes(page))
    assert not [quote for quote in quotes(page) if "baked goods" in quote]
    assert page.links == (Link("https://acme.example/about", "About Acme and all its people"),)


@pytest.mark.parametrize(
    ("body", "needs"),
    [
        ('<div id="root"></div><script src="/app.js"></script>', True),
        ("<noscript>You need to enable JavaScript to run this app.</noscript><script src=a.js></script>", True),
        ("<script>document.write('x')</script>", True),
        ("", False),
        (
            f'<div id="root"><p>{"Rendered on the server for all. " * 10}</p></div><script src="/app.js"></script>',
            False,
        ),
    ],
)
def test_javascript_only_pages_are_known(body: str, needs: bool) -> None:
    html = f"<html><head><title>Acme</title></head><body>{body}</body></html>"
    assert read_page(html, "https://acme.example/").needs_javascript is needs


@pytest.mark.parametrize(
    "html", ["", "   ", "<", "\x00\x01", "<html>", "<body>" + "<div>" * 5000, '<a href="http://[">x</a>']
)
def test_broken_markup_never_fails(html: str) -> None:
    assert read_page(html, "https://acme.example/").sentences == ()


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        ("/", "home"),
        ("/en-us/", "home"),
        ("/about/", "about"),
        ("/company/jobs", "careers"),
        ("/engineering/blog/x", "engineering"),
        ("/life-at-acme", "culture"),
        ("/our_work/", "products"),
        ("/press-releases/2024", "news"),
        ("/lifecycle", "other"),
    ],
)
def test_topics_of_paths(path: str, topic: str) -> None:
    assert topic_of(f"https://acme.example{path}") == topic


def home(*hrefs: str) -> Page:
    links = "".join(f'<a href="{href}">{text or "x"}</a>' for href, _, text in (href.partition("|") for href in hrefs))
    return read_page(f"<html><body>{links}</body></html>", "https://acme.com/")


def test_picks_take_a_round_of_topics_before_seconds() -> None:
    page = home(
        "/news", "/about", "/about/history", "/careers?utm_source=home", "/careers/", "/x|Our engineering", "/privacy",
        "/login", "/brochure.pdf", "https://other.example/about", "https://jobs.acme.com/openings", "#top", "/",
    )  # fmt: skip
    chosen = picks(page, ["https://acme.com/products", "https://elsewhere.example/products"])
    assert chosen[:5] == [
        "https://acme.com/about",
        "https://acme.com/careers/",
        "https://acme.com/x",
        "https://acme.com/products",
        "https://acme.com/news",
    ]
    assert sorted(chosen[5:]) == ["https://acme.com/about/history", "https://jobs.acme.com/openings"]


def test_usual_addresses_where_nothing_leads() -> None:
    page = home("/team")
    assert picks(page) == ["https://acme.com/team"]
    assert usual(page, picks(page)) == ["https://acme.com/careers", "https://acme.com/blog"]


def test_one_page_has_one_name() -> None:
    assert canonical("HTTPS://Acme.example/a/index.html?utm_source=x&id=1#top") == "https://acme.example/a?id=1"


@pytest.mark.parametrize(
    ("path", "worth"),
    [
        ("/login", False),
        ("/sign-in/", False),
        ("/privacy-policy", False),
        ("/blog/page/2", False),
        ("/files/report.pdf", False),
        ("/products/login-gov/", True),
        ("/research", True),
        ("/about.html", True),
    ],
)
def test_forms_and_files_are_not_picked(path: str, worth: bool) -> None:
    assert (score(Link(f"https://acme.com{path}", ""))[0] > 0) is worth


def test_sitemaps_and_their_indexes() -> None:
    sitemap = '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    assert locations(f"{sitemap}<url><loc> https://a.example/x?a=1&amp;b=2 </loc></url></urlset>") == (
        ["https://a.example/x?a=1&b=2"],
        [],
    )
    assert locations("<sitemapindex><sitemap><loc>https://a.example/1.xml</loc></sitemap></sitemapindex>") == (
        [],
        ["https://a.example/1.xml"],
    )


def test_candidates_of_names() -> None:
    assert candidates("Acme Widgets, Inc.", CANDIDATES)[:3] == [
        "https://acmewidgets.com",
        "https://acme-widgets.com",
        "https://acmewidgets.org",
    ]
    assert candidates("Login.gov", CANDIDATES)[0] == "https://login.gov"
    assert candidates("!!!", CANDIDATES) == []


@pytest.mark.parametrize(
    ("name", "title", "body", "named"),
    [
        ("Acme", "Acme | Widgets", "<p>Welcome to our house.</p>", True),
        ("ACME, Inc.", "Home", "<h1>Acme makes widgets</h1>", True),
        ("Café Ñandú", "Cafe Nandu: coffee", "", True),
        ("Acme", "Acmeology for beginners", "", False),
        ("Acme", "acme.example", "<h1>acme.example</h1>", False),
        ("Acme", "Acme", "<p>This domain is for sale. Buy this domain today.</p>", False),
        ("Acme Widgets", "Acme Gadgets", "", False),
        ("acme.example", "acme.example", "", True),
    ],
)
def test_a_page_names_its_company_or_not(name: str, title: str, body: str, named: bool) -> None:
    html = f"<html><head><title>{title}</title></head><body>{body}</body></html>"
    assert names_company(read_page(html, "https://acme.example/"), name) is named


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://jobs.acme.co.uk/", "https://www.acme.co.uk", True),
        ("https://acme.co.uk", "https://bcme.co.uk", False),
        ("https://a.github.io", "https://b.github.io", False),
        ("http://127.0.0.1:80", "http://127.0.0.1:81", False),
    ],
)
def test_sites_are_registrable_domains(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same
