"""One line that a person types in answer to one question."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static


class SaidScreen(ModalScreen["str | None"]):
    """What was typed; None: nothing else than before."""

    CSS_PATH = "add_project.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "No", show=False, priority=True)]

    def __init__(self, question: str, now: str, told: str) -> None:
        super().__init__()
        self._question, self._now, self._told = question, now, told

    def compose(self) -> ComposeResult:
        """The question, the line, and what may be typed."""
        with Vertical(id="box"):
            yield Static(Content.styled(self._question, "bold"), id="question")
            yield Input(self._now, compact=True, max_length=4000, select_on_focus=False)
            yield Static(self._told, markup=False)
            yield Static("enter takes it; esc leaves it as it was.", id="answers", markup=False)

    def action_leave(self) -> None:
        """Nothing else."""
        self.dismiss(None)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        typed = "".join(one for one in event.value if one.isprintable()).strip()
        self.dismiss(typed if typed and typed != self._now else None)
