"""What can go wrong, and what it means. Nobody reads a message to decide.

LongrunError            code, retryable, http status are class attributes; a raise may narrow the code
├── JobError            ends the job `failed` with its code; Temporal does not retry it
│   └── BudgetExceeded  the budget won over every `otherwise`
├── JobClosed           a late writer met a job that has ended
├── VendorError         the outside world failed us: counted in job_steps.failures
│   └── RateLimited     429, 529: waited for, not counted, while the step's patience lasts
├── LedgerUnavailable   PostgreSQL does not answer
├── EngineUnavailable   Temporal does not answer
└── CallerError         the request is wrong: JobNotFound, NotCancelable, IdempotencyConflict, …
"""

from typing import ClassVar


class LongrunError(Exception):
    """Base. `message` is for people: never a payload, a secret or an address of ours."""

    code: str = "internal_error"
    retryable: ClassVar[bool] = False
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code


class JobError(LongrunError):
    """The job cannot be done, for a reason of its own."""

    code = "job_failed"


class BudgetExceeded(JobError):
    """The job's `budget` is spent, or the next call could overspend it."""

    code = "budget_exceeded"


class JobClosed(LongrunError):
    """A step wanted to start in a job that has already ended."""

    code = "job_closed"


class VendorError(LongrunError):
    """A failure on the other side: an error answer, a broken answer, a call past its client time-out.

    `retry_after` is in seconds, as the vendor asked for it, or None.
    """

    code = "vendor_error"

    def __init__(
        self, message: str, *, code: str | None = None, retryable: bool = True, retry_after: float | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.again = retryable
        self.retry_after = retry_after


class RateLimited(VendorError):
    """429 or 529 (GitHub: 403 with its rate-limit headers)."""

    code = "rate_limited"


class LedgerUnavailable(LongrunError):
    """PostgreSQL cannot be reached. `in_doubt`: the connection broke under a statement that may have committed."""

    code = "ledger_unavailable"
    retryable = True
    status = 503

    def __init__(
        self, message: str = "the ledger does not answer", *, in_doubt: bool = False, job_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt
        self.job_id = job_id


class EngineUnavailable(LongrunError):
    """Temporal, or a worker behind it, did not answer in time."""

    code = "engine_unavailable"
    retryable = True
    status = 503


class CallerError(LongrunError):
    """The request is wrong. `pointer` is a JSON pointer into the body, if there is one; `item` says which of a list."""

    code = "invalid_request"
    status = 422

    def __init__(self, message: str, *, code: str | None = None, pointer: str | None = None) -> None:
        super().__init__(message, code=code)
        self.pointer = pointer
        self.item: int | None = None

    def within(self, place: str) -> None:
        """See the pointers from a larger document, in which the body stands at `place`."""
        self.pointer = None if self.pointer is None else place + self.pointer


class InvalidPayload(CallerError):
    code = "invalid_payload"

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        """`errors` are (JSON pointer, detail) pairs."""
        super().__init__("the payload does not fit the kind")
        self.errors = errors

    def within(self, place: str) -> None:
        self.errors = [(place + pointer, detail) for pointer, detail in self.errors]


class UnknownKind(CallerError):
    code = "unknown_kind"


class NotConfigured(CallerError):
    """What was asked for needs a setting that this service lacks."""

    code = "not_configured"


class PayloadTooLarge(CallerError):
    code = "payload_too_large"
    status = 413


class JobNotFound(CallerError):
    code = "job_not_found"
    status = 404


class UnknownStep(CallerError):
    code = "unknown_step"


class StepNotFinished(CallerError):
    """A replay cannot begin after a step of which the old job has kept nothing."""

    code = "step_not_finished"
    status = 409


class NotCancelable(CallerError):
    code = "not_cancelable"
    status = 409


class NotDelayed(CallerError):
    code = "not_delayed"
    status = 409


class NotWaiting(CallerError):
    """Somebody answers where nobody waits, or after somebody else did otherwise."""

    code = "not_waiting"
    status = 409


class PayloadGone(CallerError):
    code = "payload_gone"
    status = 409


class TierLimit(CallerError):
    """More than the owner's tier allows."""

    code = "tier_limit"
    status = 403


class IdempotencyConflict(CallerError):
    code = "idempotency_conflict"
    status = 409
