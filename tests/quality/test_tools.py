"""The measure of tool calling finds what a model does wrong, and nothing else."""

import asyncio

import pytest

from bench.tool_cases import SORTS, Case, cases
from bench.tools import TRIALS, by_script, pass_k, planted
from domain.tool_use import ToolUse

CASES = cases()


def uses(case: Case) -> list[ToolUse]:
    return [ToolUse(id=str(at), tool=tool, arguments=given) for at, (tool, given) in enumerate(case.script())]


def of(sort: str) -> Case:
    return next(case for case in CASES if case.sort == sort)


def test_there_are_cases_of_every_sort() -> None:
    assert {case.sort for case in CASES} == {*SORTS, "retail"}
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_right_calls_are_right_in_any_order_and_one_less_or_more_is_not(case: Case) -> None:
    right = uses(case)
    assert case.holds(right)
    assert case.holds(right[::-1])
    assert not case.holds([*right, ToolUse(id="9", tool=case.offers[0].name, arguments={"invented": 1})])
    if right:
        assert not case.holds(right[1:])
        assert not case.holds([])


def test_a_wrong_tool_or_argument_is_seen() -> None:
    case = of("simple_python")
    [use] = uses(case)
    assert case.holds([use.model_copy(update={"arguments": {"base": 10, "height": 5, "unit": "Units"}})])
    assert not case.holds([use.model_copy(update={"arguments": {"base": 10, "height": 6}})])
    assert not case.holds([use.model_copy(update={"arguments": {"base": 10}})])
    assert not case.holds([use.model_copy(update={"tool": "other"})])


def test_the_rate_of_k_trials() -> None:
    assert [pass_k([4, 2], k) for k in (1, 2, 3, 4)] == [0.75, pytest.approx((1 + 1 / 6) / 2), 0.5, 0.5]
    assert pass_k([0], 1) == 0


def test_each_mistake_of_a_scripted_model_is_found_over_http() -> None:
    some = [case for sort in (*SORTS, "retail") for case in [one for one in CASES if one.sort == sort][:3]]
    found = asyncio.run(by_script(some))
    assert found == planted(some)
    assert {TRIALS - 1, 0} <= {right for sort in found.values() for right in sort}, "mistakes were made"
