"""What a Pilot test looks at: the screen as text, and a wait for a state that never sleeps."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fakes import wire_objects as made
from textual.pilot import Pilot
from textual.widgets import Input

from mlops_tui.widgets.bars import StatusBar, TitleBar
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

MOST_TURNS = 600


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = made.NOW

    def __call__(self) -> datetime:
        return self.now


async def settle(pilot: Pilot[Any], reached: Callable[[], bool], what: str = "") -> None:
    """Let everything happen that can happen, until a state is reached."""
    for _ in range(MOST_TURNS):
        await pilot.pause()
        if reached():
            return
    raise AssertionError(f"not reached: {what or reached}\n" + "\n".join(screen_text(pilot)))


async def command(pilot: Pilot[Any], line: str) -> None:
    """`:`, and a line put in whole: a key for each letter of a path takes seconds."""
    await pilot.press("colon")
    line_input = pilot.app.screen.focused
    assert isinstance(line_input, Input)
    line_input.insert_text_at_cursor(line)
    await pilot.press("enter")


def screen_text(pilot: Pilot[Any]) -> list[str]:
    """What stands on the screen, line by line."""
    screen = pilot.app.screen
    width, height = pilot.app.size
    strips = screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip)[:width].rstrip() for strip in strips[:height]]


def shows(pilot: Pilot[Any], words: str) -> Callable[[], bool]:
    return lambda: words in "\n".join(screen_text(pilot))


def table(pilot: Pilot[Any]) -> LineTable:
    return pilot.app.screen.query_one(LineTable)


def pane(pilot: Pilot[Any]) -> LinePane:
    return pilot.app.screen.query_one(LinePane)


def status(pilot: Pilot[Any]) -> StatusBar:
    return pilot.app.screen.query_one(StatusBar)


def title(pilot: Pilot[Any]) -> TitleBar:
    return pilot.app.screen.query_one(TitleBar)
