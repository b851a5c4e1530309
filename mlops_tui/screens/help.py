"""`?`: the keys of a screen and all commands, from the one table."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_tui.commands import COMMANDS, Command, Where, commands_of
from mlops_tui.screens.base import LoopScreen
from mlops_tui.view.cell import Cell
from mlops_tui.view.width import fit
from mlops_tui.widgets.line_pane import LinePane


def help_lines(place: Where) -> list[Cell]:
    """This screen's keys, moving about, then everything else."""
    lines: list[Cell] = []
    own = commands_of(place) if place != "everywhere" else ()
    for title, group in (("On this screen", own), ("Moving", commands_of("lines")), ("Everywhere", _general())):
        if group:
            lines += [Cell(title, "strong"), *(_line(command) for command in group), Cell("")]
    others = [command for command in COMMANDS if not {place, "lines", "everywhere"} & set(command.where)]
    if others:
        lines += [Cell("By : and ctrl+p, or on other screens", "strong"), *(_line(command) for command in others)]
    return lines


def _general() -> tuple[Command, ...]:
    return commands_of("everywhere")


def _line(command: Command) -> Cell:
    key = command.key.replace(",", " ") if not command.shown_key else command.shown_key
    typed = "" if "lines" in command.where else f":{command.id}{' ' + command.takes.upper() if command.takes else ''}"
    line = f"  {fit(key, 15)} {fit(typed, 17)} {command.help}"
    with_cli = f"{line}  {command.line(command.takes.upper())}"
    return Cell(with_cli if len(with_cli) < 80 else line)


class HelpScreen(LoopScreen):
    """All keys, with a filter as everywhere."""

    def __init__(self, about: Where, mode: str) -> None:
        super().__init__("help", mode)
        self._about: Where = about

    def compose_body(self) -> Iterable[LinePane]:
        """One pane."""
        yield LinePane(help_lines(self._about), id="help")

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one(LinePane).set_filter(self.filter)

    def shown_lines(self) -> list[str]:
        """The help as text."""
        return [line.text for line in self.query_one(LinePane).lines]
