"""The Python client of Longrun.

with longrun.Client.from_env() as client:
    job = client.research("Stripe", "Backend Engineer")
    print(client.wait(job.job_id).result)
"""

from longrun.async_client import AsyncClient
from longrun.client import Client
from longrun.errors import LongrunError
from longrun.models import (
    AuditEvent,
    Event,
    Failure,
    FieldError,
    HeartRate,
    Items,
    Job,
    Kind,
    Live,
    PlannedStep,
    Problem,
    Progress,
    Reconciliation,
    Started,
    Status,
    Step,
    StepStatus,
    Usage,
    User,
)
from longrun.options import Budget, Debounce, Filters, MetadataChange, Options, Retry, UserOptions
from longrun.schedules import Schedule

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AuditEvent",
    "Budget",
    "Client",
    "Debounce",
    "Event",
    "Failure",
    "FieldError",
    "Filters",
    "HeartRate",
    "Items",
    "Job",
    "Kind",
    "Live",
    "LongrunError",
    "MetadataChange",
    "Options",
    "PlannedStep",
    "Problem",
    "Progress",
    "Reconciliation",
    "Retry",
    "Schedule",
    "Started",
    "Status",
    "Step",
    "StepStatus",
    "Usage",
    "User",
    "UserOptions",
]
