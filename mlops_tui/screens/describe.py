"""`d`: all that is known of a row, to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from mlops_tui.commands import Where
from mlops_tui.screens.base import LoopScreen
from mlops_tui.view.cell import Cell
from mlops_tui.view.width import fit
from mlops_tui.widgets.line_pane import LinePane


def fact_lines(facts: Sequence[tuple[str, Cell]]) -> list[Cell]:
    """Names and values as lines."""
    width = max((len(name) for name, _ in facts), default=0)
    return [Cell(f"{fit(name, width)}  {value.text}", value.tone) for name, value in facts]


class DescribeScreen(LoopScreen):
    """Facts, with a filter."""

    place: ClassVar[Where] = "everywhere"

    def __init__(self, title: str, facts: Sequence[tuple[str, Cell]], mode: str) -> None:
        super().__init__(title, mode)
        self._facts = facts

    def compose_body(self) -> Iterable[LinePane]:
        """One pane."""
        yield LinePane(fact_lines(self._facts))

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one(LinePane).set_filter(self.filter)

    def shown_lines(self) -> list[str]:
        """The facts as text."""
        return [line.text for line in self.query_one(LinePane).lines]
