"""What a benchmark says: a name, a figure with its unit, and what it should reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.load import Figures


@dataclass(frozen=True)
class Result:
    """One figure. `target` None: nothing was promised, it is there to compare with."""

    name: str
    value: float
    unit: str
    target: float | None = None
    better: Literal["less", "more"] = "less"
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """None without a target."""
        if self.target is None:
            return None
        return self.value <= self.target if self.better == "less" else self.value >= self.target

    def line(self) -> str:
        """As it is printed."""
        told = f"  {self.name:<48} {_figure(self.value):>9} {self.unit:<6}"
        judged = ""
        if self.target is not None:
            word = "≤" if self.better == "less" else "≥"
            judged = f"{'reached' if self.reached else 'MISSED'} {word} {_figure(self.target)}"
        return f"{told} {judged:<17} {self.note}".rstrip()


def of_load(
    what: str, seen: Figures, *, per_second: float | None = None, p99_ms: float | None = None, note: str = ""
) -> Iterator[Result]:
    """A load's answers a second with its times beside it; a promised p99 on a line of its own."""
    times = f"p50 {seen.p50_ms:.2f}, p99 {seen.p99_ms:.2f} ms"
    failed = f", {seen.failures} FAILED" if seen.failures else ""
    at = f"{what}, {seen.connections} connection{'' if seen.connections == 1 else 's'}"
    yield Result(at, seen.per_second, "/s", per_second, "more", f"{times}{failed}{', ' + note if note else ''}")
    if p99_ms is not None:
        yield Result(f"{at}: p99", seen.p99_ms, "ms", p99_ms)


def _figure(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"
