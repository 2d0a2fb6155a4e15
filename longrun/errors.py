"""The one error of the client."""

from longrun.models import FieldError, Problem


class LongrunError(Exception):
    """The API refused, failed or did not answer.

    `status` is the HTTP status, or None when no answer came; `code` is stable and meant for programs (`job_not_found`,
    `invalid_payload`, `unreachable`, …); `detail` and the fields' `errors` are for people. `job_id` is set when the
    ledger went down in the middle of a start and the job may exist: with the same idempotency key it is safe to start
    again. `retry_after` is in seconds, as the server asked for it.
    """

    def __init__(self, problem: Problem | None = None, *, detail: str = "", retry_after: float | None = None) -> None:
        self.status: int | None = problem.status if problem else None
        self.code: str = problem.code if problem else "unreachable"
        self.detail: str = (problem.detail or problem.title) if problem else detail
        self.errors: tuple[FieldError, ...] = problem.errors if problem else ()
        self.job_id: str | None = problem.job_id if problem else None
        self.retry_after = retry_after
        fields = "; ".join(f"{error.pointer}: {error.detail}" for error in self.errors)
        super().__init__(f"{self.detail} ({fields})" if fields else self.detail)

    @property
    def passing(self) -> bool:
        """Whether the same question may be answered a little later."""
        return self.status in (None, 429, 502, 503, 504)
