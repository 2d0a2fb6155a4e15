"""Deepgram calls back with what it has heard: once, by the token of the address it was given, while somebody waits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from domain.interviews.later import BODY_BYTES, WAIT, callback_of
from domain.keyring import Keyring
from ledger.interviews import Interviews
from ledger.speech_callbacks import SpeechCallbacks
from ledger.waitpoints import StepWait, Waitpoints
from tests.api.conftest import KEY, Api

SAID = b'{"metadata": {}, "results": {"channels": ["quixotic marmalade"]}}'


@pytest.fixture
async def vendor(api: Api) -> httpx.AsyncClient:
    return await api.client(None)


async def waiting(api: Api, activity_id: str = WAIT, within: timedelta = timedelta(hours=1)) -> tuple[UUID, str]:
    """A job of an interview whose step waits, and the address that was told."""
    job_id = await api.opened()
    await api.database.execute(
        """WITH made AS (INSERT INTO interviews (user_id, job_id) VALUES ('ann', $1) RETURNING id, job_id)
        INSERT INTO interview_jobs (interview_id, job_id) SELECT id, job_id FROM made""",
        job_id,
    )
    waitpoint_id = callback_of(job_id)
    token = Keyring((KEY,)).wait_token(waitpoint_id)
    wait = StepWait(job_id, activity_id, datetime.now(UTC))
    await Waitpoints(api.database).open(waitpoint_id, token=token, about="it", within=within, wait=wait)
    return waitpoint_id, f"/api/deepgram/callbacks/{waitpoint_id}?token={token}"


async def test_what_it_says_is_kept_once_and_the_wait_is_over(api: Api, vendor: httpx.AsyncClient) -> None:
    waitpoint_id, address = await waiting(api)
    answer = await vendor.post(address, content=SAID)
    assert (answer.status_code, answer.json()) == (200, {"waitpointId": str(waitpoint_id), "bytes": len(SAID)})
    callbacks = SpeechCallbacks(api.database)
    assert await callbacks.body(waitpoint_id) == SAID
    point = await Waitpoints(api.database).get(waitpoint_id)
    assert point
    assert (point.status, point.output, point.step) == ("completed", {"bytes": len(SAID)}, "transcribe")
    again = await vendor.post(address, content=b"other")
    assert (again.status_code, again.json()["bytes"]) == (200, 0)
    assert await callbacks.body(waitpoint_id) == SAID
    await callbacks.forget(waitpoint_id)
    assert (await vendor.post(address, content=SAID)).status_code == 200
    assert await callbacks.body(waitpoint_id) is None, "what was read does not come back"


async def test_nobody_else_is_heard(api: Api, vendor: httpx.AsyncClient) -> None:
    waitpoint_id, address = await waiting(api)
    path, _, token = address.partition("?")
    for wrong in (
        f"{path}?token=x",
        f"/api/deepgram/callbacks/{UUID(int=0)}?{token}",
        "/api/deepgram/callbacks/1?token=x",
    ):
        assert (await vendor.post(wrong, content=SAID)).status_code == 404
    assert (await vendor.post(path, content=SAID)).status_code == 422
    _, elsewhere = await waiting(api, "approve")
    assert (await vendor.post(elsewhere, content=SAID)).status_code == 404, "a token is good for its own purpose"
    assert await SpeechCallbacks(api.database).body(waitpoint_id) is None


async def test_who_comes_too_late_is_told_so(api: Api, vendor: httpx.AsyncClient) -> None:
    waitpoint_id, address = await waiting(api, within=timedelta(microseconds=1))
    answer = await vendor.post(address, content=SAID)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_waiting")
    _, canceled = await waiting(api)
    await api.database.execute("UPDATE jobs SET status = 'canceled', finished_at = now() WHERE finished_at IS NULL")
    assert (await vendor.post(canceled, content=SAID)).status_code == 409
    assert await SpeechCallbacks(api.database).body(waitpoint_id) is None


async def test_nothing_is_kept_of_an_interview_that_is_deleted(api: Api, vendor: httpx.AsyncClient) -> None:
    kept, address = await waiting(api)
    assert (await vendor.post(address, content=SAID)).status_code == 200
    late, address = await waiting(api)
    for row in await api.database.fetch("SELECT id FROM interviews"):
        await Interviews(api.database).delete(row["id"])
    assert (await vendor.post(address, content=SAID)).status_code == 200
    callbacks = SpeechCallbacks(api.database)
    assert (await callbacks.body(kept), await callbacks.body(late)) == (None, None)


async def test_hours_of_speech_fit_and_more_does_not(api: Api, vendor: httpx.AsyncClient) -> None:
    waitpoint_id, address = await waiting(api)
    assert (await vendor.post(address, content=b" " * (BODY_BYTES + 1))).status_code == 413
    large = b" " * (8 * 1024**2)
    assert (await vendor.post(address, content=large)).json()["bytes"] == len(large)
    assert await SpeechCallbacks(api.database).body(waitpoint_id) == large
