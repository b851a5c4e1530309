"""A table that draws only the lines on the screen, so that 100,000 rows cost what 20 do."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.columns import GAP, Column, Placed, place
from mlops_tui.view.width import fit
from mlops_tui.widgets.tones import TONE_CLASSES, TONE_CSS, tone_style

CURSOR = "▸"
"""Stands before the row under the cursor, which is never shown by colour alone."""
_HEAD_LINES = 1
_MARKER_COLUMNS = 2
_BLANK = Cell("")


class RowSource(Protocol):
    """Where the rows come from."""

    def __len__(self) -> int:
        """How many there are, known or not."""

    def cells(self, index: int) -> Mapping[str, Cell] | None:
        """A row by column; None: it has not come yet."""

    def key(self, index: int) -> Hashable | None:
        """What stays the same when the row moves; None: not known yet."""

    def index_of(self, key: Hashable) -> int | None:
        """Where the row is now."""


class NoRows:
    """Nothing at all."""

    def __len__(self) -> int:
        return 0

    def cells(self, index: int) -> Mapping[str, Cell] | None:
        """None."""
        return None

    def key(self, index: int) -> Hashable | None:
        """None."""
        return None

    def index_of(self, key: Hashable) -> int | None:
        """None."""
        return None


class _Made(NamedTuple):
    """A row, laid out."""

    key: Hashable | None
    cells: Mapping[str, Cell]
    strip: Strip


class LineTable(ScrollView, can_focus=False):
    """Rows under a head that stays. The cursor keeps to its row when rows come and go."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--head", "table--cursor"} | TONE_CLASSES
    DEFAULT_CSS = (
        """
    LineTable {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .table--head { color: $dim; text-style: underline; }
        & > .table--cursor { background: $panel; text-style: bold; }
        &:ansi > .table--head { color: ansi_default; text-style: underline; }
        &:ansi > .table--cursor { background: ansi_default; text-style: bold reverse; }
    """
        + TONE_CSS
        + "}"
    )

    cursor: reactive[int] = reactive(0, repaint=False)

    @dataclass
    class Moved(Message):
        """The cursor stands on another row."""

        key: Hashable | None

    @dataclass
    class Missing(Message):
        """Rows that are on the screen and have not come yet, first to last."""

        first: int
        last: int

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._columns = tuple(columns)
        self._placed: tuple[Placed, ...] = ()
        self._placed_in = -1
        self._source: RowSource = NoRows()
        self._none = ""
        self._at: Hashable | None = None
        self._asked: tuple[int, int] | None = None
        self._settling = False
        """Rows and place are about to change; what that comes to is drawn once."""
        self._drawn: dict[int, Strip] = {}
        """What stands on each line of the screen, where it was drawn here."""
        self._made: dict[tuple[int, bool], _Made] = {}
        """Rows as they were drawn, by index and whether the cursor is on it; a row is asked for once a `show`."""
        self._before: dict[tuple[Hashable | None, bool], _Made] = {}
        """Those of the `show` before, by key: a row that reads the same is not laid out again."""
        self._base: Style | None = None
        """Of a row like any other. Textual works it out anew each time it is asked: 0.1 ms."""

    def show(self, source: RowSource, none: str = "") -> None:
        """Draw these rows; the cursor goes to where its row is now. `none` stands there where there are no rows."""
        self._source = source
        self._none = none
        self._asked = None
        self._before = {(made.key, under): made for (_, under), made in self._made.items()}
        self._made = {}
        self._settling = True
        self._grow_to(len(source))
        found = None if self._at is None else source.index_of(self._at)
        if found is not None and self.scroll_offset.y > 0:
            # Who has scrolled reads: the rows stay where they are, whatever comes above them.
            self.scroll_to(y=self.scroll_offset.y + found - self.cursor, animate=False)
        last = max(len(source) - 1, 0)
        self.cursor = min(self.cursor if found is None else found, last)
        self._at = source.key(self.cursor) if len(source) else None
        self._keep_in_sight()
        self._settling = False
        self._redraw_changed()

    def _grow_to(self, rows: int) -> None:
        """Take so many rows in. A new layout draws the whole screen anew, so there is one only if a scrollbar comes."""
        size = Size(self.size.width, rows + _HEAD_LINES)
        if size == self.virtual_size:
            return
        scrolls = size.height > self.container_size.height
        if not self.container_size or scrolls != self.show_vertical_scrollbar or size.width != self.virtual_size.width:
            self.virtual_size = size
            return
        self.set_reactive(LineTable.virtual_size, size)
        if scrolls:
            self.vertical_scrollbar.window_virtual_size = size.height
            if self.scroll_offset.y > self.max_scroll_y:
                self.scroll_to(y=self.max_scroll_y, animate=False)

    def _redraw_changed(self) -> None:
        """Draw the lines that read otherwise now: a slow link carries no others."""
        if self._settling:
            return
        if not self.is_mounted or self.scrollable_content_region.width <= 0:
            self.refresh()
            return
        for y in range(self.scrollable_content_region.height):
            if self._drawn.get(y) != self._line(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns; what they are called may depend on what is shown."""
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self._placed_in = -1
            self.refresh()

    def notify_style_update(self) -> None:
        """Other colours."""
        super().notify_style_update()
        self._forget_made()
        self._base = None

    @property
    def key(self) -> Hashable | None:
        """The row under the cursor; None where there is none."""
        return self._source.key(self.cursor) if self.cursor < len(self._source) else None

    def redraw_row(self, key: Hashable) -> None:
        """One row has changed."""
        index = self._source.index_of(key)
        self._made.clear()
        if index is not None:
            self.refresh_line(index + _HEAD_LINES)

    def visible_rows(self) -> range:
        """Indexes of the rows on the screen."""
        first = self.scroll_offset.y
        return range(first, min(first + self._page(), len(self._source)))

    def render_line(self, y: int) -> Strip:
        """The line at `y` of the screen."""
        strip = self._drawn[y] = self._line(y)
        return strip

    def _line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        self._place(width - _MARKER_COLUMNS)
        if self._base is None:
            self._base = self.rich_style
        if y == 0:
            heads = {placed.column.name: cell(placed.column.title) for placed in self._placed}
            return self._strip(heads, width, self.get_component_rich_style("table--head"), " ")
        index = self.scroll_offset.y + y - _HEAD_LINES
        if index >= len(self._source):
            if index == 0 and self._none:
                toned = tone_style(self, "dim", self._base)
                return Strip([Segment(fit(f"  {self._none}", width), toned)])
            return Strip.blank(width, self._base)
        under = index == self.cursor
        if (made := self._made.get((index, under))) is not None:
            return made.strip
        base = self.get_component_rich_style("table--cursor") if under else self._base
        cells = self._source.cells(index)
        if cells is None:
            self._ask_for_missing()
            return self._strip({self._placed[0].column.name: Cell("…", "dim")}, width, base, CURSOR if under else " ")
        key = self._source.key(index)
        made = self._before.get((key, under))
        if made is None or made.cells != cells:
            made = _Made(key, cells, self._strip(cells, width, base, CURSOR if under else " "))
        self._made[index, under] = made
        return made.strip

    def _forget_made(self) -> None:
        self._made.clear()
        self._before.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Keep the row in sight."""
        self.virtual_size = Size(self.size.width, len(self._source) + _HEAD_LINES)
        self._keep_in_sight()

    def on_click(self, event: events.Click) -> None:
        """The cursor goes to the row that was clicked."""
        if event.y >= _HEAD_LINES:
            self.move_to(self.scroll_offset.y + event.y - _HEAD_LINES)

    def watch_cursor(self, old: int, new: int) -> None:
        """Redraw the row it left and the one it is on, and tell of it."""
        self._keep_in_sight()
        self._redraw_changed()
        self.post_message(self.Moved(self.key))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw the lines that read otherwise now, which after rows have come above are none."""
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self._redraw_changed()

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, or on the nearest there is."""
        self.cursor = max(0, min(index, len(self._source) - 1))
        self._at = self.key

    def do_down(self, _: str = "") -> None:
        """Next row."""
        self.move_to(self.cursor + 1)

    def do_up(self, _: str = "") -> None:
        """Row before."""
        self.move_to(self.cursor - 1)

    def do_top(self, _: str = "") -> None:
        """First row."""
        self.move_to(0)

    def do_bottom(self, _: str = "") -> None:
        """Last row."""
        self.move_to(len(self._source) - 1)

    def do_page_down(self, _: str = "") -> None:
        """Half a screen down."""
        self.move_to(self.cursor + max(self._page() // 2, 1))

    def do_page_up(self, _: str = "") -> None:
        """Half a screen up."""
        self.move_to(self.cursor - max(self._page() // 2, 1))

    def _page(self) -> int:
        return max(self.scrollable_content_region.height - _HEAD_LINES, 1)

    def _keep_in_sight(self) -> None:
        first, page = self.scroll_offset.y, self._page()
        if self.cursor < first:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= first + page:
            self.scroll_to(y=self.cursor - page + 1, animate=False)

    def _place(self, width: int) -> None:
        """Columns come and go with the width, which a scrollbar changes too."""
        if width != self._placed_in:
            self._forget_made()
            self._placed_in = width
            self._placed = place(self._columns, width)

    def _ask_for_missing(self) -> None:
        rows = self.visible_rows()
        asked = (rows.start, rows.stop - 1)
        if asked != self._asked:
            self._asked = asked
            self.post_message(self.Missing(*asked))

    def _strip(self, cells: Mapping[str, Cell], width: int, base: Style, marker: str) -> Strip:
        segments = [Segment(f"{marker} ", base)]
        for at, placed in enumerate(self._placed):
            value = cells.get(placed.column.name, _BLANK)
            text = fit(value.text, placed.width, right=placed.column.right)
            gap = " " * GAP if at else ""
            # Reversed, a tone would be the background: the terminal's own colours go without it there.
            toned = base if base.reverse else tone_style(self, value.tone, base)
            segments.append(Segment(gap + text, toned))
        # Neighbours of one style are one piece: each piece costs 40 bytes of escapes.
        return Strip(segments).adjust_cell_length(width, base).simplify()
