"""Realised performance drawn over time: each stretch with its interval, against what the gate promised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, Tone
from mlops_tui.view.clean import clean
from mlops_tui.view.figures import metric
from mlops_tui.view.metrics import arrow

if TYPE_CHECKING:
    from engine.wire.monitoring import PerformanceView, WindowView

Drawn = list[list[Cell]]

_SETTLED, _YOUNG, _BAR, _PROMISE, _END = "●", "○", "│", "┄", "╵"
_TONES: dict[str, Tone] = {_SETTLED: "busy", _YOUNG: "warn", _BAR: "busy", _PROMISE: "strong"}
_WIDEST = 6
"""Columns between two stretches, at most."""


def plot_performance(found: PerformanceView, width: int, height: int) -> Drawn:
    """A picture of the newest stretches that fit, oldest to the left. Nothing where there is no room, or no value."""
    told = [window for window in found.windows if window.value is not None]
    if not told or height < 4 or width < 24:
        return []
    low, high = _range(told, found)
    margin = max(len(metric(low)), len(metric(high)))
    room = width - margin - 1
    shown = told[-room:]
    step = max(min(room // len(shown), _WIDEST), 1)
    canvas = [[" "] * room for _ in range(height - 2)]
    for at, window in enumerate(shown):
        _put(canvas, window, found, at * step, step, low, high)
    return [_legend(found, width), *_rows(canvas, low, high, margin), [Cell(_dates(shown, margin, step, room), "dim")]]


def _legend(found: PerformanceView, width: int) -> list[Cell]:
    """What the glyphs mean, and the metric's name where there is room."""
    glyphs = [
        Cell("● settled  ", "busy"), Cell("○ not settled  ", "warn"), Cell("│ 90 %  ", "busy"),
        Cell("┄ promised", "strong"),
    ]  # fmt: skip
    name = f"{clean(found.metric, longest=30)} {arrow(found.metric)}  "
    return [Cell(name, "strong"), *glyphs] if len(name) + sum(len(one.text) for one in glyphs) <= width else glyphs


def _promised(window: WindowView, found: PerformanceView) -> float | None:
    return (found.promised.get(str(window.version)) or {}).get("value")


def _range(told: Sequence[WindowView], found: PerformanceView) -> tuple[float, float]:
    each = [(one.value, one.lower, one.upper, _promised(one, found)) for one in told]
    values = [value for many in each for value in many if value is not None]
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _put(
    canvas: list[list[str]], window: WindowView, found: PerformanceView, at: int, step: int, low: float, high: float
) -> None:
    def row(value: float) -> int:
        return round((1 - (value - low) / (high - low)) * (len(canvas) - 1))

    promised = _promised(window, found)
    if promised is not None:
        for across in range(at, min(at + step, len(canvas[0]))):
            canvas[row(promised)][across] = _PROMISE
    middle = min(at + step // 2, len(canvas[0]) - 1)
    if window.lower is not None and window.upper is not None:
        for down in range(row(window.upper), row(window.lower) + 1):
            canvas[down][middle] = _BAR
    if window.value is not None:
        canvas[row(window.value)][middle] = _SETTLED if window.mature else _YOUNG


def _rows(canvas: Sequence[Sequence[str]], low: float, high: float, margin: int) -> Drawn:
    lines: Drawn = []
    for at, letters in enumerate(canvas):
        label = metric(high) if at == 0 else metric(low) if at == len(canvas) - 1 else ""
        pieces = [Cell(f"{label:>{margin}}{'┤' if label else '│'}", "dim")]
        for letter in letters:
            tone = _TONES.get(letter, "plain")
            if pieces[-1].tone == tone and len(pieces) > 1:
                pieces[-1] = Cell(pieces[-1].text + letter, tone)
            else:
                pieces.append(Cell(letter, tone))
        lines.append(pieces)
    return lines


def _dates(shown: Sequence[WindowView], margin: int, step: int, room: int) -> str:
    """The first and the last moment, and in between where another version took over."""
    line = [" "] * room
    first, last = f"{shown[0].starts_at:%Y-%m-%d}", f"{shown[-1].ends_at:%Y-%m-%d}"
    end = min(len(shown) * step, room)
    marks = [(0, f"{first} @{shown[0].version}")]
    marks += [
        (at * step, f"@{window.version}")
        for at, window in enumerate(shown)
        if at and window.version != shown[at - 1].version
    ]
    marks.append((max(end, len(first) + 5 + len(last)) - len(last), last))
    taken = -1
    for at, text in marks:
        if at > taken and at + len(text) <= room:
            line[at : at + len(text)] = text
            taken = at + len(text)
    return f"{'':>{margin}}└{''.join(line)}"
