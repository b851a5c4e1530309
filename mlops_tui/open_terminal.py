"""`mlops` without a verb."""

from __future__ import annotations

from engine.errors import NotThereYet


def open_terminal() -> None:
    """Open the terminal interface."""
    raise NotThereYet("The terminal is not there yet.", "See `mlops --help`.")
