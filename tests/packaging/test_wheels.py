"""The service's wheel holds every package and no more; the client's wheel stands alone."""

import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import longrun
from local import bootstrap
from tests.packaging.conftest import UV
from tests.packaging.files import ROOT, context

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NOT_SHIPPED = {"tests", "bench"}
LOCKS = ("requirements.lock", "requirements-offline.lock", "requirements-dev.lock")


def test_the_wheel_list_names_every_package_and_root_module() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - NOT_SHIPPED
    modules = {path.name for path in ROOT.glob("*.py")}
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]) == packages | modules


def test_docker_is_given_what_the_wheel_is_built_from() -> None:
    given = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    listed = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    assert given == listed | {"pyproject.toml", "README.md", *LOCKS}


def test_each_lock_is_part_of_the_next_larger_one() -> None:
    def pins(name: str) -> set[str]:
        return {line.split()[0] for line in (ROOT / name).read_text().splitlines() if line[:1].isalnum()}

    runtime, offline, developers = map(pins, LOCKS)
    assert runtime < offline < developers
    assert len(runtime) > 30


def test_the_installer_that_make_gets_is_the_one_that_writes_the_locks() -> None:
    assert bootstrap.UV in PROJECT["dependency-groups"]["dev"]


def test_the_wheel_carries_data_and_no_tests(image: Path) -> None:
    [wheel] = (image.parent / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for folder, pattern in (
        ("ledger", "*.sql"),
        ("domain", "*.toml"),
        ("providers", "*.toml"),
        ("local/samples", "*.*"),
    ):
        shipped = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(pattern) if path.is_file()}
        assert shipped
        assert shipped <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]


def test_versions_agree() -> None:
    assert longrun.__version__ == PROJECT["project"]["version"]


def test_the_client_alone_installs_without_the_service(tmp_path: Path) -> None:
    source = context(tmp_path / "src") / "longrun"
    venv = tmp_path / "venv"
    _uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", tmp_path, source)
    [wheel] = tmp_path.glob("longrun-*.whl")
    _uv("venv", "--python", sys.executable, venv)
    _uv("pip", "install", "--python", venv, "--constraints", ROOT / "requirements.lock", "--no-verify-hashes", wheel)

    code = "import longrun; longrun.Client('http://127.0.0.1:1').close(); print(longrun.__file__)"
    run = [str(venv / "bin/python"), "-I", "-c", code]
    where = subprocess.run(run, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert where.startswith(str(venv))
    installed = {path.name for path in venv.glob("lib/*/site-packages/*")}
    assert {"longrun", "httpx2", "pydantic"} <= installed
    assert not {"domain", "api", "typer", "temporalio", "cli.py"} & installed


def _uv(*arguments: str | Path) -> None:
    done = subprocess.run([*shlex.split(UV), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
