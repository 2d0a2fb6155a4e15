"""A real organisation's website out of its shipped, public-domain page sources."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from local.rendering import Source, inline, read

SHIPPED = Path(__file__).with_name("samples") / "site"
NAME = "18F"
# What does not ship is linked where it was.
ORIGIN = "https://18f.gsa.gov"
LISTED = {
    "Clients": "product_clients",
    "Project": "project_url",
    "Code": "github_repo",
    "Resources": "resources",
}


@dataclass(frozen=True)
class Answer:
    """What one path answers; `location` makes it a redirect."""

    body: str = ""
    content_type: str = "text/html; charset=utf-8"
    location: str = ""


def sources(folder: Path = SHIPPED) -> dict[str, Source]:
    """The page sources by path: their permalink, or a post's date and name."""
    files = sorted(path for path in folder.iterdir() if path.name != "SOURCES.md")
    found = [read(path.name, path.read_text(encoding="utf-8")) for path in files]
    return {_path(source): source for source in found}


def site(base: str, pages: Mapping[str, Source]) -> dict[str, Answer]:
    """All that the site at `base` answers: pages, the list of posts, redirects, robots.txt and sitemap.xml."""
    shown = {path: source for path, source in pages.items() if not source.get("redirect_to")}
    posts = _posts({path: source for path, source in shown.items() if source.get("date")})
    paths = {*shown, "/blog/"}
    answers = {path: Answer(location=source.get("redirect_to")) for path, source in pages.items() if path not in shown}
    for path, source in shown.items():
        answers |= {former: Answer(location=path) for former in source.front.get("redirect_from", [])}
        content = _content(source) + (posts if path == "/" else "")
        description = source.get("lead") or source.get("excerpt")
        answers[path] = Answer(_page(source.get("title"), description, content, shown, paths))
    answers["/blog/"] = Answer(_page("Blog", "", f"<h1>Blog</h1>{posts}", shown, paths))
    answers["/robots.txt"] = Answer(f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml\n", "text/plain")
    answers["/sitemap.xml"] = Answer(_sitemap(base, sorted(paths)), "application/xml")
    return answers


def _path(source: Source) -> str:
    given = source.get("permalink") or source.get("formerly")
    slug = re.sub(r"^post_[\d-]+|\.\w+$", "", source.name).strip("-").replace("_", "-")
    return given or f"/{source.get('date').replace('-', '/')}/{slug}/"


def _content(source: Source) -> str:
    """What the site's layouts add to a body: heading, lead, date, and the lists of a product's page."""
    parts = [f"<p>{escape(source.get('agency'))}</p>"] if source.get("agency") else []
    if source.get("layout") != "default":
        parts.append(f"<h1>{escape(source.get('title'))}</h1>")
    if source.get("date"):
        parts.append(f'<p><time datetime="{source.get("date")}">{source.get("date")}</time></p>')
    parts += [f"<p>{escape(text)}</p>" for key in ("subtitle", "lead", "excerpt") if (text := source.get(key))]
    parts.append(source.html())
    for heading, key in LISTED.items():
        if items := [item for item in source.front.get(key, []) if item]:
            parts.append(f"<h2>{heading}</h2><ul>{''.join(f'<li>{inline(item)}</li>' for item in items)}</ul>")
    return "\n".join(parts)


def _posts(posts: Mapping[str, Source]) -> str:
    newest = sorted(posts.items(), key=lambda post: post[1].get("date"), reverse=True)
    items = [
        f'<li><a href="{path}">{escape(post.get("title"))}</a> <time>{post.get("date")}</time></li>'
        for path, post in newest
    ]
    return f"<ul>{''.join(items)}</ul>"


def _page(title: str, description: str, content: str, shown: Mapping[str, Source], paths: set[str]) -> str:
    links = {path: source.get("agency") or source.get("title") for path, source in shown.items()}
    links = {path: text for path, text in links.items() if not shown[path].get("date")} | {"/blog/": "Blog"}
    nav = "".join(f'<li><a href="{path}">{escape(text)}</a></li>' for path, text in sorted(links.items()))
    meta = f'<meta name="description" content="{escape(description)}">' if description else ""
    page = LexborHTMLParser(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} | {NAME}</title>{meta}'
        f'<meta property="og:site_name" content="{NAME}"></head><body><header><nav><ul>{nav}</ul></nav></header>'
        f"<main>{content}</main></body></html>"
    )
    for picture in page.css("img"):
        picture.decompose()
    for item in page.css("li"):
        if not item.text().strip():
            item.decompose()
    for link in page.css("a[href]"):
        href = link.attrs["href"] or ""
        if href.startswith("/") and href.partition("#")[0] not in paths:
            link.attrs["href"] = ORIGIN + href
    for heading in page.css("main h1, main h2, main h3, main h4"):
        heading.attrs["id"] = re.sub(r"\W+", "-", heading.text().lower()).strip("-")
    return page.html or ""


def _sitemap(base: str, paths: Iterable[str]) -> str:
    urls = "".join(f"<url><loc>{base}{path}</loc></url>" for path in paths)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    )
