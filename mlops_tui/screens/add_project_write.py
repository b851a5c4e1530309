"""Adding a project, last step: the mlops.toml as it will be written, and the command line that does the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import AwaitMount

from engine.errors import EngineError, InvalidInput
from mlops_tui.commands import BY_ID, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import FileWritten, LookFailed, ProjectAdded
from mlops_tui.project_place import check_place, is_there, write_project_file
from mlops_tui.screens.add_project_step import LookingStep
from mlops_tui.view.adding import Draft, Seen, project_file_lines
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.files import PROJECT_FILE
from mlops_tui.widgets.band import Band
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from engine.wire.looks import LookView
    from mlops_tui.adding import Guide


class WriteScreen(LookingStep):
    """What was said is checked against the data; then the file, to read."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("draft")
    place: ClassVar[Where] = "draft"

    def __init__(self, guide: Guide, mode: str, said: Draft) -> None:
        super().__init__(guide, mode, "add a project: read and write")
        self._said = said
        self._is_written = False
        self._is_busy = False

    def draft(self) -> Draft:
        """All that was said."""
        return self._said

    @property
    def _file(self) -> Path:
        return Path(self._said.folder) / PROJECT_FILE

    def compose_body(self) -> Iterable[Any]:
        """Where it goes, above the file."""
        yield Band(id="where")
        yield LinePane(id="file")
        yield LinePane(id="nothing")

    def on_mount(self) -> None:
        """Only one of the two panes is seen."""
        self.query_one("#file").display = False

    def show_rows(self) -> None:
        """There are none."""

    def cells(self, thing: Seen) -> dict[str, Cell]:
        """There are no rows."""
        return {}

    def looked(self, look: LookView) -> None:
        """The file."""
        pane = self.query_one("#file", LinePane)
        line = self._said.line(makes_folder=not Path(self._said.folder).is_dir())
        told = [cell(f"$ {line}", "busy"), Cell(""), *project_file_lines(look.project_file)]
        pane.set_lines(told)
        pane.display = True
        self._show_where()

    def _show_where(self) -> None:
        if self.look is None:
            return
        where = [cell(f"enter writes {self._file} and adds {self.look.name}; esc goes back.", "strong")]
        if is_there(self._file) and not self._is_written:
            where.append(Cell("! It is there already: you are asked before it is written over.", "warn"))
        self.band(where)

    def on_resize(self) -> None:
        """As wide as there is room."""
        self._show_where()

    def refresh_place(self) -> None:
        """Nothing is counted."""
        self.query_one(StatusBar).place = self.filter.title

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one("#file", LinePane).set_filter(self.filter)
        self.refresh_place()

    def do_write(self, _: str) -> AwaitMount | None:
        """Write the file and add the project; over a file that is there only after a yes."""
        command = BY_ID["add"]
        if self.look is None or self._is_busy or not self._may(command, self._said.folder):
            return None
        if self._is_written:
            self._begin(force=True)
            return None
        if not is_there(self._file):
            self._begin(force=False)
            return None
        from mlops_tui.screens.confirm import ConfirmScreen

        question = f"Write over {self._file}? What it says now is lost."
        line = f"{self._said.line().partition(' && ')[0]} --force"
        return self.app.push_screen(ConfirmScreen(question, line), self._answered)

    def _answered(self, yes: bool | None) -> None:
        if yes:
            self._begin(force=True)
        else:
            self.say("Not written.")

    def _begin(self, *, force: bool) -> None:
        self._is_busy = True
        self.say(f"$ {self._said.line()} …", "busy")
        text = self.look.project_file if self.look is not None else ""
        self.run_worker(self._write_and_add(text, force), group="add", exclusive=True)

    async def _write_and_add(self, text: str, force: bool) -> None:
        try:
            await asyncio.to_thread(_write, self._file, text, force)
        except EngineError as error:
            self.post_message(LookFailed(error))
            return
        self.post_message(FileWritten())
        await self.add(self._said.folder)

    @on(FileWritten)
    def _file_written(self) -> None:
        self._is_written = True
        self._show_where()

    @on(LookFailed)
    def failed(self, message: LookFailed) -> None:
        """It may be tried again."""
        self._is_busy = False
        super().failed(message)

    @on(ProjectAdded)
    def _mine_added(self) -> None:
        self._is_busy = False
        self.guide.forget(self._said.data)

    def do_copy(self, _: str) -> None:
        """The file."""
        if self.look is not None:
            self.engine_app.send_to_clipboard(self.look.project_file)

    def shown_lines(self) -> list[str]:
        """The file as text."""
        return self.look.project_file.splitlines() if self.look is not None else []

    def subject_lines(self) -> Sequence[Cell]:
        """What is read."""
        return self.query_one("#file", LinePane).lines


def _write(file: Path, text: str, force: bool) -> None:
    """As `mlops init` does, in a folder that is made if it is not there. Raises `EngineError`."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"The folder {file.parent} cannot be made: {error.strerror}.", "esc, then F: choose another folder."
        ) from error
    check_place(file.parent, file, force)
    write_project_file(file, text, force)
