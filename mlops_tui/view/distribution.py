"""A column at training and now, drawn over each other: told apart by glyph as well as by tone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, Tone
from mlops_tui.view.clean import clean
from mlops_tui.view.figures import metric, share
from mlops_tui.view.width import fit, width_of, wrap

if TYPE_CHECKING:
    from engine.wire.monitoring import Distribution

Drawn = list[list[Cell]]
"""Lines of a picture, each of pieces that stand side by side."""

LEGEND: tuple[Cell, ...] = (
    Cell("▒ both  "),
    Cell("░ training only  ", "dim"),
    Cell("█ now only", "busy"),
)
ROOTS = Cell("  √ heights", "dim")
EVEN = Cell("  even bins", "dim")
_BOTH, _THEN, _NOW, _LITTLE_THEN, _LITTLE_NOW = "▒", "░", "█", "⣀", "▄"
_TONES: dict[str, Tone] = {_THEN: "dim", _LITTLE_THEN: "dim", _NOW: "busy", _LITTLE_NOW: "busy"}
NOTES = (
    "░ and █ tell training and now apart, ▒ is where both lie; │ in a bar is the floor of an alarm.",
    "√ heights: where one bin holds most, heights are the roots of shares, so that the others show.",
    "→ before a column: what the model answers. even bins: each holds as many training rows, however wide.",
    "! missing, new, range, stuck, type: not the distance made the alarm, but the figure that stands there.",
    "· chance and · usual: past the floor, but so few rows, or stretches of the training data, show as much.",
)
"""What help tells of pictures and bars."""
NOT_KEPT = Cell("Its distributions are not kept any more; the figures above are.", "dim")
_LEAST = 0.005
_SPIKY = 5.0
"""A bin with so many times the share of a usual one would press all others flat."""
_MOST_TOLD = 2
_LABEL = 24
_FIGURES = 13
"""Columns of `<0.1% → <0.1%`."""


def draw(shape: Distribution | None, width: int, height: int, told: str = "") -> Drawn:
    """As much as there is room for, the legend and what is `told` of it above; nothing where that is too little."""
    if height < 3 or width < 24:
        return []
    above = _told(told, width, height)
    if shape is None or not shape.reference:
        return [*above, [NOT_KEPT]]
    room = height - 1 - len(above)
    lines = _bars(shape, width, room) if shape.labels else _histogram(shape, width, room)
    return [_heading(shape, width), *above, *lines]


def _heading(shape: Distribution, width: int) -> list[Cell]:
    legend = [*LEGEND, *([EVEN] if _even(shape) else []), *([ROOTS] if not shape.labels and _power(shape) < 1 else [])]
    room = width - sum(width_of(piece.text) for piece in legend) - 2
    name = clean(shape.column, longest=200)
    if room < 4:
        return legend
    return [Cell(f"{fit(name, min(width_of(name), room))}  ", "strong"), *legend]


def _told(told: str, width: int, height: int) -> Drawn:
    """At most two lines, where that leaves enough for the picture."""
    lines = wrap(clean(told, longest=1000), width) if told and height >= 6 else []
    if len(lines) > _MOST_TOLD:
        lines = [*lines[: _MOST_TOLD - 1], fit(" ".join(lines[_MOST_TOLD - 1 :]), width)]
    return [[Cell(line, "warn")] for line in lines]


def _histogram(shape: Distribution, width: int, height: int) -> Drawn:
    """Upright, a column or more a bin; shares stand at the left, the ends of the bins below.

    Where one bin holds most, heights are the roots of shares, as in Tukey's rootogram: else no other bin would show.
    """
    margin = width_of("<0.1%")
    wide = max((width - margin - 1) // len(shape.reference), 1)
    then, now = (
        _folded(_as_long(shares, len(shape.reference)), width - margin - 1)
        for shares in (shape.reference, shape.current)
    )
    top = max(*then, *now, 1e-12)
    rows = max(height - 1, 1)
    power = _power(shape)
    before, after = ([_halves(value, top, rows, power) for value in shares] for shares in (then, now))
    ticks = {0: share(top)} | ({rows // 2: share((1 - rows // 2 / rows) ** (1 / power) * top)} if rows >= 4 else {})
    lines = []
    for at in range(rows):
        axis = Cell(f"{ticks.get(at, ''):>{margin}}{'┤' if at in ticks else '│'}", "dim")
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


def _even(shape: Distribution) -> bool:
    """Answers are drawn in bins of as many training rows each; those of older checks in wide ones."""
    return shape.kind == "prediction" and len(shape.edges) > 2 and max(shape.reference) * len(shape.reference) < 2


def _power(shape: Distribution) -> float:
    """Of a share, to become a height."""
    top = max(*shape.reference, *shape.current, 0.0)
    return 0.5 if top * len(shape.reference) > _SPIKY else 1.0


def _halves(value: float, top: float, rows: int, power: float) -> int:
    """Of rows; a share that is worth a word shows, however high the others are."""
    height: float = (max(value, 0.0) / top) ** power * rows * 2
    return max(int(value >= _LEAST), round(height))


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
