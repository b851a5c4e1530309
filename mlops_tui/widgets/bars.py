"""The line above every screen and the two below it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from mlops_tui.view.cell import Cell, Tone
from mlops_tui.view.width import fit, width_of, wrap

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


MOST_SAID_LINES = 4
PINNED = "Help"
"""The hint that is there at every width, for it leads to all others."""


class TitleBar(Widget):
    """The screens by their numbers, the one that is open, and whether an engine answers."""

    DEFAULT_CSS = "TitleBar { height: 1; background: $panel; } TitleBar:ansi { background: ansi_default; }"

    link: reactive[Cell] = reactive(Cell(""))

    def __init__(self, names: Sequence[tuple[str, str, str]], active: str, subtitle: str = "") -> None:
        """`names`: key, name and a shorter name of each screen; `active` is the name of the open one."""
        super().__init__()
        self._names = names
        self._active = active
        self._subtitle = subtitle

    def render(self) -> Content:
        """All names where they fit, else shorter ones, else the numbers and the name of the open one."""
        room = self.size.width - width_of(self.link.text) - 2
        parts = self._screens(room - (width_of(self._subtitle) + 3 if self._subtitle else 0))
        taken = sum(width_of(part.plain) for part in parts)
        if self._subtitle:
            parts.append(Content.styled(fit(f" › {self._subtitle}", max(room - taken, 0)).rstrip(), "bold"))
            taken += width_of(parts[-1].plain)
        parts.append(Content(" " * max(self.size.width - taken - width_of(self.link.text) - 1, 1)))
        return Content("").join([*parts, painted(self.link)])

    def _screens(self, room: int) -> list[Content]:
        full = [(f" {key} ", f"{name} ") for key, name, _ in self._names]
        short = [(key, f" {name} ") for key, _, name in self._names]
        numbers = [(f" {key} ", f"{name} " if name == self._active else "") for key, name, _ in self._names]
        shown = next(
            (one for one in (full, short) if sum(map(width_of, ("".join(two) for two in one))) <= room), numbers
        )
        parts = []
        for (key, word), (_, name, _) in zip(shown, self._names, strict=True):
            if name == self._active:
                parts.append(Content.styled(f" {key.strip()} {word.strip()} ", "bold reverse"))
            else:
                parts.append(Content.styled(key, "bold" if word else "") + Content(word))
        return parts


class StatusBar(Widget):
    """What was said last and where the cursor is; below it the keys of this screen."""

    DEFAULT_CSS = """
    StatusBar { height: auto; max-height: 6; background: $panel; }
    StatusBar:ansi { background: ansi_default; }
    """

    said: reactive[Cell] = reactive(Cell(""))
    place: reactive[str] = reactive("")
    """Where in the list the cursor is, filter and order."""
    refused: reactive[frozenset[str]] = reactive(frozenset())
    """Titles of keys that the role of whoever sits here does not allow."""

    def __init__(self, hints: Sequence[tuple[str, str]], *, whole: str = "") -> None:
        """`whole`: says where a failure that is too long for here can be read."""
        super().__init__()
        self._hints = hints
        self._whole = whole

    def watch_said(self) -> None:
        """It may take more lines, or fewer."""
        self._fit_height()

    def watch_place(self) -> None:
        """It may take a line of its own."""
        self._fit_height()

    def _fit_height(self) -> None:
        # A new layout draws the whole screen anew, 20 KB of it, and the place changes with every key.
        if len(self._said_lines(self.size.width)) + 1 != self.size.height:
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as what was said takes, and one for the keys."""
        return len(self._said_lines(width)) + 1

    def render(self) -> Content:
        """What was said is shown whole where four lines are enough for it; the place stands behind it."""
        width = self.size.width
        *above, last = self._said_lines(width)
        lines = [painted(Cell(line, self.said.tone)) for line in above]
        gap = " " * max(width - width_of(last) - width_of(self.place), 0)
        lines.append(painted(Cell(last, self.said.tone)) + Content(gap) + Content.styled(self.place, "dim"))
        return Content("\n").join([*lines, self._keys(width)])

    def _said_lines(self, width: int) -> list[str]:
        lines = wrap(self.said.text, max(width, 1))
        if len(lines) > MOST_SAID_LINES:
            whole = self._whole if self.said.tone == "bad" else ""
            kept = fit(f"{lines[MOST_SAID_LINES - 1]} {lines[MOST_SAID_LINES]}", max(width - width_of(whole), 0))
            lines = [*lines[: MOST_SAID_LINES - 1], kept + whole]
        over = width_of(lines[-1]) + width_of(self.place) + 2 > width
        return [*lines, ""] if over and self.place else lines

    def _keys(self, width: int) -> Content:
        parts: list[Content] = []
        pinned = [hint for hint in self._hints if hint[1] == PINNED]
        others = [hint for hint in self._hints if hint[1] != PINNED]
        width -= sum(width_of(f"{key} {title}") for key, title in pinned)
        for key, title in others:
            taken = width_of(f"{key} {title}  ")
            if taken > width:
                break
            width -= taken
            dimmed = title in self.refused
            parts += [Content.styled(key, "dim" if dimmed else "bold")]
            parts += [Content.styled(f" {title}  ", "dim") if dimmed else Content(f" {title}  ")]
        for key, title in pinned:
            parts += [Content.styled(key, "bold"), Content(f" {title}")]
        return Content("").join(parts)
