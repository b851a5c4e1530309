"""One event of the audit chain: its evidence whole, its hash and the one before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.screens.audit import subject_of
from mlops_tui.view.audit import VALUES_FROM, audit_lines
from mlops_tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from engine.wire.events import EventView


class AuditEventScreen(ActingScreen):
    """Lines to read, with a filter."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("event")
    mode = "audit"
    place: ClassVar[Where] = "event"

    def __init__(self, event: EventView) -> None:
        super().__init__(f"event {event.seq}")
        self._event = event

    def compose_body(self) -> Iterable[LinePane]:
        """One pane."""
        yield LinePane(audit_lines(self._event, self.now()), hang=VALUES_FROM)

    def subject(self, takes: Argument) -> str:
        """What the event is about."""
        return subject_of(self._event, takes)

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one(LinePane).set_filter(self.filter)

    def do_copy(self, _: str) -> None:
        """The event as JSON."""
        self.engine_app.send_to_clipboard(self._event.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """All of it as text."""
        return [line.text for line in self.query_one(LinePane).lines]
