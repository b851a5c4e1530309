"""Events of the audit chain as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, cell, number
from mlops_tui.view.times import exact

if TYPE_CHECKING:
    from engine.wire.events import EventView

EVENT_HEADS = ("event", "when", "who", "role", "did", "to", "evidence")


def event_row(event: EventView) -> list[Cell]:
    """One event."""
    return [
        number(str(event.seq)),
        cell(exact(event.at)),
        cell(event.actor),
        cell(event.role, "dim"),
        cell(event.verb, "strong"),
        cell(event.subject),
        cell(" ".join(f"{key}={_short(value)}" for key, value in event.evidence.items() if _says(value)), "dim"),
    ]


def _says(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def _short(value: Any) -> str:
    text = str(value)
    # A hash is told by its beginning.
    return text[:12] if len(text) == 64 and text.isalnum() else text[:200]
