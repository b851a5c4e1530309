"""What is asked before an alarm is answered or a model trained again; No is the default where much hangs on it."""

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

LEAST_NOTE = 3
"""Letters of a note on why an alarm is closed."""

_QUESTIONS = {
    "acknowledge": "You look after alarm {}? It stays, and calls again only if it grows.",
    "close": "Close alarm {}? It rings no more for what it was about until that has been calm.",
}
_HOW = {
    "acknowledge": "enter does it, with a note or without; esc leaves it.",
    "close": "Say why and enter to close it; esc leaves it.",
}


class NoteScreen(ModalScreen["str | None"]):
    """The note; None: no. An alarm is closed only with a note on why."""

    CSS_PATH = "alarm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "No", show=False, priority=True)]

    def __init__(self, verb: str, alarm: str, line: str) -> None:
        super().__init__()
        self._verb, self._alarm, self._line = verb, clean(alarm), clean(line)

    def compose(self) -> ComposeResult:
        """The question, its command line, and a line for the note."""
        with Vertical(id="box"):
            yield Static(Content.styled(_QUESTIONS[self._verb].format(self._alarm), "bold"), id="question")
            yield Static(Content.styled(f"$ {self._line}", "dim"), id="line")
            yield Input(placeholder="why; it is recorded for good", compact=True, max_length=500)
            yield Static(_HOW[self._verb], id="answers", markup=False)

    def action_leave(self) -> None:
        """Nothing is done."""
        self.dismiss(None)

    @on(Input.Submitted)
    def _noted(self, event: Input.Submitted) -> None:
        event.stop()
        note = event.value.strip()
        if self._verb != "close" or len(note) >= LEAST_NOTE:
            self.dismiss(note)
        elif note:
            self.query_one("#answers", Static).update(f"A note has at least {LEAST_NOTE} letters; esc leaves it.")
        else:
            self.dismiss(None)


class RetrainScreen(ModalScreen["bool | None"]):
    """False: when it can be judged fairly. True: at once. None: no."""

    CSS_PATH = "alarm.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,Y", "say(False)", show=False),
        Binding("t", "say(True)", show=False),
        Binding("n,N,enter,q", "leave", show=False),
        Binding("escape", "leave", "No", show=False, priority=True),
    ]

    def __init__(self, model: str, line: str) -> None:
        super().__init__()
        self._model, self._line = clean(model), clean(line)

    def compose(self) -> ComposeResult:
        """The question and the three answers."""
        with Vertical(id="box"):
            yield Static(
                Content.styled(f"Train {self._model} again on its source and all that was labelled since?", "bold"),
                id="question",
            )
            yield Static(Content.styled(f"$ {self._line}", "dim"), id="line")
            yield Static("y   yes, as soon as enough labelled rows are there to judge it by", markup=False)
            yield Static("t   at once (--now): wait neither for labels nor for a fault to be mended", markup=False)
            yield Static(Content.styled("[n] no", "bold reverse"), id="answers")

    def action_say(self, now: bool) -> None:
        """Yes."""
        self.dismiss(now)

    def action_leave(self) -> None:
        """Nothing is done."""
        self.dismiss(None)
