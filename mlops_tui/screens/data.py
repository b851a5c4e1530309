"""6 Data: the snapshots of all data, or of one model's; enter opens one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.widget import AwaitMount

from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EventCame
from mlops_tui.screens.numbered import NumberedScreen
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.snapshots import SNAPSHOT_COLUMNS, snapshot_cells, snapshot_page, snapshot_words

if TYPE_CHECKING:
    from engine.wire.runs import SnapshotView

_NOTHING = (
    Cell("No data has been looked at yet.", "strong"),
    Cell("A training begins with a snapshot of the data: `mlops train NAME`, or :train NAME here."),
)


class DataScreen(NumberedScreen["SnapshotView"]):
    """The list, of any length, of all models or narrowed to one."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("data")
    mode = "data"
    place: ClassVar[Where] = "data"
    columns = SNAPSHOT_COLUMNS
    noun = "snapshot"

    async def ask(self, limit: int, before: int | None) -> tuple[Sequence[SnapshotView], int | None]:
        """A page of snapshots."""
        page = await self.engine_app.engine.snapshots(self.about or None, limit=limit, before=before)
        return page.snapshots, page.next_before

    def cells(self, thing: SnapshotView) -> Mapping[str, Cell]:
        """A snapshot's row."""
        return snapshot_cells(thing, self.now())

    def words(self, thing: SnapshotView) -> str:
        """What a filter looks through, names of columns among it."""
        return snapshot_words(thing)

    def nothing(self) -> Sequence[Cell]:
        """How a first snapshot comes to be."""
        if self.about:
            return [
                cell(f"No data of {self.about} yet.", "strong"),
                cell(f":train {self.about} takes a snapshot first."),
            ]
        return _NOTHING

    def spoiled(self, message: EventCame) -> Iterable[int]:
        """The snapshot that an event names; a failed training may have found rows that break a rule."""
        told = message.event.evidence.get("snapshot")
        if isinstance(told, int):
            return [told]
        if message.event.verb == "job.failed":
            return [one.id for one in self.pages.all_here() if one.project == message.event.project]
        return ()

    def subject(self, takes: Argument) -> str:
        """Of the snapshot under the cursor."""
        snapshot = self.current()
        if snapshot is None:
            return ""
        if takes == "thing":
            return f"snapshot {snapshot.id}"
        return snapshot.project if takes == "model" else ""

    def do_open(self, _: str) -> AwaitMount | None:
        """Its columns."""
        snapshot = self.current()
        return None if snapshot is None else self.open_snapshot(snapshot.id)

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one snapshot."""
        from mlops_tui.screens.describe import DescribeScreen

        snapshot = self.current()
        if snapshot is None:
            return None
        self.say(f"$ mlops show snapshot {snapshot.id}")
        subjects: dict[Argument, str] = {"model": snapshot.project}
        facts = snapshot_page(snapshot, self.now())
        return self.app.push_screen(DescribeScreen(f"snapshot {snapshot.id}", facts, self.mode, subjects))
