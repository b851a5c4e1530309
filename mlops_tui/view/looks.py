"""What `init` saw, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_tui.view.cell import Cell, Tone, cell, number
from mlops_tui.view.figures import count

COLUMN_HEADS = ("column", "type", "role", "nulls", "distinct", "why")

_TONES: dict[str, Tone] = {"target": "strong", "ignored": "dim", "id": "busy", "time": "busy"}


def column_row(column: Mapping[str, Any]) -> list[Cell]:
    """One column of a look."""
    tone = _TONES.get(str(column.get("role")), "plain")
    return [
        cell(column.get("name"), tone),
        cell(column.get("type")),
        cell(column.get("role"), tone),
        number(count(column.get("nulls"))),
        number(count(column.get("distinct"))),
        cell(column.get("why") or ""),
    ]
