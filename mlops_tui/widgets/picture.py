"""Lines of pieces in their tones: a chart, a bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from mlops_tui.view.cell import Cell
from mlops_tui.widgets.tones import TONE_CLASSES, TONE_CSS, tone_style

Draw = Callable[[int, int], list[list[Cell]]]
"""From width and height to lines, each of pieces that stand side by side."""


class Picture(Widget, can_focus=False):
    """Drawn anew when its size or what it shows changes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(TONE_CLASSES)
    DEFAULT_CSS = "Picture { height: 1fr;" + TONE_CSS + "}"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._draw: Draw = lambda width, height: []
        self._lines: list[list[Cell]] | None = None

    def show(self, draw: Draw) -> None:
        """Another picture."""
        self._draw = draw
        self._lines = None
        self.refresh()

    def on_resize(self) -> None:
        """The picture fits another size."""
        self._lines = None

    def render_line(self, y: int) -> Strip:
        """The line at `y`."""
        if self._lines is None:
            self._lines = self._draw(self.size.width, self.size.height)
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        pieces = [Segment(piece.text, tone_style(self, piece.tone, self.rich_style)) for piece in self._lines[y]]
        return Strip(pieces).adjust_cell_length(self.size.width, self.rich_style)
