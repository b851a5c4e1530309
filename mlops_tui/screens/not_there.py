"""Screens of the design that are not built yet: each says so, and what does the work meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from mlops_tui.actions import ActingScreen
from mlops_tui.commands import BY_ID, Where
from mlops_tui.view.cell import Cell
from mlops_tui.widgets.line_pane import LinePane

MEANWHILE = {
    "monitoring": "Nothing is watched yet; answers are captured, so nothing is lost until it is.",
}


class NotThereScreen(ActingScreen):
    """One sentence."""

    place: ClassVar[Where] = "everywhere"

    def __init__(self, mode: str) -> None:
        super().__init__(mode=mode)

    def compose_body(self) -> Iterable[LinePane]:
        """The sentence."""
        title = BY_ID[self._mode_id].title
        yield LinePane([Cell(f"The {title} screen is not there yet. {MEANWHILE[self._mode_id]}")])


def not_there(mode: str) -> Callable[[], NotThereScreen]:
    """What makes the screen of a number that is not built yet."""
    return lambda: NotThereScreen(mode)
