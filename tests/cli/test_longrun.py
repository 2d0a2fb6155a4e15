"""`longrun` as a command: where it finds the API, what it says when it cannot go on, what it does not load."""

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.cli.conftest import Longrun
from tests.client.server import Answer, Server, job

ROOT = Path(__file__).parents[2]
HEAVY = ("fastapi", "httpx", "httpx2", "temporalio", "asyncpg", "anthropic", "openai", "pydantic_ai", "uvicorn")


def _stack(folder: Path, url: str) -> None:
    (folder / ".longrun").mkdir()
    (folder / ".longrun/stack.json").write_text(json.dumps({"apiUrl": url}))
    (folder / ".longrun/api-key").write_text("local-key\n")


def test_the_stack_of_this_folder_is_found(server: Server, longrun: Longrun, tmp_path: Path) -> None:
    _stack(tmp_path, server.url)
    server.on("GET /api/jobs", Answer(200, {"jobs": []}))
    assert longrun("jobs", "list", LONGRUN_URL="", LONGRUN_API_KEY="").exit_code == 0
    assert server.asked[0].headers["Authorization"] == "Bearer local-key"


def test_its_key_goes_to_no_other_server(server: Server, longrun: Longrun, tmp_path: Path) -> None:
    _stack(tmp_path, "http://127.0.0.1:9")
    server.on("GET /api/jobs", Answer(200, {"jobs": []}))
    longrun("jobs", "list", "--url", server.url, LONGRUN_API_KEY="")
    assert "Authorization" not in server.asked[0].headers


def test_options_win_over_the_environment(server: Server, longrun: Longrun) -> None:
    server.on("GET /api/jobs", Answer(200, {"jobs": []}))
    result = longrun("jobs", "list", "--url", server.url, "--key", "given", LONGRUN_URL="http://127.0.0.1:9")
    assert result.exit_code == 0
    assert server.asked[0].headers["Authorization"] == "Bearer given"


def test_without_any_api_it_says_what_to_do(longrun: Longrun) -> None:
    result = longrun("jobs", "list", LONGRUN_URL="", LONGRUN_API_KEY="")
    assert result.exit_code == 2
    assert "longrun up" in result.stderr


def test_an_api_that_is_not_there_is_one_line(longrun: Longrun) -> None:
    result = longrun("jobs", "list", LONGRUN_URL="http://127.0.0.1:1")
    assert (result.exit_code, result.stderr) == (1, "http://127.0.0.1:1 cannot be reached\n")


def test_a_setting_that_cannot_be_read_is_named(longrun: Longrun) -> None:
    result = longrun("migrate", LONGRUN_POOL_SIZE="many")
    assert result.exit_code == 2
    assert result.stderr.startswith("LONGRUN_POOL_SIZE cannot be read")


def test_a_database_that_is_not_there_is_one_line(longrun: Longrun) -> None:
    result = longrun("migrate", DATABASE_URL="postgresql://longrun:hidden-word@127.0.0.1:1/longrun")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "hidden-word" not in result.output


def test_every_command_has_help_that_fits_its_first_line(longrun: Longrun) -> None:
    for words in ([], ["jobs"]):
        listed = re.findall(r"^│ (\w+) ", longrun(*words, "--help").stdout.split("Commands")[1], re.MULTILINE)
        assert listed
        for command in listed:
            result = longrun(*words, command, "--help")
            assert (result.exit_code, "Usage:" in result.stdout) == (0, True)


def test_help_and_the_window_on_jobs_load_none_of_the_service() -> None:
    code = f"import sys, cli; print([name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


def test_ctrl_c_while_watching_leaves_the_job_alone(server: Server) -> None:
    server.on("GET /api/jobs/j1", Answer(200, job("j1", 1)))
    with subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "jobs", "watch", "j1", "--json"],
        env=os.environ | {"LONGRUN_URL": server.url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # who runs the suite in the background may have had SIGINT ignored
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as watching:
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["status"] == "running"
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=30)

    assert watching.returncode == 130
    assert said == "no longer watching; the job goes on: longrun jobs watch j1\n"
    assert {asked.method for asked in server.asked} == {"GET"}
