"""One line that a person types in answer to one question."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mlops_tui.view.clean import clean


class SaidScreen(ModalScreen["str | None"]):
    """What was typed; None: nothing else than before."""

    CSS_PATH = "add_project.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "No", show=False, priority=True)]

    def __init__(self, question: str, now: str, told: str, *, refusal: Callable[[str], str] = lambda typed: "") -> None:
        """`refusal` says why what was typed cannot be; empty: it can. The line stays until it can."""
        super().__init__()
        self._question, self._now, self._told, self._refusal = question, now, told, refusal

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
        if not typed or typed == self._now:
            self.dismiss(None)
        elif why := self._refusal(typed):
            self.query_one("#answers", Static).update(
                Content.styled(f"✗ {clean(why)} esc leaves it as it was.", "bold")
            )
        else:
            self.dismiss(typed)
