"""Adding a project, third step: what was seen, and what you know better."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.widget import AwaitMount

from mlops_tui.cli.names import is_name
from mlops_tui.commands import Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.project_place import is_there
from mlops_tui.screens.add_project_step import LookingStep
from mlops_tui.view.adding import (
    PREVIEW_COLUMNS,
    Draft,
    Seen,
    changed_fields,
    preview_cells,
    preview_facts,
    role_now,
    settings_lines,
    tasks_for,
    with_role,
)
from mlops_tui.view.cell import Cell
from mlops_tui.view.figures import several
from mlops_tui.view.files import PROJECT_FILE
from mlops_tui.widgets.band import Band
from mlops_tui.widgets.bars import StatusBar

if TYPE_CHECKING:
    from engine.wire.looks import LookView
    from mlops_tui.adding import Guide


class PreviewScreen(LookingStep):
    """The project as it would be. Nothing is written here."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("preview")
    place: ClassVar[Where] = "preview"
    columns = PREVIEW_COLUMNS
    orders: Mapping[str, Callable[[Seen], Any] | None] = {"as in the data": None}
    notes: ClassVar[Sequence[str]] = (
        "✎ stands beside what you have said; the same key again takes it back.",
        "A worker checks it against the data before you see the file that would be written.",
    )

    def __init__(self, guide: Guide, mode: str, key: tuple[str, str]) -> None:
        super().__init__(guide, mode, "add a project: correct what was seen")
        self._key = key
        self._seen = guide.drafts[key].as_seen()

    @property
    def said(self) -> Draft:
        """What is said now."""
        return self.guide.drafts[self._key]

    def draft(self) -> Draft:
        """What is looked at: nothing said, so that what was seen can be told from what was said."""
        return self._seen

    def compose_body(self) -> Iterable[Any]:
        """The project's settings, above its columns."""
        yield Band(id="settings")
        yield from super().compose_body()

    def looked(self, look: LookView) -> None:
        """The settings and the columns."""
        super().looked(look)
        self._show_said()

    def say_so(self, draft: Draft) -> None:
        """Something else is said."""
        self.guide.drafts[self._key] = draft
        self._show_said()
        self.show_rows()

    def _show_said(self) -> None:
        if self.look is not None:
            there = is_there(Path(self.said.folder) / PROJECT_FILE)
            self.band(settings_lines(self.look, self.said, is_there=there, width=self.size.width - 2))

    def on_resize(self) -> None:
        """As wide as there is room."""
        self._show_said()

    def refresh_place(self) -> None:
        """How much is said otherwise than it was seen."""
        super().refresh_place()
        changes = changed_fields(self.said)
        if changes:
            bar = self.query_one(StatusBar)
            bar.place = f"{bar.place}  ✎ {several(changes, 'change')}"

    def cells(self, thing: Seen) -> Mapping[str, Cell]:
        """A column's row."""
        return preview_cells(thing, self.said)

    def words(self, thing: Seen) -> str:
        """What a filter looks through."""
        return f"{super().words(thing)} {role_now(thing, self.said)[0]}"

    def _turn(self, role: str) -> None:
        column = self.current()
        if column is None:
            return
        said = with_role(self.said, self.things or (), str(column["name"]), role)
        if isinstance(said, str):
            self.say(f"✗ {said}", "bad")
        else:
            self.say_so(said)

    def do_use_column(self, _: str) -> None:
        """A feature, or none."""
        self._turn("feature")

    def do_id_column(self, _: str) -> None:
        """It tells one row from the others."""
        self._turn("id")

    def do_time_column(self, _: str) -> None:
        """It tells when a row happened."""
        self._turn("time")

    def do_task(self, argument: str) -> None:
        """Another task that the target can have."""
        target = self.row_of(self.said.target)
        if self.look is None or target is None:
            return
        fitting = tasks_for(str(target.get("type")), int(target.get("distinct") or 0))
        now = self.said.task or self.look.task
        if argument and argument not in fitting:
            self.say(f"✗ {self.said.target} can be: {', '.join(fitting)}.", "bad")
        elif len(fitting) < 2 and not argument:
            self.say(f"{self.said.target} can only be {now}: it holds {target.get('seen')}.", "warn")
        else:
            chosen = argument or fitting[(fitting.index(now) + 1 if now in fitting else 0) % len(fitting)]
            positive = self.said.positive if chosen == "binary" else None
            said = replace(self.said, task=None if chosen == self.look.task else chosen, positive=positive)
            self.say_so(said)

    def do_positive(self, argument: str) -> None:
        """The other value."""
        if self.look is None:
            return
        if (self.said.task or self.look.task) != "binary":
            self.say("Only a binary task has a positive value.", "warn")
        elif argument and argument not in self.look.values:
            self.say(f"✗ {self.said.target} holds {' and '.join(self.look.values)}.", "bad")
        else:
            now = self.said.positive or self.look.positive
            chosen = argument or next((one for one in self.look.values if one != now), None)
            self.say_so(replace(self.said, positive=None if chosen == self.look.positive else chosen))

    def do_name(self, argument: str) -> AwaitMount | None:
        """Another name."""
        if self.look is None:
            return None
        if argument:
            self._take_name(argument)
            return None
        from mlops_tui.screens.add_project_said import SaidScreen

        asked = SaidScreen(
            "The project's name",
            self.said.name or self.look.name,
            "a-z, 0-9 and -, as in house-prices",
            refusal=_why_no_name,
        )
        return self.app.push_screen(asked, self._take_name)

    def _take_name(self, name: str | None) -> None:
        if name is None or self.look is None:
            return
        if why := _why_no_name(name):
            self.say(f"✗ {why}", "bad")
            return
        old = self.said.name or self.look.name
        folder = self.said.folder
        if Path(folder).name == old:  # a folder of its own is named after it
            folder = str(Path(folder).with_name(name))
        self.say_so(replace(self.said, name=None if name == self.look.name else name, folder=folder))

    def do_folder(self, argument: str) -> AwaitMount | None:
        """Another place for mlops.toml."""
        if argument:
            self._take_folder(argument)
            return None
        from mlops_tui.screens.add_project_said import SaidScreen

        told = "where mlops.toml goes; it is made if it is not there. All that lies in it is stored as code."
        asked = SaidScreen("The project's folder", self.said.folder, told, refusal=self._why_no_folder)
        return self.app.push_screen(asked, self._take_folder)

    def _take_folder(self, folder: str | None) -> None:
        if folder is None:
            return
        if why := self._why_no_folder(folder):
            self.say(f"✗ {why}", "bad")
        else:
            self.say_so(replace(self.said, folder=str(self._place(folder))))

    def _place(self, folder: str) -> Path:
        place = Path(folder).expanduser()
        return place if place.is_absolute() else self.guide.folder / place

    def _why_no_folder(self, folder: str) -> str:
        try:
            place = self._place(folder)
            return f"{place} is a file." if place.exists() and not place.is_dir() else ""
        except (OSError, RuntimeError) as error:  # too long, not to be read, or ~ of nobody
            return f"{folder[:60]} is no place for a folder: {getattr(error, 'strerror', None) or error}."

    def do_proceed(self, _: str) -> AwaitMount | None:
        """The file that would be written."""
        from mlops_tui.screens.add_project_write import WriteScreen

        if self.look is None:
            return None
        return self.app.push_screen(WriteScreen(self.guide, self._mode_id, self.said))

    def do_copy(self, _: str) -> None:
        """The command line that does the same."""
        self.engine_app.send_to_clipboard(self.said.line())

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one column."""
        from mlops_tui.screens.describe import DescribeScreen

        column = self.current()
        if column is None:
            return None
        facts = preview_facts(column, self.said)
        return self.app.push_screen(DescribeScreen(str(column["name"]), facts, self._mode_id))


def _why_no_name(name: str) -> str:
    """Why a project cannot be called that; empty: it can."""
    return "" if is_name(name) else f"{name[:60]!r} is no name: 1 to 40 of a-z, 0-9 and -, beginning with a letter."
