"""`d`: all that is known of a row, to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.view.cell import Cell
from mlops_tui.view.clean import clean
from mlops_tui.view.width import fit, width_of
from mlops_tui.widgets.line_pane import LinePane

_GAP = 2
_LONGEST_NAME = 40


def fact_lines(facts: Sequence[tuple[str, Cell]]) -> list[Cell]:
    """Names and values as lines."""
    width = values_from(facts) - _GAP
    return [Cell(f"{fit(_named(name), width)}{' ' * _GAP}{value.text}", value.tone) for name, value in facts]


def values_from(facts: Sequence[tuple[str, Cell]]) -> int:
    """The column in which values begin."""
    return max((width_of(_named(name)) for name, _ in facts), default=0) + _GAP


def _named(name: str) -> str:
    # Of a parameter or a key of evidence: as hostile, and as long, as any value.
    return clean(name, longest=_LONGEST_NAME)


class DescribeScreen(ActingScreen):
    """Facts, with a filter."""

    place: ClassVar[Where] = "everywhere"

    def __init__(
        self, title: str, facts: Sequence[tuple[str, Cell]], mode: str, subjects: Mapping[Argument, str] | None = None
    ) -> None:
        """`subjects`: what a command without an argument is about, as on the row it was opened from."""
        super().__init__(title, mode)
        self._facts = facts
        self._subjects = subjects or {}

    def compose_body(self) -> Iterable[LinePane]:
        """One pane."""
        yield LinePane(fact_lines(self._facts), hang=values_from(self._facts))

    def subject(self, takes: Argument) -> str:
        """Of the row that is described."""
        return self._subjects.get(takes, "")

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one(LinePane).set_filter(self.filter)

    def shown_lines(self) -> list[str]:
        """The facts as text."""
        return [line.text for line in self.query_one(LinePane).lines]
