"""Where the Temporal CLI comes from: named, on PATH, cached, downloaded, built; and what is said when nothing helps."""

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from local import ports, temporal_cli
from local.temporal_cli import VERSION, TemporalMissingError, find_cli


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """An environment with an empty PATH, an empty cache and no way out."""
    monkeypatch.setattr(temporal_cli, "DOWNLOADS", (ports.LOOPBACK, 1))
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin"), "LONGRUN_CACHE": str(tmp_path / "cache")}


def program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def go(tmp_path: Path) -> Path:
    """A Go that builds a program which says its version, and counts how often it was asked."""
    build = f'echo built >> {tmp_path}/builds; /bin/sleep 0.2; printf "#!/bin/sh\\necho 1\\n" > "$GOBIN/temporal"'
    return program(tmp_path / "bin" / "go", f'{build}; /bin/chmod 755 "$GOBIN/temporal"; echo "$@" > {tmp_path}/asked')


def test_the_named_one_comes_first(world: dict[str, str], tmp_path: Path) -> None:
    named = program(tmp_path / "mine")
    program(tmp_path / "bin" / "temporal")
    assert find_cli(world | {"LONGRUN_TEMPORAL_CLI": str(named)}) == named


def test_a_named_one_that_is_no_program_is_said_so(world: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin" / "temporal")
    with pytest.raises(TemporalMissingError, match="LONGRUN_TEMPORAL_CLI"):
        find_cli(world | {"LONGRUN_TEMPORAL_CLI": str(tmp_path / "nothing")})


def test_path_comes_before_the_cache(world: dict[str, str], tmp_path: Path) -> None:
    cached = program(tmp_path / "cache" / "temporal" / VERSION / "temporal")
    assert find_cli(world) == cached
    on_path = program(tmp_path / "bin" / "temporal")
    assert find_cli(world) == on_path


def test_what_the_sdk_downloaded_once_is_found_again(world: dict[str, str], tmp_path: Path) -> None:
    downloaded = program(tmp_path / "cache" / "temporal" / "sdk-1.35.0" / "temporal")
    assert find_cli(world) == downloaded


def test_go_builds_it_into_the_cache(world: dict[str, str], tmp_path: Path) -> None:
    go(tmp_path)
    built = find_cli(world)
    assert built == tmp_path / "cache" / "temporal" / VERSION / "temporal"
    assert f"github.com/temporalio/cli/cmd/temporal@v{VERSION}" in (tmp_path / "asked").read_text()
    assert find_cli(world) == built
    assert (tmp_path / "builds").read_text() == "built\n"


def test_two_who_miss_it_at_once_build_it_once(world: dict[str, str], tmp_path: Path) -> None:
    go(tmp_path)
    found = list[Path]()
    seekers = [threading.Thread(target=lambda: found.append(find_cli(world))) for _ in range(3)]
    for each in seekers:
        each.start()
    for each in seekers:
        each.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert (tmp_path / "builds").read_text() == "built\n"


def test_a_failed_build_says_why_and_what_next(world: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin" / "go", "echo no space left on device >&2; exit 1")
    with pytest.raises(TemporalMissingError) as failure:
        find_cli(world)
    assert "no space left on device" in str(failure.value)
    assert "TEMPORAL_ADDRESS" in str(failure.value)
    assert not (tmp_path / "cache" / "temporal" / VERSION).exists()


def test_without_any_means_every_next_step_is_named(world: dict[str, str]) -> None:
    with pytest.raises(TemporalMissingError) as failure:
        find_cli(world)
    for word in ("cannot be reached", "Go is not installed", "LONGRUN_TEMPORAL_CLI", "on PATH", "TEMPORAL_ADDRESS"):
        assert word in str(failure.value)


def test_a_build_that_does_not_run_here_is_not_kept(world: dict[str, str], tmp_path: Path) -> None:
    program(
        tmp_path / "bin" / "go",
        'printf "#!/bin/sh\\nexit 3\\n" > "$GOBIN/temporal"; /bin/chmod 755 "$GOBIN/temporal"',
    )
    with pytest.raises(TemporalMissingError, match="does not run"):
        find_cli(world)
    assert not (tmp_path / "cache" / "temporal" / VERSION).exists()
