"""Projects and snapshots of their data."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.figures import several, size
from mlops_tui.view.metrics import arrow
from mlops_tui.view.runs import code_of
from mlops_tui.view.times import age, exact

if TYPE_CHECKING:
    from engine.wire.projects import ProjectView
    from engine.wire.runs import SnapshotView


def project_facts(project: ProjectView, now: datetime) -> list[tuple[str, Cell]]:
    """A registered project and its stored code."""
    stored = project.revision
    code = code_of(stored.tree_sha256, stored.git_commit) + (" (changed since)" if stored.git_dirty else "")
    return [
        ("project", cell(project.name, "strong")),
        ("task", cell(f"{project.task}, judged by {project.metric} {arrow(project.metric)}")),
        ("folder", cell(project.folder)),
        ("code", cell(f"{code} · {several(stored.files, 'file')}, {size(stored.size_bytes)}")),
        ("stored", cell(f"{exact(stored.created_at)} ({age(stored.created_at, now)})")),
        ("added", cell(f"{exact(project.added_at)} by {project.by}")),
    ]


def snapshot_facts(snapshot: SnapshotView, now: datetime) -> list[tuple[str, Cell]]:
    """One immutable version of the data."""
    facts = [
        ("snapshot", cell(f"{snapshot.id} of {snapshot.project}", "strong")),
        ("content", cell(snapshot.sha256)),
        ("rows", cell(f"{snapshot.rows:,} × {snapshot.columns} columns, {size(snapshot.size_bytes)}")),
        ("made", cell(f"{exact(snapshot.created_at)} ({age(snapshot.created_at, now)}), job {snapshot.job_id or '–'}")),
    ]
    facts += [("source", cell(f"{one.get('path')} · {str(one.get('sha256'))[:12]}")) for one in snapshot.sources]
    for column in snapshot.data_schema.get("columns", []):
        told = f"{column.get('type')} · {column.get('nulls')} null · {column.get('distinct')} distinct"
        facts.append((f"column {cell(column.get('name')).text}", cell(told)))
    facts += [("✗ expectation", cell(one.get("sentence") or one, "bad")) for one in snapshot.failures]
    return facts
