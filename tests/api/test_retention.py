"""What callers find of a job whose contents are no longer kept."""

from datetime import timedelta

import httpx

from domain.job import Outcome, Status
from ledger.retention import Keep, Retention
from tests.api.conftest import RESEARCH, Api


async def test_a_blanked_job_answers_and_is_replayed_with_a_payload_alone(api: Api, server: httpx.AsyncClient) -> None:
    job_id = await api.opened(owner="ann")
    await api.jobs.finish(Outcome(job_id=job_id, status=Status.COMPLETED, result={"cached": False}))
    young = (await server.get(f"/api/jobs/{job_id}")).json()
    assert (young["blankedAt"], young["payload"]) == (None, RESEARCH)
    await api.database.execute("UPDATE jobs SET finished_at = now() - interval '2 days' WHERE id = $1", job_id)
    await Retention(api.database, Keep(contents=timedelta(days=1), events=timedelta(days=1))).run(5)

    job = (await server.get(f"/api/jobs/{job_id}")).json()
    assert job["blankedAt"] is not None
    assert (job["status"], job["payload"], job["result"], job["isSuccess"]) == ("completed", {}, None, True)
    assert [one["jobId"] for one in (await server.get("/api/jobs", params={"owner": "ann"})).json()["jobs"]] == [
        str(job_id)
    ]
    assert (await server.get(f"/api/jobs/{job_id}/audit")).json()["events"][-1]["status"] == "completed"
    status = await server.get(f"/api/research-status/{job_id}")
    assert (status.status_code, status.json()["status"], status.json()["results"]) == (200, "completed", None)
    assert "no longer kept" in status.json()["error"]

    gone = await server.post(f"/api/jobs/{job_id}/replay")
    assert (gone.status_code, gone.json()["code"]) == (409, "payload_gone")
    again = await server.post(f"/api/jobs/{job_id}/replay", json={"payload": RESEARCH})
    assert again.status_code == 202
    assert again.json()["jobId"] != str(job_id)
