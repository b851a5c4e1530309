"""Adding a project, first step: a file of data, or a folder that is a project already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import AwaitMount

from engine.errors import EngineError
from mlops_tui.commands import BY_ID, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.folder_listing import list_folder
from mlops_tui.messages import FolderRead, ProjectAdded
from mlops_tui.screens.add_project_step import GuideStep
from mlops_tui.view.cell import Cell
from mlops_tui.view.clean import clean
from mlops_tui.view.files import FILE_COLUMNS, Entry, Listing, file_cells, file_facts, folder_lines, nothing_lines
from mlops_tui.widgets.band import Band
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from mlops_tui.adding import Guide


def _newest(entry: Entry) -> tuple[bool, float]:
    return (not entry.is_folder, -(entry.changed_at.timestamp() if entry.changed_at else 0.0))


def _largest(entry: Entry) -> tuple[bool, int]:
    return (not entry.is_folder, -entry.size_bytes)


class PickScreen(GuideStep[Entry]):
    """The folders and files of the server."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("pick")
    place: ClassVar[Where] = "pick"
    columns = FILE_COLUMNS
    orders: Mapping[str, Callable[[Entry], Any] | None] = {
        "by name": None, "newest first": _newest, "largest first": _largest
    }  # fmt: skip
    notes: ClassVar[Sequence[str]] = (
        "A file of data becomes a project in three steps: file, target, what was seen.",
        "Nothing is written before you have read it.",
    )

    def __init__(self, guide: Guide, mode: str) -> None:
        super().__init__(guide, mode, "add a project: choose data")
        self._listing: Listing | None = None
        self._shown: tuple[object, list[Entry]] | None = None

    def compose_body(self) -> Iterable[Any]:
        """Where one is, and what is there."""
        yield Band(id="where")
        yield from super().compose_body()

    def on_mount(self) -> None:
        """Files are here whether or not there is an engine."""
        if not self._began:
            self._began = True
            self._begin_reading()

    def _begin_reading(self) -> None:
        self._waiting = False
        self._go(self.guide.folder)

    def _go(self, folder: Path, came_from: str = "") -> None:
        self.run_worker(self._list(folder, came_from, self.guide.hidden), group="list", exclusive=True)

    async def _list(self, folder: Path, came_from: str, hidden: bool) -> None:
        try:
            listing = await asyncio.to_thread(list_folder, folder, hidden)
        except EngineError as error:
            self.engine_app.tell_failure(error)
        else:
            self.post_message(FolderRead(listing, came_from))

    @on(FolderRead)
    def _folder_read(self, message: FolderRead) -> None:
        moved = self._listing is None or self._listing.folder != message.listing.folder
        self._listing = self.guide.listing = message.listing
        self.guide.folder = Path(message.listing.folder)
        self.things = list(message.listing.entries)
        if moved and not self.filter.is_empty:
            self._set_filter("")
        self.show_rows()
        if moved:
            self.query_one(LineTable).move_to(self._index_of(message.came_from))
        self._show_where()

    def _index_of(self, name: str) -> int:
        return next((at for at, entry in enumerate(self.rows()) if entry.name == name), 0)

    def _show_where(self) -> None:
        if self._listing is not None:
            self.query_one(Band).show(folder_lines(self._listing, self.guide.hidden), max(self.size.width - 2, 1))

    def on_resize(self) -> None:
        """As wide as there is room."""
        self._show_where()

    async def ask(self) -> Sequence[Entry]:
        """What is here."""
        return self.things or ()

    def rows(self) -> list[Entry]:
        """What passes the filter, in order; worked out once, for a folder may hold 100,000 files."""
        about = (id(self.things), self.filter, self.order)
        if self._shown is None or self._shown[0] != about:
            self._shown = (about, super().rows())
        return self._shown[1]

    def current(self) -> Entry | None:
        """The one under the cursor."""
        at, rows = self.query_one(LineTable).cursor, self.rows()
        return rows[at] if at < len(rows) else None

    def key(self, thing: Entry) -> Hashable:
        """Its name."""
        return thing.name

    def cells(self, thing: Entry) -> Mapping[str, Cell]:
        """A row."""
        return file_cells(thing, self.now())

    def words(self, thing: Entry) -> str:
        """What a filter looks through."""
        return thing.name.lower()

    def nothing(self) -> Sequence[Cell]:
        """Where else to look."""
        return nothing_lines(self._listing)

    def do_open(self, _: str) -> AwaitMount | None:
        """Into a folder; a file of data is looked at; a project's file is added."""
        entry = self.current()
        if entry is None or self._listing is None:
            return None
        path = self.guide.folder / entry.name
        if entry.is_nameless:
            self.say("✗ Its name is no UTF-8, so no project file can hold it: rename it first.", "bad")
        elif entry.is_closed:
            self.say(f"✗ {path} may not be read by {_who(self)}: look at its permissions.", "bad")
        elif entry.is_folder:
            self._go(path)
        elif entry.is_project_file:
            self.add_folder(str(self.guide.folder))
        else:
            return self.open_data(str(path))
        return None

    def add_folder(self, folder: str) -> None:
        """A project is there already: just add it."""
        command = BY_ID["add"]
        if self._may(command, folder):
            self.say(f"$ mlops add {folder} …", "busy")
            self.run_worker(self.add(folder), group="add", exclusive=True)

    @on(ProjectAdded)
    def _folder_added(self) -> None:
        # What is added next lies beside it more often than in it.
        self.guide.folder = self.guide.folder.parent

    def open_data(self, data: str) -> AwaitMount | None:
        """The next step."""
        from mlops_tui.screens.add_project_target import TargetScreen

        if not self._may(BY_ID["add"], data):
            return None
        return self.app.push_screen(TargetScreen(self.guide, self._mode_id, data))

    def do_above(self, _: str) -> None:
        """The folder around this one."""
        here = self.guide.folder
        if here.parent != here:
            self._go(here.parent, here.name)

    def do_hidden(self, _: str) -> None:
        """Show hidden files, or not."""
        self.guide.hidden = not self.guide.hidden
        self._go(self.guide.folder)

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one row."""
        from mlops_tui.screens.describe import DescribeScreen

        entry = self.current()
        if entry is None:
            return None
        facts = file_facts(entry, str(self.guide.folder), self.now())
        return self.app.push_screen(DescribeScreen(entry.name, facts, self._mode_id))

    def as_json(self, thing: Entry) -> str:
        """Its path."""
        return clean(str(self.guide.folder / thing.name), longest=4096)

    def do_add(self, argument: str) -> AwaitMount | None:
        """It is open already; `:add PATH` goes there."""
        wanted = self.guide.path(argument)
        if argument and not wanted.is_dir():
            return super().do_add(argument)
        self._go(wanted)
        return None


def _who(screen: PickScreen) -> str:
    caller = screen.engine_app.caller
    return "you" if caller is None else clean(caller.user, longest=40)
