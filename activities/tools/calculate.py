"""`calculate`: arithmetic, so that no model has to do it."""

from pydantic import Field

from activities.tools.tool import Spec, Use
from domain.arithmetic import calculate
from domain.model import Request


class Calculation(Request):
    expression: str = Field(
        min_length=1,
        max_length=2000,
        examples=["round(1200 * 1.19, 2)"],
        description="Numbers, brackets, + - * / // % **, and abs, ceil, exp, floor, log, log10, max, mean, min, round, "
        "sqrt, sum, pi, e",
    )


class Calculate:
    spec = Spec("calculate", "Compute an arithmetic expression exactly.", Calculation)
    ready = True

    async def use(self, asked: Calculation, use: Use) -> dict[str, float]:
        return {"value": calculate(asked.expression)}
