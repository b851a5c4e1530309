"""The first lines of every screen's help."""

from mlops_tui.commands import COMMANDS
from mlops_tui.view.about import ABOUT
from mlops_tui.view.width import width_of

ROOM = 78
"""Columns of a pane at 80, beside its scrollbar."""


def test_each_is_about_a_screen_there_is_and_fits_80_columns():
    places = {place for command in COMMANDS for place in command.where}
    assert set(ABOUT) <= places
    assert [line for lines in ABOUT.values() for line in lines if width_of(line) > ROOM] == []
