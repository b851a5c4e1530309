"""The line that `:` and `/` open: typed text, and what it could become."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

Purpose = Literal["command", "filter"]
Completions = Callable[[str], Sequence[str]]

_SIGNS: dict[Purpose, str] = {"command": ":", "filter": "/"}


class CommandBar(Vertical):
    """Always there, seen when it is opened."""

    DEFAULT_CSS = """
    CommandBar {
        dock: bottom;
        height: 2;
        background: $panel;
        & Horizontal { height: 1; }
        & .sign { width: 1; text-style: bold; }
        & .offers { height: 1; color: $dim; }
        & Input { height: 1; border: none; padding: 0; background: $panel; }
        &:ansi { background: ansi_default; }
        &:ansi Input { background: ansi_default; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("tab", "complete", "Complete", show=False),
        Binding("up", "earlier", "Earlier", show=False),
        Binding("down", "later", "Later", show=False),
    ]

    @dataclass
    class Changed(Message):
        """What is typed so far."""

        purpose: Purpose
        text: str

    @dataclass
    class Entered(Message):
        """Enter."""

        purpose: Purpose
        text: str

    @dataclass
    class Left(Message):
        """Escape, or nothing was typed."""

        purpose: Purpose

    def __init__(self) -> None:
        super().__init__()
        self._purpose: Purpose = "command"
        self._offers: Completions = lambda _: ()
        self._history: list[str] = [""]
        self._at = 0

    def compose(self) -> ComposeResult:
        """Offers above, the line below."""
        yield Static("", classes="offers", markup=False)
        with Horizontal():
            yield Static("", classes="sign", markup=False)
            yield Input(select_on_focus=False, compact=True)

    def on_mount(self) -> None:
        """Not seen before it is opened."""
        self.display = False

    def open(self, purpose: Purpose, text: str, offers: Completions, history: Sequence[str] = ()) -> None:
        """Show it and take every key from this moment on: what is typed fast must not reach the screen."""
        self._purpose, self._offers = purpose, offers
        self._history = [*history, ""]
        self._at = len(self._history) - 1
        self.query_one(".sign", Static).update(_SIGNS[purpose])
        line = self.query_one(Input)
        with self.prevent(Input.Changed):
            line.value = text
        line.cursor_position = len(text)
        self.display = True
        self.screen.set_focus(line)
        self._show_offers(text)

    def close(self) -> None:
        """Give the keys back to what had them."""
        self.display = False
        self.screen.set_focus(None)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        typed = "".join(character for character in event.value if character.isprintable())
        if typed != event.value:  # it was pasted
            event.input.value = typed
            return
        self._show_offers(event.value)
        self.post_message(self.Changed(self._purpose, event.value))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.close()
        self.post_message(self.Entered(self._purpose, event.value.strip()))

    def on_key(self, event: events.Key) -> None:
        """Backspace on an empty line leaves, as in vi."""
        if event.key == "backspace" and not self.query_one(Input).value:
            event.stop()
            self.action_leave()

    def action_leave(self) -> None:
        """Without doing anything."""
        self.close()
        self.post_message(self.Left(self._purpose))

    def action_complete(self) -> None:
        """The longest beginning that all offers share."""
        line = self.query_one(Input)
        offers = self._offers(line.value)
        if not offers:
            return
        shared = _shared_beginning(offers)
        if len(shared) > len(line.value) or len(offers) == 1:
            line.value = shared
            line.cursor_position = len(shared)

    def action_earlier(self) -> None:
        """The line entered before."""
        self._recall(-1)

    def action_later(self) -> None:
        """The line entered after."""
        self._recall(1)

    def _recall(self, step: int) -> None:
        self._at = max(0, min(self._at + step, len(self._history) - 1))
        line = self.query_one(Input)
        line.value = self._history[self._at]
        line.cursor_position = len(line.value)

    def _show_offers(self, text: str) -> None:
        self.query_one(".offers", Static).update(Content("  ".join(self._offers(text)[:40])))


def _shared_beginning(offers: Sequence[str]) -> str:
    first, last = min(offers), max(offers)
    at = 0
    while at < min(len(first), len(last)) and first[at] == last[at]:
        at += 1
    return first[:at]
