"""Curves of metrics, drawn with the dots of braille letters: two across and four down in each."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, Tone
from mlops_tui.view.clean import clean
from mlops_tui.view.figures import metric as figure
from mlops_tui.view.metrics import arrow, less_is_better

if TYPE_CHECKING:
    from engine.wire.runs import CurvePoint

Points = Sequence[tuple[float, float]]
"""Step and value, by step; all finite."""
Drawn = list[list[Cell]]
"""Lines of a picture, each of pieces that stand side by side."""

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_NAME = 40
"""Letters of a name in the legend."""
_DASH = 6
"""Every so many dots one of a level line."""


@dataclass(frozen=True)
class Curves:
    """The points of a run's metrics, by metric and candidate."""

    by_key: Mapping[str, Mapping[str, Points]]

    def keys(self, judging: str) -> list[str]:
        """Metrics with more than one point of a candidate: the judging one first, those of training rows last."""
        curved = [key for key, by in self.by_key.items() if any(len(points) > 1 for points in by.values())]
        return sorted(curved, key=lambda key: (key != judging, key.startswith("train_"), key))


def curves_of(points: Iterable[CurvePoint]) -> Curves:
    """Sorted out; values that are not finite cannot be drawn and are left out."""
    sorted_out: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for point in points:
        if math.isfinite(point.value):
            sorted_out[point.key][point.candidate].append((point.step, point.value))
    return Curves({key: {name: sorted(line) for name, line in by.items()} for key, by in sorted_out.items()})


def legend(key: str, others: int, front: str | None, points: Points) -> Cell:
    """What the picture shows, how many other metrics there are, and the figures of the curve in front."""
    told = f"{clean(key, longest=_NAME)} {arrow(key)}{f' (m: {others} more)' if others else ''}"
    named = clean(front or "", longest=_NAME)
    if front is None or not points:
        return Cell(f"{told} · no values of {named} yet" if front else told, "dim")
    best = (min if less_is_better(key) else max)(points, key=lambda point: point[1])
    now = f"{told} · ⣿ {named} {figure(points[-1][1])}"
    if len(points) == 1:
        return Cell(f"{now}, measured once (dotted)")
    return Cell(f"{now}, best {figure(best[1])} at step {best[0]:.0f}")


def plot(lines: Mapping[str, Points], front: str | None, width: int, height: int) -> Drawn:
    """A picture of `width` by `height` with an axis to the left and steps below; the `front` line stands out.

    A line of one point is a level of dashes. Nothing at all where there is no room, or no point.
    """
    shown = [point for points in lines.values() for point in points]
    if not shown or height < 3 or width < 16:
        return []
    low, high = min(y for _, y in shown), max(y for _, y in shown)
    first, last = min(x for x, _ in shown), max(x for x, _ in shown)
    labels = _labels(low, high, height - 1)
    margin = max(len(label) for label in labels)
    canvas = _Canvas(width - margin - 1, height - 1, (first, last), (low, high))
    for name, points in lines.items():
        canvas.draw(points, front=name == front)
    rows = [
        [Cell(f"{label:>{margin}}{'┤' if label else '│'}", "dim"), *canvas.row(at)] for at, label in enumerate(labels)
    ]
    begins, ends = f"{first:.0f}", f"step {last:.0f}"
    room = max(width - margin - 1 - len(begins) - len(ends), 0)
    return [*rows, [Cell(f"{'':>{margin}}└{begins}{' ' * room}{ends}"[:width], "dim")]]


def _labels(low: float, high: float, rows: int) -> list[str]:
    """One for each row: figures at the top, in the middle and at the bottom."""
    if low == high:
        return [figure(low) if at == rows // 2 else "" for at in range(rows)]
    marked = {0: high, rows - 1: low}
    if rows >= 7 and rows % 2:
        marked[rows // 2] = (low + high) / 2
    return [figure(marked[at]) if at in marked else "" for at in range(rows)]


class _Canvas:
    """Dots, those of the line in front apart from those behind it."""

    def __init__(self, width: int, height: int, across: tuple[float, float], up: tuple[float, float]) -> None:
        self._width, self._height = width, height
        self._across, self._up = across, up
        self._behind: dict[tuple[int, int], int] = defaultdict(int)
        self._front: dict[tuple[int, int], int] = defaultdict(int)

    def draw(self, points: Points, *, front: bool) -> None:
        """One line."""
        dots = self._front if front else self._behind
        if len(points) == 1:
            level = self._at(*points[0])[1]
            for across in range(0, self._width * 2, _DASH):
                _dot(dots, across, level)
            return
        placed = [self._at(step, value) for step, value in points]
        for start, end in pairwise(placed):
            steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
            for step in range(steps + 1):
                x = start[0] + (end[0] - start[0]) * step / steps
                y = start[1] + (end[1] - start[1]) * step / steps
                _dot(dots, round(x), round(y))

    def row(self, at: int) -> list[Cell]:
        """A row of letters, neighbours of one tone in one piece."""
        pieces: list[Cell] = []
        for column in range(self._width):
            front, behind = self._front.get((column, at), 0), self._behind.get((column, at), 0)
            letter = chr(0x2800 + (front | behind)) if front or behind else " "
            tone: Tone = "busy" if front else "dim"
            if pieces and pieces[-1].tone == tone:
                pieces[-1] = Cell(pieces[-1].text + letter, tone)
            else:
                pieces.append(Cell(letter, tone))
        return pieces

    def _at(self, x: float, y: float) -> tuple[int, int]:
        across = _part(x, *self._across) * (self._width * 2 - 1)
        down = (1 - _part(y, *self._up)) * (self._height * 4 - 1)
        return round(across), round(down)


def _part(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _dot(dots: dict[tuple[int, int], int], x: int, y: int) -> None:
    dots[x // 2, y // 4] |= _DOTS[x % 2][y % 4]
