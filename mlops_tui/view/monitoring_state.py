"""What one check says of a column, and by which of its figures: values, what is missing, new values, or a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell
from mlops_tui.view.figures import UNKNOWN, share

if TYPE_CHECKING:
    from engine.wire.monitoring import CheckView, Distribution, FigureView, Threshold

_FAULTS: Mapping[str, str] = {
    "nulls": "! missing",
    "missing_column": "! missing",
    "range": "! range",
    "stuck": "! stuck",
    "type": "! type",
}
"""Of data quality. Such a column is not tested for drift: what it holds is wrong."""
_KINDS: Mapping[str, str] = {"number": "KS", "category": "JS", "prediction": "answer"}


@dataclass(frozen=True)
class ColumnState:
    """How a column fares, and the figure that made it so."""

    cell: Cell
    measure: str
    """Name of that figure."""
    figure: str
    value: float | None
    """The same, to be drawn against its floor; None: it has none that is known here."""
    floor: float | None
    tested: bool
    """Whether the p-value of the values is what it rests on."""
    told: str = ""
    """Why it is so, where a word is too little."""

    @property
    def alarming(self) -> bool:
        """Whether it is an alarm."""
        return self.cell.tone == "bad"


def column_state(figures: FigureView, shape: Distribution | None, check: CheckView) -> ColumnState:
    """Of one column of a check of enough rows; `shape` tells new values from missing ones, where it is kept."""
    threshold = check.threshold
    assert threshold is not None
    fault = fault_of(figures, check)
    if fault is not None:
        return _by_fault(figures, fault)
    if not figures.drifted:
        return _calm(figures, check, threshold)
    if _strength(figures, threshold) >= 1.0 and figures.p_value is not None and figures.p_value <= threshold.q:
        return _drifted(figures, threshold)
    return _not_by_values(figures, shape, threshold)


def fault_of(figures: FigureView, check: CheckView) -> Mapping[str, Any] | None:
    """The alarming fault of quality that is about a column; of the answers none is."""
    if figures.kind == "prediction":
        return None
    return next(
        (one for one in check.findings if one.get("alarming", True) and one.get("column") == figures.column), None
    )


def unmeasured(check: CheckView) -> list[str]:
    """Columns that an alarming fault names and no figure is of: they did not come at all."""
    measured = {one.column for one in check.figures if one.kind != "prediction"}
    named = [str(one.get("column", "")) for one in check.findings if one.get("alarming", True)]
    return [name for name in dict.fromkeys(named) if name and name not in measured]


def _by_fault(figures: FigureView, fault: Mapping[str, Any]) -> ColumnState:
    kind, part = str(fault.get("fault", "")), fault.get("share")
    figure = share(part) if isinstance(part, int | float) else UNKNOWN
    told = str(fault.get("message", ""))
    return ColumnState(Cell(_FAULTS.get(kind, "! quality"), "bad"), "rows", figure, None, None, False, told)


def _calm(figures: FigureView, check: CheckView, threshold: Threshold) -> ColumnState:
    """Past the floor, and no alarm: chance would do so, or stretches of the training data differ as much."""
    if figures.p_value is None or (figures.distance or 0.0) < threshold.min_distance:
        return _by_distance(figures, Cell("· calm", "dim"), threshold)
    taken = [one.p_value for one in check.figures if one.drifted and one.p_value is not None]
    if figures.p_value <= max([threshold.alpha, *(p for p in taken if p <= threshold.q)]):
        told = "Past the floor, and no alarm: stretches of the training data differ from each other as much."
        return _by_distance(figures, Cell("· usual", "dim"), threshold, told)
    told = f"Past the floor, and no alarm: so few independent rows show as much by chance (p {figures.p_value:.2g})."
    return _by_distance(figures, Cell("· chance", "dim"), threshold, told)


def _drifted(figures: FigureView, threshold: Threshold) -> ColumnState:
    """By the distance; by the stability index where only that is past its floor."""
    cell = Cell("! drift", "bad")
    if (figures.distance or 0.0) < threshold.min_distance:
        return ColumnState(cell, "PSI", _three(figures.psi), figures.psi, threshold.min_psi, tested=True)
    return _by_distance(figures, cell, threshold)


def _by_distance(figures: FigureView, cell: Cell, threshold: Threshold, told: str = "") -> ColumnState:
    distance, kind = figures.distance, _KINDS.get(figures.kind, figures.kind)
    return ColumnState(cell, kind, _three(distance), distance, threshold.min_distance, True, told)


def _not_by_values(figures: FigureView, shape: Distribution | None, threshold: Threshold) -> ColumnState:
    new = _new_share(shape)
    if figures.kind == "category" and new >= threshold.min_new_share:
        cell = Cell("! new", "bad")
        return ColumnState(cell, "new", share(new), new, threshold.min_new_share, tested=False)
    if figures.kind == "category" and shape is None:
        return ColumnState(Cell("! other", "bad"), "missing or new", "", None, None, tested=False)
    return ColumnState(Cell("! missing", "bad"), "missing", share(figures.null_share), None, None, tested=False)


def _new_share(shape: Distribution | None) -> float:
    """Of rows now, with a value that the training data has not."""
    if shape is None or not shape.labels:
        return 0.0
    return sum(now for then, now in zip(shape.reference, shape.current, strict=False) if then == 0)


def _strength(figures: FigureView, threshold: Threshold) -> float:
    """How many times as far as its floor; 1.0 and more could be an alarm."""
    far = ((figures.distance, threshold.min_distance), (figures.psi, threshold.min_psi))
    return max((value or 0.0) / floor if floor > 0 else 0.0 for value, floor in far)


def _three(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def alarming_first(check: CheckView, shapes: Mapping[str, Distribution]) -> Sequence[tuple[FigureView, ColumnState]]:
    """All columns of a check, those first that are an alarm, each group as it came: the strongest first."""
    from engine.wire.monitoring import FigureView

    gone = [
        FigureView(
            column=name, kind="number", drifted=False, distance=None, p_value=None, psi=None, wasserstein=None,
            null_share=None,
        )
        for name in unmeasured(check)
    ]  # fmt: skip
    columns = [(one, column_state(one, shapes.get(one.column), check)) for one in [*gone, *check.figures]]
    return sorted(columns, key=lambda column: not column[1].alarming)
