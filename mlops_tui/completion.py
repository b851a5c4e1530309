"""What a typed line could become."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlops_tui.commands import Argument, Command, find, typed_commands
from mlops_tui.themes import NAMES
from mlops_tui.view.clean import clean


def completions(typed: str, choices: Callable[[Argument], Sequence[str]]) -> list[str]:
    """Whole lines that begin as typed, best first; all commands for an empty one.

    `choices` gives the names a kind of argument may have.
    """
    word, space, begun = typed.lstrip().partition(" ")
    if not space:
        return [command.id for command in typed_commands() if command.id.startswith(word)]
    command = find(word)
    if command is None:
        return []
    # What cannot be typed is no offer: a name may hold what moves a cursor.
    names = (name for name in _arguments(command, choices) if clean(name) == name)
    return [f"{command.id} {name}" for name in names if name.startswith(begun.lstrip())]


def _arguments(command: Command, choices: Callable[[Argument], Sequence[str]]) -> Sequence[str]:
    if command.takes == "theme":
        return list(NAMES)
    if command.takes == "on":
        return ["on", "off"]
    return choices(command.takes) if command.takes else []
