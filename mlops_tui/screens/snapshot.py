"""One snapshot: what it holds, its columns, what changed since the one before, and rows that break what is expected."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import AwaitMount
from textual.widgets import Static

from engine.errors import EngineError, Unavailable
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EventCame, SnapshotRead
from mlops_tui.screens.listed import ListedScreen
from mlops_tui.view.cell import Cell
from mlops_tui.view.schema import SCHEMA_COLUMNS, SCHEMA_ORDERS, ColumnRow, column_cells, column_facts, column_rows
from mlops_tui.view.schema import column_words as words_of_column
from mlops_tui.view.snapshots import failure_facts, snapshot_head, snapshot_page
from mlops_tui.widgets.bars import painted

if TYPE_CHECKING:
    from engine.wire.runs import SnapshotProfile, SnapshotView


class SnapshotScreen(ListedScreen[ColumnRow]):
    """Its columns, those that ask for a look first."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("snapshot")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "snapshot.tcss"]
    place: ClassVar[Where] = "snapshot"
    columns = SCHEMA_COLUMNS
    orders: Mapping[str, Callable[[ColumnRow], Any] | None] = SCHEMA_ORDERS

    def __init__(self, snapshot_id: int, mode: str) -> None:
        super().__init__(f"snapshot {snapshot_id}", mode)
        self._snapshot_id = snapshot_id
        self._read_of: SnapshotRead | None = None

    def compose_body(self) -> Iterable[Any]:
        """What it holds, above its columns."""
        yield Static(f"Reading snapshot {self._snapshot_id} …", id="head", markup=False)
        yield from super().compose_body()

    async def ask(self) -> Sequence[ColumnRow]:
        """The snapshot, the one before it, and both profiles."""
        engine = self.engine_app.engine
        snapshot = await engine.snapshot(self._snapshot_id)
        older = (await engine.snapshots(snapshot.project, limit=1, before=self._snapshot_id)).snapshots
        before = older[0] if older else None
        profile = await self._profile(snapshot)
        profile_before = await self._profile(before) if before is not None else None
        self.post_message(SnapshotRead(snapshot, profile, before, profile_before))
        return column_rows(snapshot, profile, before, profile_before)

    async def _profile(self, snapshot: SnapshotView) -> SnapshotProfile | None:
        """None where it cannot be read, which is told: the schema is worth seeing without."""
        try:
            return await self.engine_app.engine.snapshot_profile(snapshot.id)
        except Unavailable:
            raise
        except EngineError as error:
            self.engine_app.tell_failure(error)
            return None

    @on(SnapshotRead)
    def _snapshot_read(self, message: SnapshotRead) -> None:
        self._read_of = message
        self._show_head()

    def show_rows(self) -> None:
        """With what stands above them, which counts them."""
        super().show_rows()
        self._show_head()

    def _show_head(self) -> None:
        read = self._read_of
        if read is not None:
            most = max(self.size.height // 6 - 1, 1)
            lines = snapshot_head(read.snapshot, read.before, self.things or [], self.now(), most)
            self.query_one("#head", Static).update(Content("\n").join([painted(line) for line in lines]))

    def on_resize(self) -> None:
        """As much as there is room for."""
        self._show_head()

    def concerns(self, message: EventCame) -> bool:
        """An event about its project's data; what rows break may change with what is expected."""
        read = self._read_of
        return read is None or message.event.project == read.snapshot.project

    def key(self, thing: ColumnRow) -> str:
        """Its name."""
        return thing.name

    def cells(self, thing: ColumnRow) -> Mapping[str, Cell]:
        """A column's row."""
        return column_cells(thing)

    def words(self, thing: ColumnRow) -> str:
        """What a filter looks through."""
        return words_of_column(thing)

    def nothing(self) -> Sequence[Cell]:
        """A file without columns is refused before it is a snapshot."""
        return [Cell("It has no columns.")]

    def subject(self, takes: Argument) -> str:
        """Of this snapshot."""
        if takes == "thing":
            return f"snapshot {self._snapshot_id}"
        return self._read_of.snapshot.project if takes == "model" and self._read_of is not None else ""

    def do_open(self, _: str) -> AwaitMount | None:
        """All of the column under the cursor, with rows that break a rule of it."""
        from mlops_tui.screens.describe import DescribeScreen

        row = self.current()
        if row is None:
            return None
        facts = column_facts(row)
        broken = [fact for failure in row.failures for fact in failure_facts(failure)]
        title = f"snapshot {self._snapshot_id}: {row.name}"
        return self.app.push_screen(DescribeScreen(title, [*facts[:1], *broken, *facts[1:]], self._mode_id))

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of the snapshot, each broken rule with its rows."""
        from mlops_tui.screens.describe import DescribeScreen

        if self._read_of is None:
            return None
        self.say(f"$ mlops show snapshot {self._snapshot_id}")
        facts = snapshot_page(self._read_of.snapshot, self.now())
        return self.app.push_screen(DescribeScreen(f"snapshot {self._snapshot_id}", facts, self._mode_id))

    def as_json(self, thing: ColumnRow) -> str:
        """The column."""
        told = asdict(thing) | {"profile": thing.profile.model_dump(mode="json") if thing.profile else None}
        return json.dumps(told, indent=2)
