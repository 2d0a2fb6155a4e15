"""Who listens where, what the processes are told, and what the stack's folder keeps."""

import json
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from local import ports
from local.folder import Folder
from local.process import StartError
from local.wiring import Wiring
from settings import Settings

FREE = replace(Settings(), port=1, ui_port=2, temporal_port=3)


def test_alone_it_brings_its_own_servers_and_forgets_those_of_others() -> None:
    environ = {
        "TEMPORAL_API_KEY": "secret",
        "TEMPORAL_TLS": "true",
        "DATABASE_DIRECT_URL": "postgresql://far",
        "X": "1",
    }
    wiring = Wiring(FREE, environ)
    assert wiring.own_postgres
    assert wiring.own_temporal
    told = wiring.environment("sk_key")
    assert told["TEMPORAL_ADDRESS"] == f"127.0.0.1:{FREE.temporal_port}"
    assert told["TEMPORAL_CONFIG_FILE"] == os.devnull
    assert told["LONGRUN_API_KEYS"] == "sk_key"
    assert told["LONGRUN_UI_URL"] == f"http://127.0.0.1:{FREE.ui_port}"
    assert told["X"] == "1"
    assert not {"TEMPORAL_API_KEY", "TEMPORAL_TLS", "DATABASE_DIRECT_URL"} & set(told)


def test_named_servers_are_used_as_they_are() -> None:
    settings = replace(FREE, database_url="postgresql://far/db", api_keys=("a", "b"))
    environ = {"DATABASE_URL": "postgresql://far/db", "TEMPORAL_ADDRESS": "far:7233", "TEMPORAL_API_KEY": "secret"}
    wiring = Wiring(settings, environ | {"TEMPORAL_NAMESPACE": "mine"})
    assert not wiring.own_postgres
    assert not wiring.own_temporal
    told = wiring.environment("a")
    assert told["DATABASE_URL"] == "postgresql://far/db"
    assert (told["TEMPORAL_ADDRESS"], told["TEMPORAL_NAMESPACE"]) == ("far:7233", "mine")
    assert told["TEMPORAL_API_KEY"] == "secret"
    assert told["LONGRUN_API_KEYS"] == "a,b"


def test_blank_is_unset() -> None:
    assert Wiring(FREE, {"DATABASE_URL": " ", "TEMPORAL_ADDRESS": ""}).own_postgres


def test_parts_left_out_are_expected_elsewhere() -> None:
    wiring = Wiring(replace(FREE, stack=("api", "worker")), {})
    assert not wiring.own_postgres
    assert not wiring.own_temporal
    assert wiring.ui_url is None


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(StartError, match="LONGRUN_STACK names redis"):
        Wiring(replace(FREE, stack=("api", "redis")), {})


def test_open_to_others_needs_a_key_of_ones_own() -> None:
    with pytest.raises(StartError, match="LONGRUN_API_KEYS"):
        Wiring(replace(FREE, host="0.0.0.0"), {})
    assert Wiring(replace(FREE, host="0.0.0.0", api_keys=("k",)), {}).api_url == f"http://127.0.0.1:{FREE.port}"


def test_a_taken_port_names_the_variable_that_moves_it() -> None:
    free = replace(FREE, port=ports.free(), ui_port=ports.free(), temporal_port=ports.free())
    Wiring(free, {}).check_ports()
    with socket.create_server((ports.LOOPBACK, 0)) as other:
        port: int = other.getsockname()[1]
        for variable, settings in (
            ("LONGRUN_PORT", replace(free, port=port)),
            ("LONGRUN_UI_PORT", replace(free, ui_port=port)),
            ("LONGRUN_TEMPORAL_PORT", replace(free, temporal_port=port)),
        ):
            with pytest.raises(StartError, match=f"Port {port} is taken.*{variable}"):
                Wiring(settings, {}).check_ports()


def test_what_answers_is_reachable_and_what_does_not_is_known_quickly() -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as other:
        there = (ports.LOOPBACK, int(other.getsockname()[1]))
        nowhere = (ports.LOOPBACK, ports.free())
        assert ports.reachable(nowhere, there, seconds=30)
        assert not ports.reachable(nowhere)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps what rests from being given away")
def test_a_free_port_is_given_to_nobody_else_before_it_is_used() -> None:
    free = {ports.free() for _ in range(20)}
    for _ in range(10_000):
        with socket.socket() as other:
            other.bind((ports.LOOPBACK, 0))
            assert other.getsockname()[1] not in free
    for port in free:
        assert not ports.reachable((ports.LOOPBACK, port))
        with socket.create_server((ports.LOOPBACK, port)):
            assert ports.taken(port)


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    with Folder(tmp_path).held(), pytest.raises(StartError, match="LONGRUN_HOME"), Folder(tmp_path).held():
        pytest.fail("held twice")
    with Folder(tmp_path).held():
        pass


def test_the_key_is_made_once_kept_and_private(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    key = folder.api_key(())
    assert len(key) > 30
    assert folder.api_key(()) == key
    assert folder.key_file.read_text() == f"{key}\n"
    assert folder.key_file.stat().st_mode & 0o777 == 0o600
    assert folder.api_key(("given", "other")) == "given"
    assert folder.key_file.read_text() == "given\n"


def test_stack_json_is_private_and_goes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write_stack({"pids": {"api": 1}})
    assert json.loads(folder.stack_file.read_text()) == {"pids": {"api": 1}}
    assert folder.stack_file.stat().st_mode & 0o777 == 0o600
    folder.forget_stack()
    folder.forget_stack()
    assert not folder.stack_file.exists()


def test_the_logs_of_the_last_run_are_put_aside(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.begin_logs()
    folder.log("api").write_text("old")
    folder.begin_logs()
    assert not folder.log("api").exists()
    assert (tmp_path / "logs" / "api.log.1").read_text() == "old"
