"""Snapshots as rows, and what stands above the columns of one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell, number
from mlops_tui.view.clean import clean
from mlops_tui.view.columns import Column
from mlops_tui.view.figures import count, several, size
from mlops_tui.view.projects import snapshot_facts
from mlops_tui.view.schema import ColumnRow
from mlops_tui.view.times import age

if TYPE_CHECKING:
    from engine.wire.runs import SnapshotView

SNAPSHOT_COLUMNS = (
    Column("snapshot", 8, right=True),
    Column("project", 12, widest=30),
    Column("rows", 7, right=True),
    Column("columns", 7, rank=3, right=True),
    Column("size", 9, rank=2, right=True),
    Column("when", 8),
    Column("job", 6, rank=4, right=True),
    Column("expected", 12, rank=1, widest=30),
    Column("source", 16, rank=5, widest=200),
)


def snapshot_cells(snapshot: SnapshotView, now: datetime) -> dict[str, Cell]:
    """The cells of one snapshot, by column."""
    broken = len(snapshot.failures)
    return {
        "snapshot": number(str(snapshot.id)),
        "project": cell(snapshot.project),
        "rows": number(count(snapshot.rows)),
        "columns": number(count(snapshot.columns)),
        "size": number(size(snapshot.size_bytes)),
        "when": cell(age(snapshot.created_at, now)),
        "job": number("–" if snapshot.job_id is None else str(snapshot.job_id)),
        "expected": Cell(f"✗ {several(broken, 'rule')} broken", "bad") if broken else Cell("✓ all met", "good"),
        "source": cell(source_told(snapshot), "dim"),
    }


def snapshot_words(snapshot: SnapshotView) -> str:
    """What a filter looks through."""
    columns = " ".join(str(one.get("name")) for one in snapshot.data_schema.get("columns", []))
    broken = "broken" if snapshot.failures else ""
    return f"{snapshot.id} {snapshot.project} {source_told(snapshot)} {broken} {columns}".lower()


def source_told(snapshot: SnapshotView) -> str:
    """Where the rows come from: the first file, and how many more."""
    paths = [str(one.get("path")) for one in snapshot.sources]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}" if paths else "–"


def snapshot_head(
    snapshot: SnapshotView, before: SnapshotView | None, rows: list[ColumnRow], now: datetime, most: int
) -> list[Cell]:
    """What it holds, what is new against the one before, and what rows break, in at most `most` sentences of those."""
    job = "" if snapshot.job_id is None else f" by job {snapshot.job_id}"
    held = f"{several(snapshot.rows, 'row')} × {several(snapshot.columns, 'column')} · {size(snapshot.size_bytes)}"
    lines = [
        Cell(f"{held} · taken {age(snapshot.created_at, now)}{job}", "strong"),
        cell(f"from {source_told(snapshot)}", "dim"),
        _against(snapshot, before, rows),
    ]
    sentences = [cell(f"✗ {one.get('sentence') or one}", "bad") for one in snapshot.failures]
    more = len(sentences) - most
    return lines + sentences[:most] + ([Cell(f"✗ and {more} more; d shows all", "bad")] if more > 0 else [])


def _against(snapshot: SnapshotView, before: SnapshotView | None, rows: list[ColumnRow]) -> Cell:
    if before is None:
        return Cell(f"the first of {clean(snapshot.project)}", "dim")
    more = snapshot.rows - before.rows
    changed = [row for row in rows if row.changes]
    told = f"{more:+,} rows" if more else "as many rows"
    if not changed:
        return Cell(f"against snapshot {before.id}: {told}, no column has changed", "dim")
    return Cell(f"against snapshot {before.id}: {told}, {several(len(changed), 'column')} changed (marked ≠)", "warn")


def snapshot_page(snapshot: SnapshotView, now: datetime) -> list[tuple[str, Cell]]:
    """All of one snapshot, each broken rule with the rows that break it."""
    facts = [fact for fact in snapshot_facts(snapshot, now) if not fact[0].startswith("✗")]
    broken = [line for one in snapshot.failures for line in failure_facts(one)]
    return facts[:4] + broken + facts[4:]


def failure_facts(failure: dict[str, object]) -> list[tuple[str, Cell]]:
    """One broken rule, and the first rows that break it: file and line, value, id."""
    lines = [("✗ broken", cell(failure.get("sentence") or failure, "bad"))]
    examples = failure.get("examples")
    for one in examples if isinstance(examples, list) else []:
        value = "no value" if one.get("value") is None else f"has {one.get('value')!r}"
        key = "" if one.get("id") is None else f", id {one.get('id')}"
        lines.append(("", cell(f"{one.get('where')} {value}{key}")))
    return lines
