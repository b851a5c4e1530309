"""From the table of commands to keys, and from keys, `:` and the palette to the method that answers.

Keys are looked up before they are handed to what has the focus, one after the other, so that what is typed ahead on
a slow link reaches the screen it was meant for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode

from mlops_tui.commands import SCREENS, Where, commands_of

Answer = Callable[[str], Any]
"""Takes a command's argument; what it gives is awaited where it can be."""


def bindings_of(*places: Where) -> list[BindingType]:
    """The keys of some places. Each has the command's id, by which a keymap can change it."""
    return [
        Binding(
            command.key, f"app.run_command('{command.id}')", command.title, id=command.id, show=False, priority=True
        )
        for place in places
        for command in commands_of(place)
        if command.key
    ]


def answer_of(node: DOMNode, command_id: str) -> Answer | None:
    """Who does it: the method `do_…` of the nearest of `node` and those around it; None: nobody here."""
    if command_id in SCREENS:
        return lambda about: _open_screen(node.app, command_id, about)
    for one in node.ancestors_with_self:
        method: Answer | None = getattr(one, f"do_{command_id}", None)
        if method is not None:
            return method
    return None


async def _open_screen(app: App[Any], mode: str, about: str) -> None:
    """One of the eight, as it was left; again, or for a model that is named, its first page."""
    again = app.current_mode == mode
    await app.switch_mode(mode)
    narrow = getattr(app.screen_stack[0], "narrow", None)
    if again or (about and narrow is not None):
        while len(app.screen_stack) > 1:
            await app.pop_screen()
    if about and narrow is not None:
        narrow(about)
