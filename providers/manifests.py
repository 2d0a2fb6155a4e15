"""Manifests read into technologies, each with the line that shows it. Pure: no I/O; a broken manifest is no finding.

The rule: every direct dependency (runtime, development, optional, peer), base image and declared language version is a
technology, under its display name in technologies.toml or else under the name the manifest uses. Lock files, indirect
Go modules and compiled requirements are nobody's choice, and packages of the repository itself (workspace:, path) are
no technology; they are not read.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

from providers.recipes import dockerfile, gemfile, go_mod, gradle, images, pom
from providers.stated import Stated, excerpt

MAX_CHARS = 200_000
MAX_FOUND = 500
MAX_LINE = 500


class Found(NamedTuple):
    """A technology, the manifest text that shows it (literally in the manifest), and the version as written there."""

    technology: str
    line: str
    version: str | None


def read(filename: str, text: str) -> list[Found]:
    """What a manifest of that name states, in its order, without repeats; [] for other files and malformed ones.

    Only the first 500 statements count, and nothing of a line over 500 or a text over 200 000 characters.
    """
    parser = _parser(filename)
    if parser is None or len(text) > MAX_CHARS:
        return []
    try:
        stated = list(islice(parser(text), MAX_FOUND))
    # Deep nesting is refused by the parsers with a RecursionError.
    except (ValueError, RecursionError):
        return []
    found = (Found(canonical(s.ecosystem, s.name), s.line, s.version) for s in stated if len(s.line) <= MAX_LINE)
    return list(dict.fromkeys(found))


def priority(filename: str) -> int | None:
    """How soon a file of that name should be read (0 is first), or None when it is no manifest."""
    return next((rank for rank, (pattern, _) in enumerate(PARSERS) if re.fullmatch(pattern, filename)), None)


def canonical(ecosystem: str, name: str) -> str:
    """The display name of a package, image or language, or the name itself."""
    known = _technologies().get(ecosystem, {})
    wanted = re.sub(r"[-_.]+", "-", name).lower() if ecosystem == "python" else name
    parts = re.split(r"([/:])", wanted)
    # Images are known by their last words (registry/library/node), everything else by its first (@angular/core).
    spans = range(0, len(parts), 2) if ecosystem == "image" else range(len(parts), 0, -2)
    tried = ("".join(parts[at:] if ecosystem == "image" else parts[:at]) for at in spans)
    return next((known[part] for part in tried if part in known), name)


@cache
def _technologies() -> dict[str, dict[str, str]]:
    return tomllib.loads(Path(__file__).with_name("technologies.toml").read_text(encoding="utf-8"))


def _parser(filename: str) -> Callable[[str], Iterable[Stated]] | None:
    rank = priority(filename)
    return None if rank is None else PARSERS[rank][1]


def _table(value: object) -> dict[str, Any]:
    """A JSON or TOML table, or an empty one where the manifest holds something else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _strings(value: object) -> list[str]:
    return [item for item in cast("list[object]", value) if isinstance(item, str)] if isinstance(value, list) else []


def package_json(text: str) -> Iterator[Stated]:
    sections = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "engines")
    return _json_sections("npm", text, sections)


def composer_json(text: str) -> Iterator[Stated]:
    # ext-… and lib-… are parts of PHP itself.
    packages = _json_sections("php", text, ("require", "require-dev"))
    return (stated for stated in packages if not re.match(r"(?:ext|lib)-", stated.name))


OWN = ("workspace:", "file:", "link:", "portal:")


def _json_sections(ecosystem: str, text: str, sections: Iterable[str]) -> Iterator[Stated]:
    root = _table(json.loads(text))
    for section in sections:
        start = re.search(rf'"{section}"\s*:\s*\{{', text)
        for name, version in _table(root.get(section)).items():
            if start and isinstance(version, str) and not version.startswith(OWN):
                pair = rf"{_literal(name)}\s*:\s*{_literal(version)},?"
                yield from Stated.at(text, pair, start.end(), ecosystem, name, version)


def _literal(value: str) -> str:
    """A pattern for a JSON string as people and tools write it: slashes may be escaped."""
    return re.escape(json.dumps(value, ensure_ascii=False)).replace("/", r"\\?/")


REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(\(?[<>=!~][^;#]*|@[^;]*)?(?:[;#].*)?"
)


def _requirement(line: str) -> tuple[str, str | None] | None:
    """Name and version range of a dependency as PEP 508 writes it, or None."""
    match = REQUIREMENT.fullmatch(line.split(" --")[0].rstrip(" \\"))
    if match is None:
        return None
    wanted = (match[2] or "").strip(" ()")
    return match[1], None if not wanted or wanted.startswith("@") else wanted


def requirements(text: str) -> Iterator[Stated]:
    if re.search(r"(?m)^#.*\bautogenerated\b", text):
        return
    for line in text.splitlines():
        if found := _requirement(line):
            yield Stated("python", *found, excerpt(line, 0, len(line)))


def pyproject(text: str) -> Iterator[Stated]:
    root = tomllib.loads(text)
    project, poetry = _table(root.get("project")), _table(_table(root.get("tool")).get("poetry"))
    if isinstance(wanted := project.get("requires-python"), str):
        yield from Stated.at(text, r"(?m)^[ \t]*requires-python\s*=.*$", 0, "python", "python", wanted)
    lists = [project.get("dependencies"), *_table(project.get("optional-dependencies")).values()]
    for line in (line for group in lists for line in _strings(group)):
        yield from _pep508(text, line, r"(?m)^[ \t]*(?:\[project\.optional-)?dependencies\b")
    for line in (line for group in _table(root.get("dependency-groups")).values() for line in _strings(group)):
        yield from _pep508(text, line, r"(?m)^[ \t]*\[?dependency-groups\b")
    groups = [_table(group).get("dependencies") for group in _table(poetry.get("group")).values()]
    for group in (poetry.get("dependencies"), poetry.get("dev-dependencies"), *groups):
        yield from _toml_keys("python", text, group)


def _pep508(text: str, line: str, section: str) -> Iterator[Stated]:
    start = re.search(section, text)
    if found := _requirement(line):
        yield from Stated.at(text, rf"[\"']{re.escape(line)}[\"'],?", start.start() if start else 0, "python", *found)


def pipfile(text: str) -> Iterator[Stated]:
    root = tomllib.loads(text)
    for section in ("packages", "dev-packages"):
        yield from _toml_keys("python", text, root.get(section), section)


def cargo_toml(text: str) -> Iterator[Stated]:
    root = tomllib.loads(text)
    for place in (root, _table(root.get("workspace")), *map(_table, _table(root.get("target")).values())):
        for section in ("dependencies", "dev-dependencies", "build-dependencies"):
            yield from _toml_keys("rust", text, place.get(section), section)


def _toml_keys(ecosystem: str, text: str, group: object, section: str = "dependencies") -> Iterator[Stated]:
    """A table of name = "version" or name = {version = "…", package = "…"}, found below a header that ends so."""
    header = re.search(rf"(?m)^[ \t]*\[[^\n]*(?<![\w-]){section}\b", text)
    for key, value in _table(group).items():
        if "path" in _table(value):
            continue
        version = value if isinstance(value, str) else _table(value).get("version")
        name = str(_table(value).get("package") or key)
        line = rf"(?m)^[ \t]*(?:\[[^\n]*\.)?[\"']?{re.escape(key)}[\"']?\s*[=.\]].*$"
        start = header.start() if header else 0
        yield from Stated.at(text, line, start, ecosystem, name, version if isinstance(version, str) else None)


PARSERS: tuple[tuple[str, Callable[[str], Iterable[Stated]]], ...] = (
    (r"package\.json", package_json),
    (r"pyproject\.toml", pyproject),
    (r"go\.mod", go_mod),
    (r"Gemfile", gemfile),
    (r"Cargo\.toml", cargo_toml),
    (r"composer\.json", composer_json),
    (r"pom\.xml", pom),
    (r"build\.gradle(?:\.kts)?", gradle),
    (r"Pipfile", pipfile),
    (r"requirements\.(?:in|txt)", requirements),
    (r"Dockerfile", dockerfile),
    (r"(?:docker-)?compose\.ya?ml", images),
    (r"[\w.-]*requirements[\w.-]*\.(?:in|txt)", requirements),
    (r"Dockerfile\.[\w.-]+", dockerfile),
)
