"""`!` and `:error`: what went wrong lately, each failure whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType

from mlops_tui.commands import Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.screens.base import LoopScreen
from mlops_tui.view.trouble import trouble_lines
from mlops_tui.widgets.line_pane import LinePane


class ErrorsScreen(LoopScreen):
    """Lines to read, newest failure first."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("errors")
    place: ClassVar[Where] = "errors"

    def __init__(self, mode: str) -> None:
        super().__init__("errors", mode)

    def compose_body(self) -> Iterable[LinePane]:
        """One pane."""
        yield LinePane(trouble_lines(self.engine_app.troubles, self.now()), hang=2)

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one(LinePane).set_filter(self.filter)

    def do_error(self, _: str) -> None:
        """It is open already."""

    def do_copy(self, _: str) -> None:
        """The newest failure, whole."""
        if self.engine_app.troubles:
            self.engine_app.send_to_clipboard(self.engine_app.troubles[0].text)

    def shown_lines(self) -> list[str]:
        """All of it as text."""
        return [line.text for line in self.query_one(LinePane).lines]
