"""A verdict with its evidence: the figures with their intervals as bars of text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.clean import clean
from mlops_tui.view.figures import metric as figure
from mlops_tui.view.figures import several
from mlops_tui.view.metrics import arrow, less_is_better
from mlops_tui.view.models import verdict_lines
from mlops_tui.view.width import fit

if TYPE_CHECKING:
    from engine.wire.models import VersionView

_NAMES = 42
"""Columns for what a bar is about and its figures."""
_NARROWEST = 16
_WIDEST = 60


@dataclass(frozen=True)
class Bar:
    """One line over a scale: a value with its interval, or a mark alone."""

    name: str
    value: float
    lower: float | None = None
    upper: float | None = None
    glyph: str = "●"
    signed: bool = False

    @property
    def ends(self) -> tuple[float, ...]:
        """All that must have a place on the scale."""
        return tuple(one for one in (self.lower, self.value, self.upper) if one is not None)

    @property
    def figures(self) -> str:
        """The value, and its interval where there is one."""
        if self.lower is None or self.upper is None:
            return _show(self.value, self.signed)
        return f"{_show(self.value, self.signed)} [{_show(self.lower, self.signed)}, {_show(self.upper, self.signed)}]"


def bar_lines(bars: Sequence[Bar], width: int, *, marks: Mapping[float, str] | None = None) -> list[Cell]:
    """Bars over one scale, whose ends stand below; `marks` go through all of them. Figures alone where it is narrow.

    >>> [line.text[42:] for line in bar_lines([Bar("now", 0.5, 0.25, 0.75)], 59, marks={0.0: "┊", 1.0: "┊"})]
    ['┊   ├───●───┤   ┊', '0               1']
    """
    marks = marks or {}
    room = min(width - _NAMES, _WIDEST)
    told = [fit(f"  {fit(clean(bar.name), 12)} {bar.figures}", _NAMES) for bar in bars]
    if room < _NARROWEST:
        return [Cell(f"  {fit(clean(bar.name), 12)} {bar.figures}") for bar in bars]
    shown = [*(end for bar in bars for end in bar.ends), *marks]
    low, high = min(shown), max(shown)
    lines = [Cell(name + _over(bar, low, high, room, marks)) for name, bar in zip(told, bars, strict=True)]
    signed = any(bar.signed for bar in bars)
    begins, ends = _show(low, signed), _show(high, signed)
    scale = begins if low == high else f"{begins}{' ' * max(room - len(begins) - len(ends), 1)}{ends}"
    return [*lines, Cell(" " * _NAMES + scale, "dim")]


def verdict_with_evidence(version: VersionView, width: int) -> list[Cell]:
    """What the gate said in its own sentences, and the figures it was given, drawn."""
    told = version.verdict.evidence
    lines = list(verdict_lines(version)[:-1])
    value = _number(told.get("value"))
    if value is None:
        return [*lines, *_about_rows(told)]
    judged = f"{clean(version.metric)} {arrow(version.metric)}"
    lines += [Cell(""), Cell(f"{judged} on the test rows, with its 90 % interval", "strong")]
    lines += bar_lines(_values(version, value), width, marks=_line(told))
    rival = "champion" if isinstance(told.get("champion"), Mapping) else "baseline"
    lines += _difference(told.get(rival), told, width, is_champion=rival == "champion")
    return [*lines, Cell(""), *_about_rows(told)]


def _values(version: VersionView, value: float) -> list[Bar]:
    told = version.verdict.evidence
    bars = [Bar(f"@{version.number}", value, _number(told.get("lower")), _number(told.get("upper")))]
    for key, name in (("champion", "champion"), ("baseline", "trivial")):
        other = told.get(key)
        if isinstance(other, Mapping) and (known := _number(other.get("value"))) is not None:
            against = str(other.get("against", ""))
            bars.append(Bar(f"{name} @{against.rpartition('@')[2]}" if "@" in against else name, known, glyph="◆"))
    line = _number(told.get("line"))
    if line is not None:
        bars.append(Bar("at most" if less_is_better(version.metric) else "at least", line, glyph="┊"))
    return bars


def _line(told: Mapping[str, Any]) -> dict[float, str]:
    line = _number(told.get("line"))
    return {} if line is None else {line: "┊"}


def _difference(other: Any, told: Mapping[str, Any], width: int, *, is_champion: bool) -> list[Cell]:
    """The paired difference on the same rows, turned so that right is better."""
    if not isinstance(other, Mapping):
        return []
    parts = [_number(other.get(key)) for key in ("difference", "lower", "upper")]
    difference, lower, upper = parts
    if difference is None or lower is None or upper is None:
        return []
    margin = _number(told.get("margin")) if is_champion else None
    against = clean(str(other.get("against", "")), longest=70)
    marks = {0.0: "0"} | ({-margin: "┊"} if margin else {})
    lines = [Cell(""), Cell(f"difference to {against}, row by row; right is better", "strong")]
    lines += bar_lines([Bar("difference", difference, lower, upper, signed=True)], width, marks=marks)
    if margin is not None:
        chosen = clean(str(told.get("margin_chosen_by", "")))
        lines.append(Cell(f"  ┊ the margin: {figure(margin)} worse still counts as not worse ({chosen})", "dim"))
    return lines


def _about_rows(told: Mapping[str, Any]) -> list[Cell]:
    lines = []
    rows, by_class = told.get("test_rows"), told.get("rows_per_class")
    if isinstance(rows, int):
        after = f" after {clean(str(told['test_after']))}" if told.get("test_after") else ""
        classes = by_class.items() if isinstance(by_class, Mapping) else ()
        each = " · ".join(f"{clean(str(name))}: {count:,}" for name, count in list(classes)[:8])
        lines.append(Cell(f"  {several(rows, 'test row')}{after}{' · ' + each if each else ''}"))
    if isinstance(uses := told.get("test_uses"), int) and uses:
        lines.append(Cell(f"  these test rows had judged {several(uses, 'run')} before", "dim"))
    if isinstance(needed := told.get("rows_needed"), int):
        lines.append(Cell(f"  about {needed:,} test rows could tell", "warn"))
    return lines + ([cell(f"  {told['champion_problem']}", "warn")] if told.get("champion_problem") else [])


def _over(bar: Bar, low: float, high: float, width: int, marks: Mapping[float, str]) -> str:
    letters = [" "] * width

    def at(value: float) -> int:
        return round((value - low) / (high - low) * (width - 1)) if high > low else width // 2

    if bar.lower is not None and bar.upper is not None and at(bar.lower) < at(bar.upper):
        begins, ends = at(bar.lower), at(bar.upper)
        letters[begins : ends + 1] = "─" * (ends - begins + 1)
        letters[begins], letters[ends] = "├", "┤"
    for mark, glyph in marks.items():
        if letters[at(mark)] in " ─":
            letters[at(mark)] = glyph if letters[at(mark)] == " " else "┼"
    letters[at(bar.value)] = bar.glyph
    return "".join(letters)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None


def _show(value: float, signed: bool) -> str:
    return f"{'+' if signed and value > 0 else ''}{figure(value)}"
