"""Figures with their bars, as a table."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Self

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One line. `measured` is held against `bar` (at most); without a bar it only informs."""

    what: str
    ours: str
    beside: str
    measured: float
    bar: float | None
    unit: str

    @classmethod
    def ratio(cls, what: str, ours: str, beside: str, ratios: Sequence[float], bar: float | None = None) -> Self:
        """The median of ratios, each of two measurements that were taken next to each other."""
        return cls(what, ours, beside, median(ratios), bar, "×")

    @classmethod
    def most(cls, what: str, ours: float, beside: float, bar_ms: float | None = None) -> Self:
        """Durations in seconds, of which ours may be `bar_ms` at most."""
        return cls(what, ms(ours), ms(beside), ours * 1000, bar_ms, "ms")

    @property
    def held(self) -> bool:
        return self.bar is None or self.measured <= self.bar


def p95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20)[-1]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def show(title: str, figures: Sequence[Figure]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for heading in ("", "Longrun", "beside", "measured", "bar", ""):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for figure in figures:
        digits = 2 if figure.unit == "×" else 1
        bar = "" if figure.bar is None else f"≤ {figure.bar:g} {figure.unit}"
        verdict = "" if figure.bar is None else "held" if figure.held else "NOT held"
        measured = f"{figure.measured:.{digits}f} {figure.unit}"
        table.add_row(figure.what, figure.ours, figure.beside, measured, bar, verdict)
    # Wide enough for a log file, which has no width of its own.
    Console(highlight=False, width=None if os.isatty(1) else 120).print(table)
