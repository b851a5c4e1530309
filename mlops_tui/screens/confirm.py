"""A question before something that is hard to take back. The default is No."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mlops_tui.view.clean import clean


def not_its_name(typed: str, name: str) -> Content:
    """What is said to another name than the one that was asked for."""
    return Content.styled(f"{clean(typed, longest=30)} is not {clean(name)}: type that, or esc leaves it.", "bold")


class ConfirmScreen(ModalScreen[bool]):
    """True when the person said yes; with `name` only when they typed it."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,Y", "say(True)", "Yes", show=False),
        Binding("n,N,enter,q", "say(False)", "No", show=False),
        Binding("escape", "say(False)", "No", show=False, priority=True),
    ]

    def __init__(self, question: str, line: str, *, name: str = "") -> None:
        super().__init__()
        self._question = clean(question)
        self._line = clean(line)
        self._wanted = name

    def compose(self) -> ComposeResult:
        """The question, its command line, and how to answer."""
        with Vertical(id="box"):
            yield Static(Content.styled(self._question, "bold"), id="question")
            line = self._line if self._line.startswith(":") else f"$ {self._line}"
            yield Static(Content.styled(line, "dim"), id="line")
            if self._wanted:
                yield Static(f"Type {self._wanted} and enter to do it; esc leaves it.", markup=False, id="how")
                yield Input(placeholder=self._wanted)
            else:
                yield Static(Content("y yes    ") + Content.styled("[n] no", "bold reverse"), id="answers")

    def action_say(self, yes: bool) -> None:
        """Answer. Where a name must be typed, y alone is no answer."""
        self.dismiss(yes and not self._wanted)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        typed = event.value.strip()
        if not typed or typed == self._wanted:
            self.dismiss(bool(typed))
        else:
            # It stays: what is typed after a mistake would be keys of the screen below.
            self.query_one("#how", Static).update(not_its_name(typed, self._wanted))
