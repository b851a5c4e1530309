"""`?`: the keys of a screen and all commands, from the one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from mlops_tui.commands import COMMANDS, NEEDS, Command, Where, commands_of
from mlops_tui.keymap import keys_file
from mlops_tui.screens.base import LoopScreen
from mlops_tui.view.about import ABOUT
from mlops_tui.view.cell import Cell
from mlops_tui.view.roles import may
from mlops_tui.view.width import fit
from mlops_tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from engine.wire.about import About

_HELP_FROM = 2 + 15 + 1 + 17 + 1
"""The column in which the sentences begin."""
_TAKES = {"on": "on|off"}
_NARROW = 80
"""The command line is left out where it would wrap."""


def help_lines(
    place: Where,
    own: Mapping[str, str],
    notes: Sequence[str] = (),
    known: Sequence[Command] = COMMANDS,
    caller: About | None = None,
) -> list[Cell]:
    """This screen's keys, moving about, then everything else; `own` are keys that were remapped.

    `notes` are sentences on this screen that are about no key; `known` are the commands that mean something on it.
    What the `caller` may not do is dim and says who may.
    """
    here = commands_of(place) if place != "everywhere" else ()
    elsewhere = tuple(command for command in known if not {place, "lines", "everywhere"} & set(command.where))
    groups = {
        "On this screen": here,
        "Moving": commands_of("lines"),
        "Everywhere": commands_of("everywhere"),
        "By : and ctrl+p": elsewhere,
    }
    about = [*ABOUT.get(place, ()), *notes]
    lines: list[Cell] = [*(Cell(line) for line in about), *([Cell("")] if about else [])]
    for title, group in groups.items():
        if group:
            # What is for another screen has no key on this one.
            keys = ("" if group is elsewhere else own.get(command.id) or _key(command) for command in group)
            lines += [Cell(title, "strong"), *map(partial(_line, caller=caller), group, keys), Cell("")]
    return lines


def _key(command: Command) -> str:
    return command.shown_key or command.key.replace(",", " ")


def _line(command: Command, key: str, caller: About | None) -> Cell:
    typed = (
        ""
        if "lines" in command.where
        else f":{command.id}{' ' + _TAKES.get(command.takes, command.takes.upper()) if command.takes else ''}"
    )
    line = f"  {fit(key, 15)} {fit(typed, 17)} {command.help}"
    if not may(caller, command):
        return Cell(f"{line} Only an {NEEDS[command.id]} may.", "dim")
    with_cli = f"{line}  {command.line(command.takes.upper())}"
    return Cell(with_cli if len(with_cli) < _NARROW else line)


class HelpScreen(LoopScreen):
    """All keys, with a filter as everywhere."""

    def __init__(self, about: Where, mode: str, notes: Sequence[str] = (), known: Sequence[Command] = COMMANDS) -> None:
        super().__init__("help", mode)
        self._known = known
        self._about: Where = about
        self._notes = notes

    def compose_body(self) -> Iterable[LinePane]:
        """One pane."""
        app = self.engine_app
        lines = help_lines(self._about, app.own_keys.keys, self._notes, self._known, app.caller)
        own = Cell(f'Keys of your own: such as `train = "T"` in {keys_file()}, by the names after `:`.', "dim")
        yield LinePane([*lines, own], hang=_HELP_FROM, id="help")

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one(LinePane).set_filter(self.filter)

    def shown_lines(self) -> list[str]:
        """The help as text."""
        return [line.text for line in self.query_one(LinePane).lines]
