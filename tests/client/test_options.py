"""The client knows the options that the service knows, by the same names."""

from typing import Any

import pytest
from pydantic import BaseModel

import longrun
from domain import job, options


def _names(model: type[BaseModel]) -> set[str]:
    return {str(field.alias) for field in model.model_fields.values() if not field.exclude}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (longrun.Options, options.Options),
        (longrun.Budget, options.Budget),
        (longrun.Debounce, options.Debounce),
        (longrun.Retry, options.RetryOptions),
        (longrun.Step, job.StepState),
        (longrun.Progress, job.Progress),
        (longrun.Items, job.Items),
        (longrun.Failure, job.Failure),
    ],
)
def test_it_names_what_the_service_names(ours: Any, theirs: Any) -> None:
    assert _names(ours) - _names(theirs) == set()
    assert _names(theirs) - _names(ours) <= {"deliveries"}
