"""The line above every screen and the two below it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from mlops_tui.view.cell import Cell, Tone
from mlops_tui.view.width import fit, width_of

TONE_STYLES: dict[Tone, str] = {
    "plain": "",
    "good": "$text-success",
    "bad": "$text-error",
    "warn": "$text-warning",
    "busy": "$text-primary",
    "dim": "dim",
    "strong": "bold",
}


def painted(value: Cell) -> Content:
    """A cell as Textual draws it. Nothing in it is markup."""
    return Content.styled(value.text, TONE_STYLES[value.tone]) if TONE_STYLES[value.tone] else Content(value.text)


class TitleBar(Widget):
    """The screens by their numbers, the one that is open, and whether an engine answers."""

    DEFAULT_CSS = "TitleBar { height: 1; background: $panel; } TitleBar:ansi { background: ansi_default; }"

    link: reactive[Cell] = reactive(Cell(""))

    def __init__(self, names: Sequence[tuple[str, str]], active: str, subtitle: str = "") -> None:
        super().__init__()
        self._names = names
        self._active = active
        self._subtitle = subtitle

    def render(self) -> Content:
        """All names where they fit; else the numbers, and the name of the open one."""
        room = self.size.width - width_of(self.link.text) - 2
        full = [f"{key} {name}" for key, name in self._names]
        short = [f"{key} {name}" if name == self._active else key for key, name in self._names]
        shown = full if sum(width_of(one) + 2 for one in full) <= room else short
        parts: list[Content] = []
        taken = 0
        for text, (_, name) in zip(shown, self._names, strict=True):
            parts.append(Content.styled(f" {text} ", "bold reverse" if name == self._active else ""))
            taken += width_of(text) + 2
        if self._subtitle:
            parts.append(Content.styled(fit(f" › {self._subtitle}", max(room - taken, 0)).rstrip(), "bold"))
            taken += min(width_of(self._subtitle) + 3, max(room - taken, 0))
        parts.append(Content(" " * max(self.size.width - taken - width_of(self.link.text) - 1, 1)))
        return Content("").join([*parts, painted(self.link)])


class StatusBar(Widget):
    """What was said last, and below it the keys of this screen."""

    DEFAULT_CSS = "StatusBar { height: 2; background: $panel; } StatusBar:ansi { background: ansi_default; }"

    said: reactive[Cell] = reactive(Cell(""))
    place: reactive[str] = reactive("")
    """Where in the list the cursor is, filter and order."""

    def __init__(self, hints: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._hints = hints

    def render(self) -> Content:
        """Two lines."""
        width = self.size.width
        room = max(width - width_of(self.place) - 2, 8)
        said = Cell(fit(self.said.text, room), self.said.tone)
        above = Content("").join([painted(said), Content("  "), Content.styled(self.place, "dim")])
        return above + Content("\n") + self._keys(width)

    def _keys(self, width: int) -> Content:
        parts: list[Content] = []
        for key, title in self._hints:
            taken = width_of(f"{key} {title}  ")
            if taken > width:
                break
            width -= taken
            parts += [Content.styled(key, "bold"), Content(f" {title}  ")]
        return Content("").join(parts)
