from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import app
from tests.client.server import Server, serving

Longrun = Callable[..., Result]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command runs in a folder of its own, without a stack."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def longrun(server: Server) -> Longrun:
    """`longrun` with the arguments given, in this process; the environment names the server unless told otherwise."""

    def invoke(*arguments: str, **env: str) -> Result:
        named = {"LONGRUN_URL": server.url, "LONGRUN_API_KEY": "secret-key", "COLUMNS": "200"}
        return CliRunner().invoke(app, list(arguments), env=named | env)

    return invoke
