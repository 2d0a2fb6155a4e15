"""Tasks that live in the application: asked by a signed POST, told to stop by a signed DELETE.

Both carry the headers of Standard Webhooks, `webhook-id` and `Idempotency-Key` being the same for every attempt, so
that the application can tell a repeat from a new job. The body of the POST is the task's own. Its headers say what an
application needs that answers later:

| header                    | what                                                                      |
|---------------------------|---------------------------------------------------------------------------|
| `longrun-job-id`          | the job; the callback's `executionId`                                     |
| `longrun-callback-url`    | where the result is to be sent to                                         |
| `longrun-callback-secret` | what the callback is to be signed with (`whsec_…`); it is good for this job alone |
| `longrun-callback-until`  | when nobody waits for it any more (ISO 8601)                              |
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json
from standardwebhooks import Webhook

from domain.errors import JobError, VendorError
from domain.keyring import Keyring
from domain.tasks import HttpTaskRequest, TaskAnswer, TaskHosts
from providers.vendor import refused_status
from providers.web import Fetched, GuardedClient

WHO = "the application"
ACCEPTED = 202
CALLBACK = "/api/workflow/update-execution"


class Application:
    """`hosts` may be asked and no others; `public_url` is where the application reaches this service."""

    def __init__(self, client: GuardedClient, keyring: Keyring, hosts: TaskHosts, *, public_url: str) -> None:
        self._client, self._keyring, self._hosts = client, keyring, hosts
        self._callback = public_url.rstrip("/") + CALLBACK

    async def call(self, task: HttpTaskRequest, job_id: UUID, until: datetime) -> TaskAnswer:
        """The application's answer; `until` is when its callback must have come at the latest.

        Raises VendorError and RateLimited for every other answer than 2xx, JobError where it must not be asked.
        """
        headers = {
            "longrun-callback-url": self._callback,
            "longrun-callback-secret": self._secret(job_id),
            "longrun-callback-until": until.isoformat(),
        }
        left = (until - datetime.now(UTC)).total_seconds()
        found = await self._send("POST", task, job_id, str(job_id), to_json(task.body), headers, max(left, 1.0))
        return (
            TaskAnswer(accepted=True) if found.status == ACCEPTED else TaskAnswer(accepted=False, output=_output(found))
        )

    async def cancel(self, task: HttpTaskRequest, job_id: UUID) -> None:
        """Say that nobody wants the result any more. Raises as `call` does; 404 and 410 are as good as 2xx."""
        body = to_json({"type": "task.canceled", "jobId": str(job_id)})
        await self._send("DELETE", task, job_id, f"{job_id}-canceled", body, {}, None, also=(404, 405, 410, 501))

    async def _send(
        self,
        method: str,
        task: HttpTaskRequest,
        job_id: UUID,
        message_id: str,
        body: bytes,
        headers: dict[str, str],
        seconds: float | None,
        also: tuple[int, ...] = (),
    ) -> Fetched:
        url = str(task.url)
        if url not in self._hosts:
            raise JobError("this host is not among those that tasks may be sent to", code="host_not_allowed")
        if not self._keyring:
            raise JobError("the service has no secret key to sign with", code="not_configured")
        now = datetime.now(UTC)
        signature = Webhook(self._keyring.signing_secret).sign(message_id, now, body.decode())
        signed = {
            "content-type": "application/json",
            "user-agent": "Longrun/0.1",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
            "idempotency-key": message_id,
            "longrun-job-id": str(job_id),
        }
        found = await self._client.send(method, url, content=body, headers=signed | headers, who=WHO, timeout=seconds)
        if 200 <= found.status < 300 or found.status in also:
            return found
        raise refused_status(found.status, found.headers, WHO)

    def _secret(self, job_id: UUID) -> str:
        return self._keyring.execution_secret(job_id) if self._keyring else ""


def _output(found: Fetched) -> Any:
    """JSON where the answer says so, or says nothing of its type and is JSON; else its text; None where it is empty."""
    if not found.body.strip():
        return None
    is_json = found.content_type == "application/json" or found.content_type.endswith("+json")
    if is_json or not found.content_type:
        try:
            return _storable(from_json(found.body, allow_inf_nan=False))
        except ValueError as error:
            if is_json:
                raise VendorError(f"{WHO} sent a broken answer", code="bad_response") from error
    return _storable(found.text)


def _storable(value: Any) -> Any:
    if _holds_nul(value):
        raise VendorError(f"{WHO} answers with characters that cannot be stored", code="bad_response", retryable=False)
    return value


def _holds_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(_holds_nul(part) for part in value)
    return isinstance(value, str) and "\0" in value
