"""Backups, and what is removed or kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell, number
from mlops_tui.view.figures import several, size

if TYPE_CHECKING:
    from engine.wire.housekeeping import BackupMade, BackupRestored, GarbageLine

GARBAGE_HEADS = ("what", "files", "size", "why")


def backup_facts(made: BackupMade) -> list[tuple[str, Cell]]:
    """Name and value, one a line."""
    shared = f", {made.shared:,} of them shared with the backup before" if made.shared else ""
    return [
        ("backup", cell(made.folder, "good")),
        ("holds", cell(f"{several(made.blobs, 'stored file')}{shared}, {several(made.captures, 'file')} of captures")),
        ("size", cell(f"{size(made.size_bytes)}, {size(made.written_bytes)} written")),
        ("as of", cell(f"event {made.last_event:,}, schema {made.schema_revision}")),
    ]


def restored_facts(made: BackupRestored) -> list[tuple[str, Cell]]:
    """Name and value, one a line."""
    return [
        ("home", cell(made.home, "good")),
        ("backup", cell(made.backup)),
        ("made at", cell(f"{made.made_at:%Y-%m-%d %H:%M:%S} UTC, event {made.last_event:,}")),
        ("holds", cell(f"{several(made.blobs, 'stored file')}, {several(made.captures, 'file')} of captures")),
        ("size", cell(size(made.size_bytes))),
    ]


def garbage_rows(lines: Sequence[GarbageLine]) -> list[tuple[Cell, ...]]:
    """A row for each kind."""
    return [
        (cell(line.what), number(f"{line.count:,}"), number(size(line.size_bytes)), cell(line.why)) for line in lines
    ]
