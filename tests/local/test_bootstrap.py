"""What runs before anything is installed."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local import bootstrap

ROOT = Path(__file__).parents[2]


def pins(lock: str) -> set[str]:
    return set(re.findall(r"^(\S+==\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_what_developers_install_contains_what_runs() -> None:
    assert pins(bootstrap.RUNTIME)
    assert pins(bootstrap.RUNTIME) < pins(bootstrap.DEV)


@pytest.mark.parametrize("lock", [bootstrap.RUNTIME, bootstrap.DEV])
def test_locks_carry_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"https?://|--(?:extra-)?index-url|--find-links", text)
    for requirement in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in requirement


@pytest.mark.parametrize("name", ["bootstrap.py", "live.py"])
def test_a_python_that_is_too_old_can_read_it(name: str) -> None:
    ast.parse((ROOT / "local" / name).read_text(), feature_version=(3, 7))


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = "import sys; import local.bootstrap, local.clean; print('site-packages' in str(sys.modules.values()))"
    told = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_a_python_that_is_too_old_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"Python 3\.11 or later is needed, this is 3\.9"):
        bootstrap.main("demo", [])


def test_the_wishes_of_make_become_options(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COMPANY", "ROLE", "URL"):
        monkeypatch.delenv(name, raising=False)
    assert bootstrap.wishes() == []
    monkeypatch.setenv("COMPANY", 'O\'Brien & "Sons"')
    monkeypatch.setenv("ROLE", " ")
    assert bootstrap.wishes() == ["--company", 'O\'Brien & "Sons"']


def test_every_target_of_the_makefile_is_one_line_and_known() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    targets = [line.partition(":")[0] for line in lines if re.match(r"\w+: ; \$\(RUN\) \w+", line)]
    assert {"demo", "up", "test", "check", "quality", "bench", "chaos", "clean", "lock", "install"} == set(targets)
    assert not [line for line in lines if line.startswith("\t")]


def test_clean_spares_a_stack_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from local.clean import clean
    from local.folder import Folder

    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    environ = {"LONGRUN_HOME": str(home)}
    with Folder(home).held():
        assert clean(environ) == 1
    assert home.exists()
    assert clean(environ) == 0
    assert not home.exists()
    assert clean(environ) == 0
