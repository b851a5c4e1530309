"""What all screens share: the bars, `:` and `/`, help, saving, and the sentence for a screen that is too small."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from inspect import iscoroutine
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Resize, ScreenResume
from textual.screen import Screen
from textual.widget import AwaitMount
from textual.widgets import Static

from mlops_tui.commands import BY_ID, SCREENS, Argument, Command, Where, commands_of, find, typed_commands
from mlops_tui.completion import completions, near_to, told_of
from mlops_tui.dispatch import answer_of, bindings_of
from mlops_tui.view.cell import Cell
from mlops_tui.view.clean import clean
from mlops_tui.view.filter import Filter
from mlops_tui.view.link import Link, link_cell, link_sentence
from mlops_tui.view.roles import may
from mlops_tui.widgets.bars import StatusBar, TitleBar
from mlops_tui.widgets.command_bar import CommandBar, Purpose
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.about import About
    from mlops_tui.app import MlopsApp

SLOW_TICKS = 5
"""On a slow link ages go on every so many seconds."""
LEAST_COLUMNS, LEAST_LINES = 60, 15
BAR_TOLD = {
    "filter": "Only lines with all these words; /! those without. enter keeps it, esc clears it.",
    "find": "Marks these letters, all lines stay. enter keeps them, n and N jump, esc clears them.",
}
TOO_SMALL = f"Too small: give this window at least {LEAST_COLUMNS} columns and {LEAST_LINES} lines."


class LoopScreen(Screen[None]):
    """A screen between a title line and two lines of status."""

    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss"]

    AUTO_FOCUS = ""
    """Nothing needs the focus: keys belong to the screen. Only a line that is typed has it."""
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("lines")

    mode: ClassVar[str] = ""
    """Which of the eight it belongs to."""
    place: ClassVar[Where] = "everywhere"
    """Whose keys it has."""
    notes: ClassVar[Sequence[str]] = ()
    """What help tells of this screen beside its keys."""

    def __init__(self, subtitle: str = "", mode: str = "") -> None:
        super().__init__()
        self._subtitle = clean(subtitle)
        self._mode_id = mode or self.mode
        self.filter = Filter()
        self._ticks = 0

    @property
    def engine_app(self) -> MlopsApp:
        """The app, by its own type."""
        from mlops_tui.app import MlopsApp

        assert isinstance(self.app, MlopsApp)
        return self.app

    def compose(self) -> ComposeResult:
        """Title, body, status; the body is the subclass's."""
        names = [(BY_ID[one].key, BY_ID[one].title, BY_ID[one].short or BY_ID[one].title) for one in SCREENS]
        yield TitleBar(names, BY_ID[self._mode_id].title if self._mode_id else "", self._subtitle)
        yield Static(TOO_SMALL, id="too-small", markup=False)
        with Vertical(id="body"):
            yield from self.compose_body()
        key_of = self.engine_app.key_of
        hints = [(key_of(command), command.title) for command in self.hinted()]
        yield StatusBar(hints, whole=f" {key_of(BY_ID['error'])} shows it whole")
        yield CommandBar()

    def compose_body(self) -> Iterable[Any]:
        """What is between the bars."""
        return ()

    def hinted(self) -> list[Any]:
        """Commands whose keys stand at the bottom."""
        own = commands_of(self.place) if self.place != "everywhere" else ()
        leaves = "quit" if self.place in SCREENS else "back"
        shown = [command for command in (*own, *commands_of("everywhere")) if command.footer]
        return [BY_ID[leaves] if command.id == "quit" else command for command in shown]

    def on_mount(self) -> None:
        """Follow the state of the line to the engine."""
        self.watch(self.app, "link", self._link_changed)
        self.watch(self.app, "said", self._said_changed)
        self.watch(self.app, "caller", self._caller_changed)
        self.set_interval(1.0, self._tick_if_due)

    @on(Resize)
    @on(ScreenResume)
    def _fit(self) -> None:
        # Breakpoints of Textual are looked at on the screen in front only: one behind would miss a resize.
        columns, lines = self.app.size
        self.set_class(columns < LEAST_COLUMNS or lines < LEAST_LINES, "-too-small")

    def subject(self, takes: Argument) -> str:
        """What a command without an argument is about: the row under the cursor. Empty: nothing."""
        return ""

    def choices(self, takes: Argument) -> Sequence[str]:
        """Names that may follow a command on the `:` bar: on every screen those of the fleet."""
        return self.engine_app.fleet_names(takes)

    def shown_lines(self) -> list[str]:
        """What the screen shows, as text, for `:save`."""
        return []

    def filter_changed(self) -> None:
        """Show what passes `self.filter`."""

    def refresh_place(self) -> None:
        """Say where the cursor is; the subclass's."""

    def say(self, text: str, tone: Any = "plain") -> None:
        """A line at the bottom."""
        self.engine_app.say(text, tone)

    def do_command(self, _: str) -> None:
        """Open the `:` bar."""
        self._open_bar("command", "", self.engine_app.typed)

    def do_filter(self, text: str) -> None:
        """Open the `/` bar, or filter by what follows `:filter`."""
        if text:
            self._set_filter(text)
        else:
            self._open_bar("filter", self.filter.text, ())

    def do_help(self, _: str) -> AwaitMount:
        """The keys of this screen."""
        from mlops_tui.screens.help import HelpScreen

        return self.app.push_screen(HelpScreen(self.place, self._mode_id, self.notes, self.answered_here()))

    def do_back(self, _: str) -> AwaitComplete | None:
        """A filter is cleared first; then one level back."""
        if self.engine_app.said.tone == "bad":
            self.engine_app.said = Cell("")  # read, and out of the way
        if not self.filter.is_empty:
            self._set_filter("")
        elif len(self.app.screen_stack) > 1:
            return self.app.pop_screen()
        return None

    def do_save(self, file: str) -> None:
        """Write what is shown, as text."""
        if not file:
            self.say("Save where? :save FILE", "warn")
            return
        target, text = Path(file).expanduser(), "\n".join(self.shown_lines()) + "\n"

        def write(yes: bool | None) -> None:
            if yes:
                self._write(target, text)
            else:
                self.say("Not saved.")

        if target.is_file():
            from mlops_tui.screens.confirm import ConfirmScreen

            self.app.push_screen(ConfirmScreen(f"Write over {target.absolute()}?", f":save {file}"), write)
        else:
            write(True)

    def _write(self, target: Path, text: str) -> None:
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            self.say(f"✗ {target} cannot be written: {error.strerror}.", "bad")
        else:
            self.say(f"✓ {target.absolute()} is written.", "good")

    def main_pane(self) -> LineTable | LinePane | None:
        """The lines that the keys move over, also before they have the focus."""
        panes: list[LineTable | LinePane] = [*self.query(LineTable), *self.query(LinePane)]
        return next((pane for pane in panes if pane.display), None)

    def do_down(self, _: str) -> None:
        """Next line."""
        self._move("do_down")

    def do_up(self, _: str) -> None:
        """Line before."""
        self._move("do_up")

    def do_top(self, _: str) -> None:
        """First line."""
        self._move("do_top")

    def do_bottom(self, _: str) -> None:
        """Last line."""
        self._move("do_bottom")

    def do_page_down(self, _: str) -> None:
        """Half a screen down."""
        self._move("do_page_down")

    def do_page_up(self, _: str) -> None:
        """Half a screen up."""
        self._move("do_page_up")

    def _move(self, how: str) -> None:
        pane = self.main_pane()
        if pane is not None:
            getattr(pane, how)()

    def _open_bar(self, purpose: Purpose, text: str, history: Sequence[str]) -> None:
        bar = self.query_one(CommandBar)
        if purpose == "command":
            known = self.answered_here()
            offers = partial(completions, choices=self.choices, known=known)
            bar.open(purpose, text, offers, history, tells=partial(told_of, known=known))
        else:
            bar.open(purpose, text, lambda _: (), history, tells=lambda _: BAR_TOLD[purpose])

    @on(CommandBar.Left)
    def _bar_left(self, event: CommandBar.Left) -> None:
        if event.purpose == "filter":
            self._set_filter("")

    @on(CommandBar.Changed)
    def _bar_changed(self, event: CommandBar.Changed) -> None:
        if event.purpose == "filter":
            self._set_filter(event.text)

    @on(CommandBar.Entered)
    def _bar_entered(self, event: CommandBar.Entered) -> None:
        if event.purpose == "filter":
            self._set_filter(event.text)
        elif event.text and event.purpose == "command":
            self.engine_app.remember_typed(event.text)
            self._run_typed(event.text)

    def _run_typed(self, text: str) -> None:
        word, _, argument = text.partition(" ")
        command = find(word, self.answered_here()) or find(word)
        answer = None if command is None else answer_of(self, command.id)
        if command is None:
            near = near_to(word)
            meant = f"Did you mean :{near}?" if near else "? lists them, tab completes."
            self.say(f"✗ No command {word!r}. {meant}", "bad")
        elif answer is None:
            self.say(f"✗ {command.title} is nothing for this screen.", "bad")
        else:
            result = answer(argument.strip())
            if iscoroutine(result):
                self.app.run_worker(result, group="typed")  # of the app: this screen may be left by it

    def answered_here(self) -> list[Command]:
        """Commands that mean something here."""
        return [command for command in typed_commands() if answer_of(self, command.id) is not None]

    def none_passes(self) -> str:
        """What stands in a table without rows, where a filter may be why."""
        return "" if self.filter.is_empty else f"Nothing passes {self.filter.title}; esc shows all again."

    def _set_filter(self, text: str) -> None:
        self.filter = Filter(text)
        self.filter_changed()

    def _link_changed(self, link: Link) -> None:
        self.query_one(TitleBar).link = link_cell(link, self.now())
        self._said_changed(self.engine_app.said)

    def _caller_changed(self, caller: About | None) -> None:
        refused = frozenset(command.title for command in self.hinted() if not may(caller, command))
        self.query_one(StatusBar).refused = refused

    def _said_changed(self, said: Cell) -> None:
        gone = link_sentence(self.engine_app.link, self.now())
        not_done = f"{said.text} · " if said.tone == "bad" else "✗ "
        self.query_one(StatusBar).said = Cell(f"{not_done}{gone}", "bad") if gone else said

    def _tick_if_due(self) -> None:
        # Ages of seconds change a whole table each second: 12 KB that a slow link need not carry.
        self._ticks += 1
        if not self.engine_app.is_slow or self._ticks % SLOW_TICKS == 0:
            self._tick()

    def _tick(self) -> None:
        if self.is_current:
            self.engine_app.forget_said()
            self._link_changed(self.engine_app.link)

    def now(self) -> datetime:
        """This moment, as the app's clock has it."""
        return self.engine_app.now()
