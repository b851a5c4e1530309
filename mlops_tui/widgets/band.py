"""A few lines above a table, as many as there are."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from mlops_tui.view.cell import Cell
from mlops_tui.view.width import fit
from mlops_tui.widgets.bars import painted


class Band(Static):
    """Draws anew only what reads otherwise: a new height lays the whole screen out."""

    DEFAULT_CSS = "Band { height: auto; padding: 0 1; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__("", id=id, markup=False)
        self._lines: tuple[Cell, ...] = ()
        self.display = False

    def show(self, lines: Sequence[Cell], width: int) -> None:
        """These lines, each cut to `width` columns; none: it is not there."""
        cut = tuple(Cell(fit(line.text, width).rstrip(), line.tone) for line in lines)
        if cut == self._lines:
            return
        same_height = len(cut) == len(self._lines)
        self._lines = cut
        self.display = bool(cut)
        self.update(Content("\n").join([painted(line) for line in cut]), layout=not same_height)
