"""Lines of text to read: a log that follows, a description, a help page."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mlops_tui.view.cell import Cell
from mlops_tui.view.filter import Filter
from mlops_tui.view.width import fit, wrap
from mlops_tui.widgets.tones import TONE_CLASSES, TONE_CSS, tone_style

MOST_LINES = 50_000
"""Lines kept; the oldest leave first."""


class LinePane(ScrollView, can_focus=False):
    """Clean lines, filtered, wrapped or cut; at its end it follows what is added."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(TONE_CLASSES)
    DEFAULT_CSS = (
        # The gutter is kept free: lines that were wrapped before a scrollbar came would lose their last letter to it.
        "LinePane { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; "
        "scrollbar-gutter: stable;" + TONE_CSS + "}"
    )

    def __init__(
        self, lines: Sequence[Cell] = (), *, follow: bool = False, hang: int = 0, id: str | None = None
    ) -> None:
        """`hang`: columns that what is wrapped stands to the right by."""
        super().__init__(id=id)
        self.hang = hang
        self._lines = list(lines)
        self._filter = Filter()
        self._follow = follow
        self._shown: list[Cell] = []
        self._kept: list[Cell] = []
        self._dropped = 0
        self._starts: list[int] = []
        """Where on the screen each line that passes begins."""
        self._wanted = ""
        self._hit: int | None = None
        """Which of the lines that pass was jumped to."""

    @property
    def follows(self) -> bool:
        """New lines are scrolled to as they come."""
        return self._follow

    @property
    def lines(self) -> list[Cell]:
        """What passes the filter, whole: not wrapped."""
        return self._kept

    @property
    def holds_any(self) -> bool:
        """There are lines, whether or not they pass the filter."""
        return bool(self._lines)

    @property
    def dropped(self) -> int:
        """Lines that left because there were too many."""
        return self._dropped

    def set_lines(self, lines: Sequence[Cell]) -> None:
        """Other lines."""
        self._lines = list(lines)
        self._hit = None
        self._lay_out()

    def add_lines(self, lines: Sequence[Cell]) -> None:
        """More at the end."""
        self._lines += lines
        over = len(self._lines) - MOST_LINES
        if over > 0:
            del self._lines[:over]
            self._dropped += over
            self._hit = None  # what it stands for has moved
            self._lay_out()
            return
        self._take(lines)
        self._resize()

    def set_filter(self, wanted: Filter) -> None:
        """Only lines that pass."""
        self._filter = wanted
        self._hit = None
        self._lay_out()

    @property
    def wanted(self) -> str:
        """Letters that are marked; empty: none."""
        return self._wanted

    @property
    def hit(self) -> str:
        """Which of the lines with the wanted letters one is on, of how many."""
        hits = self._hits()
        at = hits.index(self._hit) + 1 if self._hit in hits else 0
        return f"{at}/{len(hits)}" if hits else "none"

    def mark(self, wanted: str) -> None:
        """Mark these letters wherever they stand, large or small; empty: nothing."""
        self._wanted = wanted.strip()
        self._hit = None
        self.refresh()

    def jump(self, step: int) -> int | None:
        """To the next line with the wanted letters, or with -1 to the one before, round and round; None: no line."""
        hits = self._hits()
        if not hits:
            return None
        self._follow = False
        if self._hit is None:
            top = self.scroll_offset.y if step > 0 else self.scroll_offset.y + self.size.height
            self._hit = (
                next((at for at in hits if self._starts[at] >= top), hits[0])
                if step > 0
                else next((at for at in reversed(hits) if self._starts[at] < top), hits[-1])
            )
        elif step > 0:
            self._hit = next((at for at in hits if at > (self._hit or 0)), hits[0])
        else:
            self._hit = next((at for at in reversed(hits) if at < (self._hit or 0)), hits[-1])
        y, height = self._starts[self._hit], max(self.size.height, 1)
        if not self.scroll_offset.y <= y < self.scroll_offset.y + height:
            self.scroll_to(y=max(0, min(y - height // 3, self.max_scroll_y)), animate=False)
        self.refresh()
        return self._hit

    def _hits(self) -> list[int]:
        wanted = self._wanted.lower()
        return [at for at, line in enumerate(self._kept) if wanted in line.text.lower()] if wanted else []

    def on_mount(self) -> None:
        """Lay out what came with it."""
        self._lay_out()

    def on_resize(self) -> None:
        """Lines wrap at another place."""
        self._lay_out()

    def render_line(self, y: int) -> Strip:
        """The line at `y` of the screen."""
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y
        if index >= len(self._shown):
            return Strip.blank(width, self.rich_style)
        line = self._shown[index]
        style = tone_style(self, line.tone, self.rich_style)
        text = fit(line.text, width)
        if not self._wanted or self._wanted.lower() not in text.lower():
            return Strip([Segment(text, style)], width)
        marked = style + Style(reverse=True, bold=self._is_hit(index))
        return Strip([Segment(part, marked if at % 2 else style) for at, part in enumerate(self._parts(text))], width)

    def _is_hit(self, index: int) -> bool:
        """Whether a line of the screen belongs to the line that was jumped to."""
        return self._hit is not None and bisect_right(self._starts, index) - 1 == self._hit

    def _parts(self, text: str) -> list[str]:
        """What is around and between the wanted letters, and they themselves, in turn."""
        return re.split(f"({re.escape(self._wanted)})", text, flags=re.IGNORECASE)

    def do_down(self, _: str = "") -> None:
        """A line down."""
        self._move(1)

    def do_up(self, _: str = "") -> None:
        """A line up; no longer following."""
        self._move(-1)

    def do_page_down(self, _: str = "") -> None:
        """Half a screen down."""
        self._move(max(self.size.height // 2, 1))

    def do_page_up(self, _: str = "") -> None:
        """Half a screen up."""
        self._move(-max(self.size.height // 2, 1))

    def do_top(self, _: str = "") -> None:
        """The first line."""
        self._follow = False
        self.scroll_to(y=0, animate=False)

    def do_bottom(self, _: str = "") -> None:
        """The last line, and follow."""
        self._follow = True
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def _move(self, lines: int) -> None:
        self._follow = lines > 0 and self.scroll_offset.y + lines >= self.max_scroll_y
        self.scroll_to(y=max(0, min(self.scroll_offset.y + lines, self.max_scroll_y)), animate=False)

    def _lay_out(self) -> None:
        self._shown, self._kept, self._starts = [], [], []
        self._take(self._lines)
        self._resize()

    def _take(self, lines: Sequence[Cell]) -> None:
        width = self.scrollable_content_region.width or 80
        hang = self.hang if self.hang < width // 2 else 0
        for line in lines:
            if self._filter.keeps(line.text.lower()):
                self._kept.append(line)
                self._starts.append(len(self._shown))
                self._shown += [Cell(piece, line.tone) for piece in wrap(line.text, width, hang=hang)]

    def _resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._shown))
        if self._follow:
            self.scroll_to(y=self.max_scroll_y, animate=False)
        self.refresh()
