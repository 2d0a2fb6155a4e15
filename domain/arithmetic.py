"""Arithmetic as people write it, computed exactly where it can be: no names but a few functions, no code."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from domain.errors import JobError

LONGEST, DEEPEST, MOST_DIGITS = 2000, 50, 400
Number = Fraction | float

BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "sum": lambda *given: sum(given),
    "mean": lambda *given: sum(given) / len(given),
    "round": lambda value, digits=0: round(value, int(digits)),
    "floor": math.floor,
    "ceil": math.ceil,
    "sqrt": lambda value: math.sqrt(value),
    "log": lambda value, base=math.e: math.log(value, base),
    "log10": lambda value: math.log10(value),
    "exp": lambda value: math.exp(value),
}
CONSTANTS = {"pi": math.pi, "e": math.e}


def calculate(expression: str) -> int | float:
    """The value of `+ - * / // % **`, brackets and FUNCTIONS over numbers; `^` is a power too.

    Fractions stay exact until the end. Raises JobError `bad_expression`, also where the result would be huge.
    """
    if len(expression) > LONGEST:
        raise _bad("the expression is too long")
    try:
        tree = ast.parse(expression.strip().replace("^", "**"), mode="eval")
        value = _value(tree.body, 0)
        result = _finite(value)
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        raise _bad("this is no arithmetic, or it has no result") from None
    return int(result) if isinstance(result, Fraction) and result.denominator == 1 else float(result)


def _value(node: ast.expr, depth: int) -> Number:
    if depth > DEEPEST:
        raise ValueError
    match node:
        case ast.Constant(value=int() | float() as given) if not isinstance(given, bool):
            return Fraction(str(given)) if math.isfinite(given) else _refuse()
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left, depth + 1), _value(right, depth + 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return _small(BINARY[type(op)](_value(left, depth + 1), _value(right, depth + 1)))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            return UNARY[type(op)](_value(operand, depth + 1))
        case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in FUNCTIONS:
            found = FUNCTIONS[name](*[_value(one, depth + 1) for one in given])
            return _small(Fraction(found) if isinstance(found, int) else found)
        case _:
            return _refuse()


def _refuse() -> Number:
    raise ValueError


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        size = max(abs(base.numerator), base.denominator).bit_length() * abs(exponent.numerator)
        return base**exponent.numerator if size < MOST_DIGITS * 4 else _refuse()
    found = float(base) ** float(exponent)
    return found if isinstance(found, float) else _refuse()  # a root of a negative number is complex


def _small(value: Number) -> Number:
    if isinstance(value, Fraction) and max(abs(value.numerator), value.denominator).bit_length() > MOST_DIGITS * 4:
        return _refuse()
    return value


def _finite(value: Number) -> Number:
    if isinstance(value, Fraction):
        return value
    return value if math.isfinite(value) else _refuse()


def _bad(why: str) -> JobError:
    return JobError(why, code="bad_expression")
