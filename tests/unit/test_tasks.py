"""Which hosts tasks may be sent to, how long they may take, and the secrets that are derived."""

import base64
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.errors import CallerError
from domain.keyring import Keyring
from domain.tasks import HttpTaskRequest, TaskHosts, request_for
from domain.telling import webhook_secret

JOB = UUID("8c0f3c5e-5d0c-4b8e-9a52-0f2b7f9d1c11")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://app.example.com/x", True),
        ("http://APP.example.com/x", True),
        ("https://app.example.com:443/x", True),
        ("https://app.example.com:8443/x", False),
        ("http://internal:3000/x", True),
        ("http://internal/x", False),
        ("http://[::1]:3000/x", True),
        ("https://app.example.com.evil.example/x", False),
        ("https://evil.example/app.example.com", False),
        ("https://app.example.com@evil.example/x", False),
        ("https://user@app.example.com/x", False),
        ("ftp://app.example.com/x", False),
        ("https://sub.app.example.com/x", False),
    ],
)
def test_a_host_is_as_it_is_listed(url: str, allowed: bool) -> None:
    assert (url in TaskHosts([" App.example.com", "internal:3000", "[::1]:3000"])) == allowed


def test_a_request_is_for_a_listed_host() -> None:
    with pytest.raises(CallerError) as nowhere:
        request_for([]).model_validate({"url": "https://app.example.com/x"})
    assert nowhere.value.code == "not_configured"
    with pytest.raises(CallerError) as elsewhere:
        request_for(["app.example.com"]).model_validate({"url": "https://evil.example/x"})
    assert (elsewhere.value.code, elsewhere.value.pointer) == ("host_not_allowed", "/payload/url")
    assert request_for(["app.example.com"]).model_validate({"url": "https://app.example.com/x"}).body == {}


@pytest.mark.parametrize(
    ("given", "meant"),
    [(1, timedelta(seconds=1)), ("90s", timedelta(seconds=90)), ("3d", timedelta(days=3))],
)
def test_a_timeout_is_seconds_or_a_duration(given: object, meant: timedelta) -> None:
    task = HttpTaskRequest.model_validate({"url": "https://a.example", "timeout": given})
    assert task.timeout == meant
    assert HttpTaskRequest.model_validate_json(task.model_dump_json(by_alias=True)) == task


@pytest.mark.parametrize("given", [0, -1, True, 1.5, "3 days", "31d", 31 * 86400, []])
def test_a_timeout_has_limits(given: object) -> None:
    with pytest.raises(ValidationError):
        HttpTaskRequest.model_validate({"url": "https://a.example", "timeout": given})


def test_secrets_are_of_one_key_and_one_use() -> None:
    old, new = Keyring(["old"]), Keyring(["new", "old"])
    assert old.signing_secret != webhook_secret("old"), "no message to somebody's webhook passes for a task"
    secrets = {old.signing_secret, new.signing_secret, old.execution_secret(JOB), new.execution_secret(JOB)}
    assert len(secrets) == 4
    for secret in secrets:
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert new.execution_secrets(JOB) == [new.execution_secret(JOB), old.execution_secret(JOB)]
    assert old.execution_secret(JOB) != old.execution_secret(UUID(int=1))
    assert old.wait_token(JOB) == Keyring(["old"]).wait_token(JOB) != new.wait_token(JOB)
    assert not Keyring([])
