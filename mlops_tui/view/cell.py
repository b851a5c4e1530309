"""The smallest thing that is said: a short text, how it is meant, and the glyph that says it without colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlops_tui.view.clean import clean

Tone = Literal["plain", "good", "bad", "warn", "busy", "dim", "strong"]
"""What a colour would say. Never said by colour alone: a glyph and a word stand beside it."""


@dataclass(frozen=True)
class Cell:
    """One value in a table; `text` is clean."""

    text: str
    tone: Tone = "plain"
    right: bool = False
    """Numbers stand to the right."""


def cell(text: object, tone: Tone = "plain", *, right: bool = False) -> Cell:
    """A cell of any value, cleaned; None is nothing to say."""
    return Cell("–", "dim", right) if text is None else Cell(clean(str(text)), tone, right)


def number(text: str, tone: Tone = "plain") -> Cell:
    """A cell of figures."""
    return Cell(text, "dim" if text == "–" else tone, right=True)


_MARKS: dict[str, tuple[str, Tone]] = {
    "queued": ("○", "dim"),
    "running": ("◐", "busy"),
    "succeeded": ("✓", "good"),
    "failed": ("✗", "bad"),
    "cancelled": ("■", "dim"),
    "pass": ("✓", "good"),
    "fail": ("✗", "bad"),
    "insufficient": ("?", "warn"),
    "starting": ("◐", "busy"),
    "ready": ("◑", "busy"),
    "live": ("●", "good"),
    "draining": ("◌", "warn"),
    "stopped": ("■", "dim"),
    "fitted": ("✓", "good"),
}


def mark(word: str | None) -> Cell:
    """A status, outcome or state as glyph and word; `–` for None."""
    if word is None:
        return Cell("–", "dim")
    glyph, tone = _MARKS.get(word, ("·", "plain"))
    return Cell(f"{glyph} {clean(word)}", tone)
