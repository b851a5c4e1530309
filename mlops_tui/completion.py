"""What a typed line could become."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

from mlops_tui.commands import Argument, Command, find, typed_commands
from mlops_tui.themes import NAMES
from mlops_tui.view.clean import clean


def completions(typed: str, choices: Callable[[Argument], Sequence[str]], known: Sequence[Command] = ()) -> list[str]:
    """Whole lines that begin as typed, best first; all commands for an empty one.

    `choices` gives the names a kind of argument may have; `known` are the commands there are, empty for all.
    """
    known = known or typed_commands()
    word, space, begun = typed.lstrip().partition(" ")
    if not space:
        return [command.id for command in known if command.id.startswith(word)]
    command = find(word, known)
    if command is None:
        return []
    # What cannot be typed is no offer: a name may hold what moves a cursor.
    names = (name for name in _arguments(command, choices) if clean(name) == name)
    return [f"{command.id} {name}" for name in names if name.startswith(begun.lstrip())]


def told_of(typed: str, known: Sequence[Command] = ()) -> str:
    """What the typed command does, and its command line; empty for what is none."""
    word, _, argument = typed.strip().partition(" ")
    command = find(word, known) if word else None
    if command is None:
        return ""
    line = command.line(argument.strip() or command.takes.upper())
    return clean(command.help + (f"  $ {line}" if line else ""))


def near_to(word: str) -> str:
    """A command that may have been meant; empty where none is like it."""
    near = difflib.get_close_matches(word, [command.id for command in typed_commands()], n=1)
    return near[0] if near else ""


def _arguments(command: Command, choices: Callable[[Argument], Sequence[str]]) -> Sequence[str]:
    if command.takes == "theme":
        return list(NAMES)
    if command.takes == "on":
        return ["on", "off"]
    return choices(command.takes) if command.takes else []
