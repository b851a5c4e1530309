"""Whether an engine answers, and since when not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mlops_tui.view.cell import Cell
from mlops_tui.view.clean import clean
from mlops_tui.view.times import duration


@dataclass(frozen=True)
class Link:
    """The state of the line to the engine. Neither lost nor found: not known yet."""

    found: bool = False
    lost_at: datetime | None = None
    why: str = ""
    differs: bool = False
    """There is an engine, of another version."""


def link_cell(link: Link, now: datetime) -> Cell:
    """A few words for the corner."""
    if link.found:
        return Cell("● engine", "good")
    if link.lost_at is None:
        return Cell("◐ looking for the engine", "busy")
    if link.differs:
        return Cell("✗ engine of another version", "bad")
    return Cell(f"✗ no engine for {duration((now - link.lost_at).total_seconds())}", "bad")


def link_sentence(link: Link, now: datetime) -> str:
    """A whole sentence while the engine is gone; empty otherwise. What is shown may be old by then."""
    if link.found or link.lost_at is None:
        return ""
    since = f"{link.lost_at:%H:%M:%S} UTC, {duration((now - link.lost_at).total_seconds())} ago"
    if link.differs:
        return f"{clean(link.why)} This screen waits since {since}."
    return f"No engine since {since}; this screen waits for it. {clean(link.why)}"
