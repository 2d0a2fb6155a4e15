"""What the README tells people to type exists."""

import re

from typer.testing import CliRunner

from api.app import create_app
from cli import app
from settings import VARIABLES, Settings
from tests.packaging.files import ROOT

README = (ROOT / "README.md").read_text()


def test_every_call_is_a_route() -> None:
    routes = create_app(Settings()).openapi()["paths"]
    known = {re.sub(r"\{\w+\}", "$ID", path): set(methods) for path, methods in routes.items()}
    calls = re.findall(r"^call (.*?)\$LONGRUN_URL(/[\w/$-]+)(.*)$", README, re.MULTILINE)
    assert len(calls) > 10
    for before, path, after in calls:
        said = re.search(r"-X (\w+)", before)
        method = said[1].lower() if said else "post" if " -d " in after else "get"
        assert method in known.get(re.sub(r"\$[A-Z]+", "$ID", path), set()), f"{method} {path}"


def test_every_variable_is_read() -> None:
    named = set(re.findall(r"\b(?:LONGRUN|DATABASE)_\w+", README))
    assert named - set(VARIABLES.values()) <= {"LONGRUN_URL", "LONGRUN_API_KEY"}


def test_every_command_is_there() -> None:
    for words in set(re.findall(r"longrun ((?:jobs )?[a-z]+)", README)):
        assert CliRunner().invoke(app, [*words.split(), "--help"]).exit_code == 0, words
    made = set(re.findall(r"make ([a-z]+)", README))
    assert made <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_folder_and_file_is_there() -> None:
    for path in set(re.findall(r"`([\w./-]+(?:/|\.py|\.md|\.yml|\.example))`", README)):
        assert (ROOT / path).exists(), path
    packages = {f"{path.parent.name}/" for path in ROOT.glob("*/__init__.py")} - {"tests/", "bench/"}
    assert set(re.findall(r"^\| `(\w+/)`", README, re.MULTILINE)) == packages


def test_the_decisions_are_short_and_name_who_enforces_them() -> None:
    for decision in (ROOT / "docs/decisions").glob("*.md"):
        text = decision.read_text()
        assert len(text.splitlines()) <= 40
        for path in re.findall(r"`((?:tests|workflows|ledger|docker|providers|local)/[\w./]*)`", text):
            assert (ROOT / path).exists(), f"{decision.name}: {path}"
        assert re.search(r"(Enforced|Held) by", text), decision.name
