"""docker-compose.yml and Dockerfile: order, secrets, what is open to whom."""

from typing import Any

import pytest
import yaml

from local.temporal import DYNAMIC
from settings import VARIABLES
from tests.packaging.files import ROOT, compose, dockerfile

SECRETS = {"POSTGRES_PASSWORD": "pw", "LONGRUN_API_KEYS": "key"}
SERVICES: dict[str, Any] = compose(SECRETS)["services"]
OURS = ("migrate", "api", "worker")
TEMPORAL = {"TEMPORAL_ADDRESS"}


def _waits_for(name: str) -> dict[str, str]:
    return {other: how["condition"] for other, how in SERVICES[name].get("depends_on", {}).items()}


@pytest.mark.parametrize("name", SECRETS)
def test_it_does_not_start_without_its_secrets(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        compose({other: value for other, value in SECRETS.items() if other != name})


def test_health_gates_the_order() -> None:
    assert _waits_for("migrate") == {"postgres": "service_healthy"}
    ready = {"migrate": "service_completed_successfully", "temporal-namespace": "service_completed_successfully"}
    assert _waits_for("api") == _waits_for("worker") == ready
    for name in SERVICES:
        for other, condition in _waits_for(name).items():
            assert condition in ("service_healthy", "service_completed_successfully")
            assert ("healthcheck" in SERVICES[other]) == (condition == "service_healthy")


def test_whatever_stays_up_says_whether_it_is_well() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" in service} == {
        "postgres",
        "temporal",
        "api",
        "worker",
    }


def test_our_variables_are_ones_that_settings_knows() -> None:
    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= set(VARIABLES.values()) | TEMPORAL


def test_models_are_there_for_workers_and_for_who_waits_at_the_door() -> None:
    for name in ("api", "worker"):
        assert {"LONGRUN_MODEL", "LONGRUN_QUICK_MODEL", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"} <= set(
            SERVICES[name]["environment"]
        )


def test_only_the_api_is_open_beyond_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert {name for name, ports in published.items() if not all(port.startswith("127.0.0.1:") for port in ports)} == {
        "api"
    }
    assert SERVICES["api"]["environment"]["LONGRUN_API_KEYS"] == "key"


def test_the_cluster_is_configured_like_the_local_one() -> None:
    mounted = yaml.safe_load((ROOT / "docker/temporal.yaml").read_text())
    said = {key: str(value).lower() for key, [constraint] in mounted.items() for value in constraint.values()}
    assert said == DYNAMIC
    [volume] = SERVICES["temporal"]["volumes"]
    assert volume.startswith("./docker/temporal.yaml:")
    assert volume.split(":")[1].endswith(SERVICES["temporal"]["environment"]["DYNAMIC_CONFIG_FILE_PATH"])


def test_our_services_share_one_image_with_longrun_in_front() -> None:
    assert {SERVICES[name]["image"] for name in OURS} == {"longrun-service:0.1.0"}
    assert dockerfile()[-1].of("ENTRYPOINT") == ['["longrun"]']


def test_the_final_image_holds_no_source_and_no_root() -> None:
    build, final = dockerfile()
    assert build.image == final.image == "python:3.11-slim"
    assert final.of("COPY") == ["--from=build /opt/longrun /opt/longrun"]
    assert final.of("USER") == ["longrun"]
    assert "ca-certificates" in final.of("RUN")[0]


def test_what_is_installed_is_locked_by_hash() -> None:
    installs = [run for run in dockerfile()[0].of("RUN") if "LOCK" in run or "requirements" in run]
    assert len(installs) == 2
    assert all("--require-hashes" in run for run in installs)
