"""The question before a release is ordered: what exactly will change, read from the engine while the question stands.

It takes every key from the moment it is asked for, so that nothing typed ahead on a slow link says yes to what nobody
has seen. The default is No.
"""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from engine.errors import EngineError
from mlops_tui.messages import PreviewFailed, PreviewRead
from mlops_tui.screens.confirm import not_its_name
from mlops_tui.view.cell import Cell
from mlops_tui.view.clean import clean
from mlops_tui.view.release import asks_for_its_name, is_so_already, release_facts, release_title
from mlops_tui.view.width import fit, wrap
from mlops_tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from engine.wire.endpoints import ReleasePreview

WIDTH = 78
VALUES_FROM = 11
HIGH = 20
AROUND, AROUND_LOW = 9, 6
"""Lines of the box that are not about what changes, with and without blank ones; what is typed takes more."""
LEAST_REASON = 3
"""Letters of a reason, as the engine asks for."""


@dataclass(frozen=True)
class Order:
    """Yes, to what was shown."""

    version: int | None
    override: str | None


class ReleaseScreen(ModalScreen["Order | None"]):
    """None: no. Where a live champion goes its name must be typed; where the gate did not say `pass`, a reason."""

    CSS_PATH = "release.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (HIGH, "-high")]  # noqa: RUF012  (Textual's own annotation)
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,Y", "yes", "Yes", show=False),
        Binding("n,N,enter,q", "no", "No", show=False),
        Binding("escape", "no", "No", show=False, priority=True),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
    ]

    def __init__(self, look: Callable[[], Awaitable[ReleasePreview]], about: str, line: str) -> None:
        """`look` asks the engine what would change; `about` is what is asked for, in a word or two."""
        super().__init__()
        self._look = look
        self._about = clean(about)
        self._line = line
        self._seen: ReleasePreview | None = None

    def compose(self) -> ComposeResult:
        """The question, what changes, the command line, and how to answer."""
        with Vertical(id="box"):
            yield Static(Content.styled(self._about, "bold"), id="question")
            yield LinePane([Cell("Looking what would change …")], hang=VALUES_FROM, id="told")
            yield Static(Content.styled(f"$ {clean(self._line)}", "dim"), id="line")
            yield Input(placeholder="why all the same; it is recorded for good", id="reason", compact=True)
            yield Input(id="name", compact=True)
            yield Static(Content.styled("esc leaves it", "dim"), id="answers")

    def on_mount(self) -> None:
        """Ask the engine."""
        for one in self.query(Input):
            one.display = False
        self.run_worker(self._read(), exclusive=True)

    async def _read(self) -> None:
        try:
            self.post_message(PreviewRead(await self._look()))
        except EngineError as error:
            self.post_message(PreviewFailed(error))

    @on(PreviewFailed)
    def _cannot_be_told(self, message: PreviewFailed) -> None:
        told = f"✗ What would change cannot be told, so it is not done. {message.error.message} {message.error.hint}"
        self._tell([Cell(clean(told), "bad")], hang=2)

    @on(PreviewRead)
    def _can_be_told(self, message: PreviewRead) -> None:
        seen = self._seen = message.preview
        self.query_one("#question", Static).update(Content.styled(clean(release_title(seen)), "bold"))
        if seen.refusal is not None or is_so_already(seen):
            self._show_facts()
            self.query_one("#answers", Static).update(Content.styled("[enter] back", "bold reverse"))
            return
        if seen.needs_override:
            self._open(self.query_one("#reason", Input))
        if asks_for_its_name(seen):
            name = self.query_one("#name", Input)
            name.placeholder = seen.name
            self._open(name)
        self._show_facts()
        if self.focused is None:
            self.query_one("#answers", Static).update(Content("y yes    ") + Content.styled("[n] no", "bold reverse"))
        else:
            self.query_one("#answers", Static).update(self._how_to_answer(seen))

    def _open(self, line: Input) -> None:
        line.display = True
        if self.focused is None:
            self.set_focus(line)

    def _how_to_answer(self, seen: ReleasePreview) -> Content:
        reason = "Say why all the same" if seen.needs_override else ""
        name = f"type {clean(seen.name)}" if asks_for_its_name(seen) else ""
        told = ", then ".join(part for part in (reason, name) if part)
        return Content(f"{told[:1].upper()}{told[1:]} and enter to do it; esc leaves it.")

    def on_resize(self) -> None:
        """Wrapped anew."""
        self._show_facts()

    def _show_facts(self) -> None:
        seen = self._seen
        if seen is None:
            return
        facts = release_facts(seen)
        if seen.refusal is not None:
            facts.append(("", Cell(clean(f"✗ {seen.refusal.message} {seen.refusal.hint}"), "bad")))
        elif is_so_already(seen):
            facts.append(("", Cell("It is so already: nothing would change.", "strong")))
        self._tell([Cell(f"{fit(name, VALUES_FROM)}{value.text}", value.tone) for name, value in facts])

    def _tell(self, lines: list[Cell], hang: int = VALUES_FROM) -> None:
        pane = self.query_one("#told", LinePane)
        pane.hang = hang
        pane.set_lines(lines)
        width = min(self.size.width, WIDTH) - 6
        taken = sum(len(wrap(line.text, max(width, VALUES_FROM + 2), hang=hang)) for line in lines)
        typed = sum(1 for one in self.query(Input) if one.display)
        around = AROUND + 2 * typed if self.size.height >= HIGH else AROUND_LOW + typed
        pane.styles.height = max(min(taken, self.size.height - around), 2)

    def action_yes(self) -> None:
        """To what is shown; where something must be typed, a letter is no answer."""
        seen = self._seen
        if seen is None or seen.refusal is not None or is_so_already(seen) or self.focused is not None:
            return
        self.dismiss(Order(seen.version, None))

    def action_no(self) -> None:
        """Nothing is done."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """What changes may be longer than the box."""
        pane = self.query_one("#told", LinePane)
        pane.do_down() if lines > 0 else pane.do_up()

    @on(Input.Changed, "#reason")
    def _reason_changed(self, event: Input.Changed) -> None:
        event.stop()
        reason = event.value.strip()
        line = f"{self._line} --override {shlex.quote(reason)}" if reason else self._line
        self.query_one("#line", Static).update(Content.styled(f"$ {clean(line)}", "dim"))

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        seen, reason, name = self._seen, self.query_one("#reason", Input), self.query_one("#name", Input)
        why = reason.value.strip()
        if seen is None or not event.value.strip():
            self.dismiss(None)
        elif reason.display and len(why) < LEAST_REASON:
            self.query_one("#answers", Static).update(f"A reason has at least {LEAST_REASON} letters; esc leaves it.")
            self.set_focus(reason)
        elif event.input is reason and name.display:
            self.set_focus(name)
        elif name.display and name.value.strip() != seen.name:
            self.query_one("#answers", Static).update(not_its_name(name.value.strip(), seen.name))
            self.set_focus(name)
        else:
            self.dismiss(Order(seen.version, why if reason.display else None))
