"""The terminal: joins the feed, the screens and the table of commands."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from inspect import isawaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import AwaitMount
from textual.widgets import Input

from engine.errors import EngineError, EngineUnreachable, VersionMismatch
from engine.settings import Home
from mlops_tui.commands import Argument, Command, typed_commands
from mlops_tui.dispatch import answer_of, bindings_of
from mlops_tui.feed import Feed
from mlops_tui.keymap import OwnKeys, read_keys
from mlops_tui.messages import (
    ActionDone,
    ActionFailed,
    CallerKnown,
    EngineFound,
    EngineLost,
    EventCame,
    ProgressCame,
    Verified,
)
from mlops_tui.screens.base import LoopScreen
from mlops_tui.screens.fleet import FleetScreen
from mlops_tui.themes import NAMES, THEMES, theme_for
from mlops_tui.verifying import Verifying
from mlops_tui.view.cell import Cell, Tone
from mlops_tui.view.clean import clean
from mlops_tui.view.endings import Begun
from mlops_tui.view.link import Link
from mlops_tui.view.times import utc_now
from mlops_tui.view.trouble import Trouble, with_trouble

if TYPE_CHECKING:
    from engine.client import AsyncEngineClient
    from engine.wire.about import About
    from mlops_tui.adding import Guide

QUICK_PACE_S, SLOW_PACE_S = 0.15, 1.0
"""How long news is gathered before a screen asks for more and redraws."""
MOST_TYPED = 100
SAID_FOR_S = 15.0


def _runs_screen() -> Screen[Any]:
    from mlops_tui.screens.runs import RunsScreen

    return RunsScreen()


def _models_screen() -> Screen[Any]:
    from mlops_tui.screens.models import ModelsScreen

    return ModelsScreen()


def _data_screen() -> Screen[Any]:
    from mlops_tui.screens.data import DataScreen

    return DataScreen()


def _jobs_screen() -> Screen[Any]:
    from mlops_tui.screens.jobs import JobsScreen

    return JobsScreen()


def _deployments_screen() -> Screen[Any]:
    from mlops_tui.screens.deployments import DeploymentsScreen

    return DeploymentsScreen()


def _audit_screen() -> Screen[Any]:
    from mlops_tui.screens.audit import AuditScreen

    return AuditScreen()


def _monitoring_screen() -> Screen[Any]:
    from mlops_tui.screens.monitoring import MonitoringScreen

    return MonitoringScreen()


class MlopsApp(App[None]):
    """One client of the engine, drawn."""

    TITLE = "mlops"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("everywhere"),
        Binding("ctrl+c", "say_how_to_leave", show=False, priority=True),
    ]
    MODES: ClassVar[dict[str, Any]] = {
        "fleet": FleetScreen,
        "deployments": _deployments_screen,
        "runs": _runs_screen,
        "models": _models_screen,
        "data": _data_screen,
        "jobs": _jobs_screen,
        "audit": _audit_screen,
        "monitoring": _monitoring_screen,
    }
    ENABLE_COMMAND_PALETTE = True
    # Terminals do not agree on how wide the palette's sign is, and a line that shifts stays shifted.
    CSS = """
    CommandPalette SearchIcon { display: none; }
    Input > .input--placeholder { color: $dim; text-style: italic; }
    Input:ansi > .input--placeholder { color: ansi_default; text-style: dim italic; }
    """

    link: reactive[Link] = reactive(Link())
    said: reactive[Cell] = reactive(Cell(""))
    caller: reactive[About | None] = reactive(None)
    """As whom the engine sees whoever sits here; None: not asked yet."""

    def __init__(
        self,
        home: Home,
        *,
        engine: AsyncEngineClient | None = None,
        clock: Callable[[], datetime] = utc_now,
        slow: bool | None = None,
        keys: Path | None = None,
    ) -> None:
        # The terminal's own colours are the ones that Textual can leave out whole; others it would turn to grey.
        plain = bool(os.environ.get("NO_COLOR"))
        super().__init__(ansi_color=True if plain else None)
        self.home = home
        self.now = clock
        self.typed: list[str] = []
        self.troubles: Sequence[Trouble] = ()
        """What went wrong, newest first."""
        self._verifying = Verifying(self)
        self._begun = Begun("")
        self._said_at = clock()
        self._said_on: Screen[Any] | None = None
        self._engine = engine
        self._ours = engine is None
        self.own_keys = OwnKeys() if keys is None else read_keys(keys)
        self.set_keymap(self.own_keys.keys)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_for(None if plain else os.environ.get("COLORTERM"))
        self._set_slow("SSH_CONNECTION" in os.environ if slow is None else slow)

    @property
    def engine(self) -> AsyncEngineClient:
        """The one client. Made at the first question, so that the first paint does not wait for it."""
        if self._engine is None:
            from engine.client import AsyncEngineClient

            self._engine = AsyncEngineClient(self.home)
        return self._engine

    @cached_property
    def guide(self) -> Guide:
        """How far the adding of a project has come. Made when it is begun, so that the first paint does not wait."""
        from mlops_tui.adding import Guide
        from mlops_tui.folder_listing import nearest_folder

        try:
            here = Path.cwd()
        except FileNotFoundError:  # removed while a shell stood in it
            here = Path.home()
        return Guide(nearest_folder(here))

    def on_mount(self) -> None:
        """Paint first, then look for the engine."""
        self.switch_mode("fleet")
        if self.own_keys.problem:
            self.say(f"! {self.own_keys.problem}", "warn")
        self.call_after_refresh(self._begin_feed)

    def _begin_feed(self) -> None:
        self.run_worker(self._follow(), group="feed", exclusive=True)

    async def _follow(self) -> None:
        await Feed(self.engine, self.post_message, self._ensure).run()

    async def _ensure(self, put_down_too: bool) -> None:
        if self._ours:
            from engine.client import ensure_engine

            await asyncio.to_thread(ensure_engine, self.home, start=put_down_too)

    async def on_unmount(self) -> None:
        """Let the connections go."""
        if self._engine is not None:
            await self._engine.close()

    @on(EngineFound)
    def _engine_found(self, message: EngineFound) -> None:
        was_lost = self.link.lost_at is not None
        self.link = Link(found=True)
        self.run_worker(self._ask_who(), group="caller", exclusive=True)
        if was_lost and self.said.tone != "bad":
            self.say("✓ The engine is back; nothing was lost.", "good")
        self._hand_on(EngineFound(message.after))

    async def _ask_who(self) -> None:
        try:
            self.post_message(CallerKnown(await self.engine.about()))
        except EngineError as error:
            self.tell_failure(error)

    @on(CallerKnown)
    def _caller_known(self, message: CallerKnown) -> None:
        self.caller = message.caller
        if self._begun.by != message.caller.user:
            self._begun = Begun(message.caller.user)

    @on(EngineLost)
    def _engine_lost(self, message: EngineLost) -> None:
        why = f"{message.error.message} {message.error.hint}".strip()
        if self.link.lost_at is None:
            gone = "" if isinstance(message.error, VersionMismatch) else "No engine. "
            self.troubles = with_trouble(self.troubles, f"✗ {gone}{why}", self.now())
        self.link = Link(lost_at=message.since, why=why, differs=isinstance(message.error, VersionMismatch))

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        self._begun, told = self._begun.after(message.event)
        if told is not None:
            self.say(told.text, told.tone)
        self._hand_on(EventCame(message.event))

    @on(ProgressCame)
    def _progress_came(self, message: ProgressCame) -> None:
        self._hand_on(ProgressCame(message.progress))

    @on(ActionDone)
    def _action_done(self, message: ActionDone) -> None:
        told = f"$ {message.line}: {message.said}"
        self.say(f"○ {told}", "warn") if message.waits else self.say(f"✓ {told}", "good")

    @on(ActionFailed)
    def _action_failed(self, message: ActionFailed) -> None:
        if isinstance(message.error, EngineUnreachable):
            # Why there is none stands beside it while it is so.
            self.say(f"✗ Not done, for no engine answered: $ {message.line}", "bad")
            return
        self.say(f"✗ {message.error.message} {message.error.hint}  ($ {message.line})", "bad")

    def _hand_on(self, message: Any) -> None:
        """To every screen that is open, also in other modes: what was opened goes on living while another is seen."""
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, LoopScreen) and screen.is_running:
                    screen.post_message(message)

    def say(self, text: str, tone: Tone = "plain") -> None:
        """A line at the bottom of every screen. What went wrong is kept, to be read whole."""
        if tone == "bad":
            self.troubles = with_trouble(self.troubles, text, self.now())
        self.said = Cell(clean(text), tone)
        self._said_at, self._said_on = self.now(), self._seen_screen()

    def forget_said(self) -> None:
        """What was said a while ago goes; what went wrong stays as long as one stays on the screen it was said on."""
        if self.said.tone == "bad":
            is_over = self._said_on is not self._seen_screen()
        else:
            is_over = (self.now() - self._said_at).total_seconds() > SAID_FOR_S
        if is_over:
            self.said = Cell("")

    def _seen_screen(self) -> Screen[Any] | None:
        return next((one for one in reversed(self.screen_stack) if isinstance(one, LoopScreen)), None)

    def tell_failure(self, error: EngineError) -> None:
        """What could not be read. That the engine is gone is told by its own line."""
        if not isinstance(error, EngineUnreachable):
            self.say(f"✗ {error.message} {error.hint}", "bad")

    def key_of(self, command: Command) -> str:
        """The key as a person reads it, remapped or not."""
        return self.own_keys.keys.get(command.id, command.keys_shown)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of ours that a theme may set."""
        return {"dim": "#808080"}

    def send_to_clipboard(self, text: str) -> None:
        """By OSC 52: sent is all that can be said, for no terminal answers."""
        self.copy_to_clipboard(text)
        self.say(f"Sent {len(text)} characters to the terminal's clipboard; :save FILE always works.")

    def fleet_names(self, takes: Argument) -> Sequence[str]:
        """Models, versions or jobs that the Fleet screen has seen, for completion on every screen."""
        root = self._screen_stacks.get("fleet", [])[:1]
        return root[0].choices(takes) if root and isinstance(root[0], FleetScreen) else ()

    def remember_typed(self, text: str) -> None:
        """For the arrow keys of the `:` bar."""
        self.typed = [*(line for line in self.typed if line != text), text][-MOST_TYPED:]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Our keys belong to our own screens, and while a line is typed they are letters."""
        if action != "run_command":
            return True
        return isinstance(self.screen, LoopScreen) and not isinstance(self.focused, Input)

    async def action_run_command(self, command_id: str) -> None:
        """A key: the nearest of what has the focus and what is around it answers."""
        answer = answer_of(self.screen, command_id)
        result = None if answer is None else answer("")
        if isawaitable(result):
            await result

    def action_say_how_to_leave(self) -> None:
        """Ctrl-c."""
        self.say("q leaves at the root, esc goes one level back; what runs goes on.")

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The palette: the same table."""
        for command in typed_commands():
            if command.id != "palette" and answer_of(screen, command.id) is not None:
                told = f"{command.help} {self.key_of(command)}  {command.line(command.takes.upper())}"
                yield SystemCommand(command.title, told, self._runner(command.id))

    def _runner(self, command_id: str) -> Callable[[], Awaitable[None]]:
        return lambda: self.action_run_command(command_id)

    def do_palette(self, _: str) -> None:
        """Search all commands."""
        self.action_command_palette()

    def do_quit(self, argument: str) -> None:
        """Leave, at the root; elsewhere one level back would be meant."""
        if len(self.screen_stack) > 1:
            self.say("q leaves at the root only; esc goes one level back.")
        else:
            self.exit()

    def do_error(self, _: str) -> AwaitMount:
        """What went wrong, whole."""
        from mlops_tui.screens.errors import ErrorsScreen

        return self.push_screen(ErrorsScreen(self.current_mode))

    def do_verify(self, _: str) -> None:
        """Hash everything again."""
        self._verifying.begin()

    @on(Verified)
    def _verified(self, message: Verified) -> None:
        self._verifying.end()
        if message.found is not None:
            sign = "✓" if message.found.tone == "good" else "✗"
            self.say(f"{sign} $ {message.line}: {message.found.text}", message.found.tone)

    def do_theme(self, name: str) -> None:
        """Other colours."""
        chosen = NAMES.get(name)
        if chosen is None:
            self.say(f"✗ Themes: {', '.join(NAMES)}.", "bad")
        else:
            self.theme = chosen
            self.say(f"Theme {name}.")

    def do_slow(self, argument: str) -> None:
        """Fewer frames."""
        wanted = {"on": True, "off": False, "": not self.is_slow}.get(argument)
        if wanted is None:
            self.say("✗ :slow on, or :slow off.", "bad")
            return
        self._set_slow(wanted)
        self.say(f"Slow link: {'fewer frames, no animation' if wanted else 'off'}.")

    def _set_slow(self, slow: bool) -> None:
        self.is_slow = slow
        self.pace_s = SLOW_PACE_S if slow else QUICK_PACE_S
        self.animation_level = "none"
