"""Tones as styles of the theme, for widgets that draw by the line."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget

from mlops_tui.view.cell import Tone

TONE_CLASSES = {f"tone--{tone}" for tone in ("good", "bad", "warn", "busy", "dim", "strong")}

TONE_CSS = """
    & > .tone--good { color: $text-success; }
    & > .tone--bad { color: $text-error; }
    & > .tone--warn { color: $text-warning; }
    & > .tone--busy { color: $text-primary; }
    & > .tone--dim { color: $dim; }
    & > .tone--strong { text-style: bold; }
    &:ansi {
        & > .tone--good { color: ansi_green; }
        & > .tone--bad { color: ansi_red; }
        & > .tone--warn { color: ansi_yellow; }
        & > .tone--busy { color: ansi_cyan; }
        & > .tone--dim { color: ansi_default; text-style: dim; }
        &:light > .tone--warn { color: ansi_magenta; }
    }
"""
"""Rules to put into a widget's DEFAULT_CSS."""


def tone_style(widget: Widget, tone: Tone, base: Style) -> Style:
    """`base` in a tone."""
    if tone == "plain":
        return base
    own = widget.get_component_rich_style(f"tone--{tone}", partial=True)
    return base + own
