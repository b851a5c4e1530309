"""One check of the past: what it found, and how far each column was from the training data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import AwaitMount
from textual.widgets import Static

from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import CheckRead
from mlops_tui.screens.listed import ListedScreen
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.monitoring import check_lines
from mlops_tui.view.monitoring_rows import COLUMN_COLUMNS, ColumnNow, columns_of, texts
from mlops_tui.widgets.bars import painted

if TYPE_CHECKING:
    from engine.wire.monitoring import CheckView


class CheckScreen(ListedScreen[ColumnNow]):
    """Its columns, those that drifted first."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("check")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "monitoring.tcss"]
    place: ClassVar[Where] = "check"
    columns = COLUMN_COLUMNS

    def __init__(self, model: str, check_id: int, mode: str) -> None:
        super().__init__(f"check {check_id} of {model}", mode)
        self._model, self._check_id = model, check_id
        self._check: CheckView | None = None

    def compose_body(self) -> Iterable[Any]:
        """What it found, above its columns."""
        yield Static(f"Reading check {self._check_id} …", id="head", markup=False)
        yield from super().compose_body()

    async def ask(self) -> Sequence[ColumnNow]:
        """The check with its figures."""
        check = await self.engine_app.engine.check_of(self._model, self._check_id)
        self.post_message(CheckRead(check))
        return columns_of(check)

    @on(CheckRead)
    def _check_read(self, message: CheckRead) -> None:
        self._check = message.check
        lines = [painted(cell(line.text, line.tone)) for line in check_lines(message.check)]
        self.query_one("#head", Static).update(Content("\n").join(lines))

    def key(self, thing: ColumnNow) -> tuple[bool, str]:
        """Answers may bear the name of a column."""
        return thing.figures.kind == "prediction", thing.figures.column

    def cells(self, thing: ColumnNow) -> Mapping[str, Cell]:
        """A column's row."""
        return thing.row

    def words(self, thing: ColumnNow) -> str:
        """What a filter looks through."""
        return texts(thing.row)

    def nothing(self) -> Sequence[Cell]:
        """Too few rows were there."""
        return [Cell("It looked at no column: too few rows were there to judge by.")]

    def subject(self, takes: Argument) -> str:
        """Of the model; a job is the check's own."""
        if takes == "job":
            return "" if self._check is None else str(self._check.job_id)
        return self._model if takes in ("model", "version", "thing") else ""

    def do_open(self, _: str) -> AwaitMount | None:
        """All of the column under the cursor."""
        return self.do_describe("")

    def do_describe(self, _: str) -> AwaitMount | None:
        """All figures of the column, and of the check."""
        from mlops_tui.screens.describe import DescribeScreen

        row, check = self.current(), self._check
        if check is None:
            return None
        facts = [] if row is None else list(row.row.items())
        facts += [("check", cell(line.text.strip(), line.tone)) for line in check_lines(check)]
        return self.app.push_screen(DescribeScreen(f"check {self._check_id}", facts, self._mode_id))

    def as_json(self, thing: ColumnNow) -> str:
        """The column's figures."""
        return thing.figures.model_dump_json(indent=2)
