"""A column at training and now, drawn over each other: told apart by glyph as well as by tone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, Tone
from mlops_tui.view.clean import clean
from mlops_tui.view.figures import metric, share
from mlops_tui.view.width import fit, width_of

if TYPE_CHECKING:
    from engine.wire.monitoring import Distribution

Drawn = list[list[Cell]]
"""Lines of a picture, each of pieces that stand side by side."""

LEGEND: tuple[Cell, ...] = (
    Cell("▒ both  "),
    Cell("░ training only  ", "dim"),
    Cell("█ now only", "busy"),
)
_BOTH, _THEN, _NOW, _LITTLE_THEN, _LITTLE_NOW = "▒", "░", "█", "⣀", "▄"
_TONES: dict[str, Tone] = {_THEN: "dim", _LITTLE_THEN: "dim", _NOW: "busy", _LITTLE_NOW: "busy"}
_LEAST = 0.005
_LABEL = 24
_FIGURES = 13
"""Columns of `<0.1% → <0.1%`."""


def draw(shape: Distribution | None, width: int, height: int) -> Drawn:
    """As much as there is room for, the legend above; nothing where that is too little."""
    if shape is None or not shape.reference or height < 3 or width < 24:
        return []
    lines = _bars(shape, width, height - 1) if shape.labels else _histogram(shape, width, height - 1)
    return [list(LEGEND), *lines]


def _histogram(shape: Distribution, width: int, height: int) -> Drawn:
    """Upright, a column or more a bin; the largest share stands at the top left, the ends of the bins below."""
    top = max(*shape.reference, *shape.current, 1e-12)
    margin = width_of(share(top))
    wide = max((width - margin - 1) // len(shape.reference), 1)
    then, now = (_folded(shares, width - margin - 1) for shares in (shape.reference, shape.current))
    top = max(*then, *now, 1e-12)
    rows = height - 1
    before, after = ([_halves(value, top, rows) for value in shares] for shares in (then, now))
    lines = []
    for at in range(rows):
        axis = Cell(f"{share(top) if at == 0 else '':>{margin}}{'┤' if at == 0 else '│'}", "dim")
        lines.append([axis, *_row(before, after, at, rows, wide)])
    return [*lines, [Cell(_ends(shape.edges, margin, min(len(then) * wide, width - margin - 1)), "dim")]]


def _row(then: Sequence[int], now: Sequence[int], at: int, rows: int, wide: int) -> list[Cell]:
    below = 2 * (rows - 1 - at)
    letters = [_letter(one - below, other - below) * wide for one, other in zip(then, now, strict=True)]
    pieces: list[Cell] = []
    for text in letters:
        tone = _TONES.get(text[0], "plain")
        if pieces and pieces[-1].tone == tone:
            pieces[-1] = Cell(pieces[-1].text + text, tone)
        else:
            pieces.append(Cell(text, tone))
    return pieces


def _letter(then: int, now: int) -> str:
    """Of one place, from how many halves of it each fills."""
    if then > 0 and now > 0:
        return _BOTH
    if then > 0:
        return _THEN if then > 1 else _LITTLE_THEN
    if now > 0:
        return _NOW if now > 1 else _LITTLE_NOW
    return " "


def _halves(value: float, top: float, rows: int) -> int:
    """Of rows; a share that is worth a word shows, however high the others are."""
    return max(int(value >= _LEAST), round(value / top * rows * 2))


def _folded(shares: Sequence[float], width: int) -> list[float]:
    """Neighbouring bins summed where there are more than columns."""
    if len(shares) <= width:
        return list(shares)
    return [sum(shares[at * len(shares) // width : (at + 1) * len(shares) // width]) for at in range(width)]


def _ends(edges: Sequence[float], margin: int, width: int) -> str:
    if len(edges) < 2:
        return " " * margin + "└"
    low, middle, high = metric(edges[0]), metric(edges[len(edges) // 2]), metric(edges[-1])
    line = fit(low, width)
    half = max((width - len(middle)) // 2, 0)
    if len(low) + 2 < half and half + len(middle) + 2 < width - len(high):
        line = fit(line[:half] + middle, width)
    line = line[: max(width - len(high), len(low) + 1)].rstrip().ljust(max(width - len(high), len(low) + 1)) + high
    return f"{'':>{margin}}└{line}"


def _bars(shape: Distribution, width: int, height: int) -> Drawn:
    """A line a label, those that moved most first; the last says how many are left out."""
    pairs = list(zip(shape.labels, shape.reference, _as_long(shape.current, len(shape.reference)), strict=False))
    pairs.sort(key=lambda pair: -abs(pair[1] - pair[2]))
    left_out = len(pairs) - height
    shown = pairs[: height - 1] if left_out > 0 else pairs
    names = [clean(label, longest=200) for label, _, _ in shown]
    margin = min(max((width_of(name) for name in names), default=0), _LABEL, width // 3)
    room = max(width - margin - _FIGURES - 4, 1)
    top = max((max(then, now) for _, then, now in shown), default=1.0) or 1.0
    lines = [_bar(fit(name, margin), then, now, top, room) for name, (_, then, now) in zip(names, shown, strict=True)]
    return lines if left_out <= 0 else [*lines, [Cell(f"and {left_out + 1} labels more that moved less", "dim")]]


def _bar(name: str, then: float, now: float, top: float, room: int) -> list[Cell]:
    before, after = (max(int(value > 0), round(value / top * room)) for value in (then, now))
    both, more = min(before, after), abs(before - after)
    excess = Cell(_NOW * more, "busy") if after > before else Cell(_THEN * more, "dim")
    figures = f"{share(then)} → {share(now)}"
    return [
        Cell(f"{name} "),
        Cell(_BOTH * both),
        excess,
        Cell(" " * (room - both - more)),
        Cell(f"  {figures:>{_FIGURES}}"),
    ]


def _as_long(shares: Sequence[float], length: int) -> list[float]:
    return [*shares, *[0.0] * (length - len(shares))]
