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

Purpose = Literal["command", "filter", "find"]
Completions = Callable[[str], Sequence[str]]
Telling = Callable[[str], str]
"""A sentence on what is typed; empty where there is nothing to say."""

MOST_OFFERED = 40
_SIGNS: dict[Purpose, str] = {"command": ":", "filter": "/", "find": "»"}


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
        Binding("tab", "complete(1)", "Complete", show=False),
        Binding("shift+tab", "complete(-1)", "Complete", show=False),
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
        self._tells: Telling = lambda _: ""
        self._walked: Sequence[str] = ()
        """Offers that tab walks through, where they share no more letters."""
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

    def open(
        self, purpose: Purpose, text: str, offers: Completions, history: Sequence[str] = (), *, tells: Telling
    ) -> None:
        """Show it and take every key from this moment on: what is typed fast must not reach the screen."""
        self._purpose, self._offers, self._tells, self._walked = purpose, offers, tells, ()
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

    def action_complete(self, step: int) -> None:
        """The longest beginning that all offers share; where it is typed already, one offer after the other."""
        line = self.query_one(Input)
        if line.value in self._walked:
            at = self._walked.index(line.value) + step
            self._put(self._walked[at % len(self._walked)])
            return
        offers = self._offers(line.value)
        if not offers:
            return
        shared = _shared_beginning(offers)
        if len(offers) > 1 and len(shared) <= len(line.value):
            self._walked = offers
            shared = offers[0 if step > 0 else -1]
        self._put(shared)

    def _put(self, text: str) -> None:
        line = self.query_one(Input)
        line.value = text
        line.cursor_position = len(text)

    def action_earlier(self) -> None:
        """The line entered before."""
        self._recall(-1)

    def action_later(self) -> None:
        """The line entered after."""
        self._recall(1)

    def _recall(self, step: int) -> None:
        self._at = max(0, min(self._at + step, len(self._history) - 1))
        self._put(self._history[self._at])

    def _show_offers(self, text: str) -> None:
        if text not in self._walked:
            self._walked = ()
        offers = self._walked or self._offers(text)
        told = self._tells(text)
        if told and len(offers) < 2:
            shown = Content("  ".join([*(one for one in offers if one != text), told]))
        else:
            shown = Content("  ").join(
                Content.styled(one, "reverse") if one == text else Content(one) for one in _from(offers, text)
            )
        self.query_one(".offers", Static).update(shown)


def _from(offers: Sequence[str], chosen: str) -> Sequence[str]:
    """As many as a line may hold, such that the chosen one is seen."""
    at = offers.index(chosen) if chosen in offers else 0
    begins = max(at - 2, 0) if at > 4 else 0
    return offers[begins : begins + MOST_OFFERED]


def _shared_beginning(offers: Sequence[str]) -> str:
    first, last = min(offers), max(offers)
    at = 0
    while at < min(len(first), len(last)) and first[at] == last[at]:
        at += 1
    return first[:at]
