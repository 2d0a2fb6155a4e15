"""Manifests written line by line or in a language of their own; each grammar reads only what states a choice."""

import re
from collections.abc import Iterator

from providers.stated import Stated, excerpt


def go_mod(text: str) -> Iterator[Stated]:
    required = False
    for line in text.splitlines():
        code, _, comment = line.partition("//")
        words = code.split()
        if not words or comment.strip().startswith("indirect"):
            continue
        if words[0] == "go" and len(words) == 2:
            yield Stated("go", "go", words[1], line.strip())
        elif words[0] == "require" and words[1:] == ["("]:
            required = True
        elif words[0] == ")":
            required = False
        elif len(words) == 3 and words[0] == "require":
            yield Stated("go", _unversioned(words[1]), words[2], line.strip())
        elif required and len(words) == 2:
            yield Stated("go", _unversioned(words[0]), words[1], line.strip())


def _unversioned(module: str) -> str:
    return re.sub(r"/v\d+$", "", module)


GEM = re.compile(r"""\s*gem[\s(]+["']([^"']+)["'](?:\s*,\s*["']([^"']+)["'])?.*""")
RUBY = re.compile(r"""\s*(ruby)[\s(]+["']([^"']+)["'].*""")


def gemfile(text: str) -> Iterator[Stated]:
    for line in text.splitlines():
        if match := GEM.fullmatch(line) or RUBY.fullmatch(line):
            yield Stated("ruby", match[1], match[2], line.strip())


FROM = re.compile(r"(?i)\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*")


def dockerfile(text: str) -> Iterator[Stated]:
    stages = {"scratch"}
    for line in text.splitlines():
        if match := FROM.fullmatch(line):
            if match[1].lower() not in stages:
                yield from _image(match[1], line)
            stages.add((match[2] or "").lower())


IMAGE = re.compile(r"""\s*-?\s*image:\s*["']?([^\s"'#]+).*""")


def images(text: str) -> Iterator[Stated]:
    """The images of a compose file: those it builds itself state nothing."""
    for line in text.splitlines():
        if match := IMAGE.fullmatch(line):
            yield from _image(match[1], line)


def _image(reference: str, line: str) -> Iterator[Stated]:
    # A colon before the last slash is a registry's port; what follows @ is a digest.
    name, _, tag = re.sub(r":(?=[^/]*/)", "\0", reference.partition("@")[0]).partition(":")
    if "$" not in name:
        yield Stated("image", name.replace("\0", ":"), tag or None, line.strip())


CONFIGURATION = (
    r"(?:\w*(?:[iI]mplementation|[aA]pi|[cC]ompileOnly|[rR]untimeOnly)|annotationProcessor|kapt|ksp|classpath)"
)
DEPENDENCY = re.compile(
    rf"""\s*{CONFIGURATION}[\s(]+(?:(?:enforcedP|p)latform\s*\(\s*)?["']([\w.-]+:[\w.-]+)(?::([^"'@:]+))?[^"']*["'].*"""
)
MAPPED = re.compile(
    rf"""\s*{CONFIGURATION}[\s(]+group\s*[:=]\s*["']([\w.-]+)["'],\s*name\s*[:=]\s*["']([\w.-]+)["'].*"""
)
PLUGIN = re.compile(r"""\s*id[\s(]+["']([\w.-]+)["']\)?(?:\s+version[\s(]+["']([^"']+)["'])?.*""")
KOTLIN = re.compile(r"""\s*(kotlin)\(["'][\w.-]+["']\)\s+version[\s(]+["']([^"']+)["'].*""")


def gradle(text: str) -> Iterator[Stated]:
    """Dependencies by their coordinates, and plugins; what a version catalogue hides behind `libs.…` is not guessed."""
    for line in text.splitlines():
        if match := DEPENDENCY.fullmatch(line):
            yield Stated("java", match[1], match[2], line.strip())
        elif match := MAPPED.fullmatch(line):
            yield Stated("java", f"{match[1]}:{match[2]}", None, line.strip())
        elif match := PLUGIN.fullmatch(line) or KOTLIN.fullmatch(line):
            yield Stated("gradle", match[1], match[2], line.strip())


ARTIFACT = re.compile(r"<artifactId>\s*([\w.-]+)\s*</artifactId>")
GROUP = re.compile(r"<groupId>\s*([\w.-]+)\s*</groupId>")
VERSION = re.compile(r"<version>\s*([^<\s]+)\s*</version>")


def pom(text: str) -> Iterator[Stated]:
    """<parent> and <dependency> blocks. Read as text: an XML parser would expand what a stranger's file tells it to."""
    if "</project>" not in text:
        raise ValueError("not a whole pom.xml")
    # Same length, so that places found here are places in the text.
    shown = _blanked(_blanked(_blanked(text, "<!--", "-->"), "<exclusions>", "</exclusions>"), "<build>", "</build>")
    for tag in ("parent", "dependency"):
        end = 0
        while (start := shown.find(f"<{tag}>", end)) >= 0 and (end := shown.find(f"</{tag}>", start)) >= 0:
            group, artifact = GROUP.search(shown, start, end), ARTIFACT.search(shown, start, end)
            version = VERSION.search(shown, start, end)
            if group and artifact:
                name = f"{group[1]}:{artifact[1]}"
                yield Stated("java", name, version[1] if version else None, excerpt(text, *artifact.span()))


def _blanked(text: str, opening: str, closing: str) -> str:
    kept: list[str] = []
    at = 0
    while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start)) >= 0:
        end += len(closing)
        kept += [text[at:start], " " * (end - start)]
        at = end
    return "".join([*kept, text[at:]])
