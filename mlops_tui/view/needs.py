"""What a person must do for a model, with the key that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.wire.fleet import FleetRow

_ANSWERS = (
    ("look at the ", "a"),
    ("approve version ", "A"),
    ("deploy version ", "D"),
    ("train it", "t"),
    ("training failed", "l"),
    ("look at version ", "3"),
)
"""By how a need begins: the key that answers it."""


def needs_told(row: FleetRow) -> str:
    """What a person must do, with the key; a command line in it is a key here."""
    key = next((key for begins, key in _ANSWERS if row.needs.startswith(begins)), "")
    told = row.needs.partition(": mlops ")[0] if row.needs.startswith("look at the ") else row.needs
    return f"{told}{' · press' if ':' in told else ':'} {key}" if key else told
