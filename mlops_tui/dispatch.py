"""From the table of commands to keys, and from keys, `:` and the palette to the method that answers."""

from __future__ import annotations

from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode

from mlops_tui.commands import SCREENS, Where, commands_of


def bindings_of(where: Where) -> list[BindingType]:
    """The keys of a place. Each has the command's id, by which a keymap can change it."""
    return [
        Binding(command.key, f"app.run_command('{command.id}')", command.title, id=command.id, show=False)
        for command in commands_of(where)
        if command.key
    ]


def answer(node: DOMNode | App[object], command_id: str, argument: str) -> bool:
    """Go to the screen of that name, or have the nearest of `node` and those around it do it.

    False: none of them can.
    """
    if command_id in SCREENS:
        node.app.switch_mode(command_id)
        return True
    for one in node.ancestors_with_self:
        method = getattr(one, f"do_{command_id}", None)
        if method is not None:
            method(argument)
            return True
    return False
