"""A project is added: train it now?"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mlops_tui.view.clean import clean


class AddedScreen(ModalScreen[bool]):
    """True: train it."""

    CSS_PATH = "add_project.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t,y", "say(True)", show=False),
        Binding("n,q,enter", "say(False)", show=False),
        Binding("escape", "say(False)", show=False, priority=True),
    ]

    def __init__(self, name: str, told: str) -> None:
        super().__init__()
        self._project, self._told = clean(name), clean(told)

    def compose(self) -> ComposeResult:
        """What was done, and what comes next."""
        with Vertical(id="box"):
            yield Static(Content.styled(f"✓ {self._told}", "bold"), id="question")
            yield Static(Content.styled(f"$ mlops train {self._project}", "dim"), id="line")
            yield Static(f"t   train {self._project} now, and watch it", markup=False)
            yield Static(Content.styled("[enter] later", "bold reverse"), id="answers")

    def action_say(self, yes: bool) -> None:
        """Answer."""
        self.dismiss(yes)
