"""Adding a project, second step: which column is to be learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.widget import AwaitMount

from mlops_tui.commands import Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.screens.add_project_step import LookingStep
from mlops_tui.view.adding import TARGET_COLUMNS, Draft, Seen, place_for, target_cells, target_facts
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.figures import several
from mlops_tui.view.files import Listing
from mlops_tui.widgets.band import Band

if TYPE_CHECKING:
    from engine.wire.looks import LookView
    from mlops_tui.adding import Guide


class TargetScreen(LookingStep):
    """The columns of the data, with what learning each would be."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("target")
    place: ClassVar[Where] = "target"
    columns = TARGET_COLUMNS
    orders: Mapping[str, Callable[[Seen], Any] | None] = {
        "as in the data": None,
        "what can be learnt first": lambda one: one.get("task") is None,
        "fewest values first": lambda one: int(one.get("distinct") or 0),
        "by name": lambda one: str(one["name"]).casefold(),
    }
    notes: ClassVar[Sequence[str]] = ("The target is the column that the model shall tell for new rows.",)

    def __init__(self, guide: Guide, mode: str, data: str) -> None:
        super().__init__(guide, mode, "add a project: choose the target")
        self._data = data

    def compose_body(self) -> Iterable[Any]:
        """What is asked, above the columns."""
        yield Band(id="asked")
        yield from super().compose_body()

    def draft(self) -> Draft:
        """Nothing is said yet."""
        return Draft(self._data, str(Path(self._data).parent))

    def looked(self, look: LookView) -> None:
        """The columns."""
        super().looked(look)
        self._show_asked()

    def _show_asked(self) -> None:
        if self.look is not None:
            seen = f"{several(self.look.rows, 'row')}, {several(len(self.look.columns), 'column')}"
            self.band(
                [
                    Cell("Which column shall the model tell? enter chooses it.", "strong"),
                    cell(f"{self._data}: {seen}", "dim"),
                ]
            )

    def on_resize(self) -> None:
        """As wide as there is room."""
        self._show_asked()

    def cells(self, thing: Seen) -> Mapping[str, Cell]:
        """A column's row."""
        return target_cells(thing)

    def do_open(self, _: str) -> AwaitMount | None:
        """That one it is; what was said of it before is still said."""
        from mlops_tui.screens.add_project_preview import PreviewScreen

        chosen = self.current()
        if chosen is None or self.look is None:
            return None
        name = str(chosen["name"])
        if not chosen.get("task"):
            self.say(f"✗ {name} cannot be learnt: {chosen.get('why')}.", "bad")
            return None
        key = (self._data, name)
        if key not in self.guide.drafts:
            listing = self.guide.listing or Listing(str(Path(self._data).parent), (), 1)
            folder = place_for(listing, self.look.name, Path.home())
            self.guide.drafts[key] = Draft(self._data, folder, name)
        return self.app.push_screen(PreviewScreen(self.guide, self._mode_id, key))

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one column."""
        from mlops_tui.screens.describe import DescribeScreen

        column = self.current()
        if column is None:
            return None
        return self.app.push_screen(DescribeScreen(str(column["name"]), target_facts(column), self._mode_id))
