"""Dark, light, colour-blind safe, and two that use the terminal's own colours."""

from __future__ import annotations

from textual.theme import Theme

THEMES = (
    Theme(
        name="dark",
        primary="#6CB6FF",
        secondary="#3B6EA8",
        accent="#E3B341",
        warning="#E3B341",
        error="#F47067",
        success="#6BC46D",
        foreground="#D8DEE6",
        background="#14181D",
        surface="#14181D",
        panel="#222A33",
        variables={"dim": "#8B949E"},
    ),
    Theme(
        name="light",
        primary="#0B57A4",
        secondary="#3B6EA8",
        accent="#8A5A00",
        warning="#8A5A00",
        error="#B3261E",
        success="#1B6E2E",
        foreground="#1C2128",
        background="#FAFAF7",
        surface="#FAFAF7",
        panel="#E6E8EA",
        dark=False,
        variables={"dim": "#6A737D"},
    ),
    # Okabe and Ito 2008: told apart with every common colour blindness.
    Theme(
        name="safe",
        primary="#56B4E9",
        secondary="#0072B2",
        accent="#CC79A7",
        warning="#F0E442",
        error="#D55E00",
        success="#009E73",
        foreground="#E6E6E6",
        background="#101010",
        surface="#101010",
        panel="#262626",
        variables={"dim": "#909090"},
    ),
)

NAMES = {"dark": "dark", "light": "light", "safe": "safe", "ansi": "ansi-dark", "ansi-light": "ansi-light"}
"""What `:theme` takes, and the theme's name in Textual."""


def theme_for(colours: str | None) -> str:
    """The theme to begin with, by `$COLORTERM`: the terminal's own colours where it has no true ones."""
    return "dark" if colours in ("truecolor", "24bit") else "ansi-dark"
