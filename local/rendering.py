"""Page sources with front matter, in Markdown or HTML with Liquid and Nunjucks tags, as HTML without them.

Only what is written in the source is rendered: a tag that asks for data kept elsewhere (a picture, a list of agencies)
leaves nothing behind, one that carries text (a testimonial) leaves its text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
# `{% raw %}` shows braces to readers: these stand for them until every tag is gone.
OPEN, CLOSE = "\ue000", "\ue001"

RAW = re.compile(r"\{%\s*raw\s*%\}(.*?)\{%\s*endraw\s*%\}", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
LOOP = re.compile(r"\{%\s*for\b.*?\{%\s*endfor\s*%\}", re.DOTALL)
CAPTURE = re.compile(r"\{%\s*capture\s+(\w+)\s*%\}(.*?)\{%\s*endcapture\s*%\}", re.DOTALL)
CAPTURED = re.compile(r"\{\{\s*(\w+)\s*\|\s*markdownify\s*\}\}")
INCLUDE = re.compile(r'\{%\s*include\s+"([^"]+)"(.*?)%\}', re.DOTALL)
PARAMETER = re.compile(r'(\w+):\s*"([^"]*)"')
URL = re.compile(r'\{\{\s*"\s*([^"]*?)\s*"\s*\|\s*url\s*\}\}')
# Markdown right under a line of HTML would count as HTML.
UNDER_HTML = re.compile(r"(</div>\n)(?=#)")
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A page as it was written: what its front matter says, and its body."""

    name: str
    front: Mapping[str, list[str]]
    body: str

    def get(self, key: str) -> str:
        """The one value of a key, or nothing."""
        return next(iter(self.front.get(key, [])), "")

    def html(self) -> str:
        """The body as HTML."""
        return render(self.body, markdown=self.name.endswith(".md"))


def read(name: str, text: str) -> Source:
    """Take front matter and body apart."""
    _, head, body = text.split("---\n", 2)
    return Source(name, front_matter(head), body)


def front_matter(head: str) -> dict[str, list[str]]:
    """The part of YAML that these sources use: text over one or more lines, and lists of it; inner keys stay text."""
    values: dict[str, list[str]] = {}
    last: list[str] = []
    for line in head.splitlines():
        key = re.match(r"(\w+):\s*(.*)", line)
        if key:
            last = values[key[1]] = [key[2]] if key[2] not in ("", ">") else []
        elif item := re.match(r"\s*- (.*)", line):
            last.append(item[1])
        elif line.strip():
            last[-1:] = [" ".join([*last[-1:], line.strip()])]
    return {key: [value.strip().strip("\"'").strip() for value in found] for key, found in values.items()}


def render(body: str, *, markdown: bool) -> str:
    """A body without tags; `markdown` says that what is left is Markdown."""
    body = RAW.sub(lambda raw: raw[1].replace("{", OPEN).replace("}", CLOSE), body)
    body = LOOP.sub("", COMMENT.sub("", body))
    captured = {found[1]: found[2] for found in CAPTURE.finditer(body)}
    body = INCLUDE.sub(lambda tag: _include(tag[1], dict(PARAMETER.findall(tag[2]))), CAPTURE.sub("", body))
    body = URL.sub(r"\1", body)
    body = CAPTURED.sub(lambda tag: f"{OPEN}{tag[1]}{CLOSE}", body)
    body = UNDER_HTML.sub(r"\1\n", TAG.sub("", body))
    html = MARKDOWN.render(body) if markdown else body
    for name, inner in captured.items():
        html = html.replace(f"{OPEN}{name}{CLOSE}", render(inner, markdown=True))
    return html.replace(OPEN, "{").replace(CLOSE, "}")


def inline(text: str) -> str:
    """One line of Markdown."""
    return MARKDOWN.renderInline(text)


def _include(name: str, said: Mapping[str, str]) -> str:
    if name == "testimonial.html":
        who = ", ".join(said[part] for part in ("attribution", "position", "organization") if said.get(part))
        return f"<blockquote><p>{escape(said['quote'])}</p><footer>{escape(who)}</footer></blockquote>"
    if "body_text" in said:
        return f"<p>{escape(said['body_text'])}</p>"
    return ""
