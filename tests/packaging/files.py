"""The packaging files, read as Docker and Compose read them."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
# Compose's ${NAME}, ${NAME:-default}, ${NAME:?message}, and $$ for a plain dollar.
VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


@dataclass(frozen=True)
class Stage:
    """One FROM and the (instruction, arguments) after it, continuation lines joined."""

    image: str
    lines: tuple[tuple[str, str], ...]

    def of(self, instruction: str) -> list[str]:
        return [arguments for name, arguments in self.lines if name == instruction]


def dockerfile() -> list[Stage]:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stages: list[tuple[str, list[tuple[str, str]]]] = []
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        name, arguments = line.split(maxsplit=1)
        if name == "FROM":
            stages.append((arguments.split()[0], []))
        else:
            stages[-1][1].append((name, " ".join(arguments.split())))
    return [Stage(image, tuple(lines)) for image, lines in stages]


def build_commands() -> list[str]:
    """What the build stage runs with uv, in order, without the getting of uv itself, arguments by their defaults."""
    build = dockerfile()[0]
    runs = " && ".join(re.sub(r"--mount=\S+ ", "", run) for run in build.of("RUN"))
    for name, default in (argument.split("=") for argument in build.of("ARG")):
        runs = runs.replace(f"${{{name}}}", default)
    return [command for command in runs.split(" && ") if command.startswith("uv ")]


def compose(environ: dict[str, str]) -> dict[str, Any]:
    """docker-compose.yml with its variables taken from `environ`; KeyError for a required one that is missing."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if match[0] == "$$":
            return "$"
        if environ.get(name):
            return environ[name]
        if kind != "-":
            raise KeyError(name)
        return rest

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(below) for key, below in node.items()}
        if isinstance(node, list):
            return [filled(below) for below in node]
        return VARIABLE.sub(value, node) if isinstance(node, str) else node

    return filled(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def context(folder: Path) -> Path:
    """A copy of what .dockerignore lets into the build."""
    folder.mkdir()
    names = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, folder / name)
    return folder
