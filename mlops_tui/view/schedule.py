"""What the clock does, as rows and facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, cell, mark
from mlops_tui.view.columns import Column
from mlops_tui.view.jobs import what_cell
from mlops_tui.view.times import age, exact

if TYPE_CHECKING:
    from engine.wire.jobs import ScheduleView

SCHEDULE_COLUMNS = (
    Column("schedule", 16, widest=48),
    Column("does", 12, rank=4),
    Column("model", 10, rank=5, widest=40),
    Column("every", 8, rank=1, widest=16),
    Column("next", 8),
    Column("next, UTC", 16, rank=2),
    Column("next, here", 16, rank=3),
    Column("last", 8, rank=2),
    Column("result", 12, rank=1, widest=200),
)


def schedule_cells(one: ScheduleView, now: datetime) -> dict[str, Cell]:
    """One schedule."""
    rests = one.next_at is None
    return {
        "schedule": cell(one.name, "dim" if rests else "strong"),
        "does": cell(one.kind),
        "model": cell(one.project),
        "every": cell(one.every),
        "next": Cell("■ rests", "dim") if one.next_at is None else cell(_until(one.next_at, now), "busy"),
        "next, UTC": cell(None if one.next_at is None else f"{one.next_at:%Y-%m-%d %H:%M}"),
        "next, here": cell(None if one.next_at is None else f"{one.next_at.astimezone():%Y-%m-%d %H:%M}"),
        "last": cell(age(one.last_nominal_at, now)),
        "result": result_cell(one),
    }


def result_cell(one: ScheduleView) -> Cell:
    """How its last job stands."""
    job = one.last_job
    if job is None:
        return Cell("– no job yet" if one.project else "–", "dim")
    status, what = mark(job.status), what_cell(job)
    return Cell(f"{status.text} · {what.text}" if what.text not in ("", "–") else status.text, status.tone)


def schedule_facts(one: ScheduleView, now: datetime) -> list[tuple[str, Cell]]:
    """All of one schedule."""
    rests = "it rests: nothing of the model is live, or its mlops.toml asks for none"
    here = f", {one.next_at.astimezone():%Y-%m-%d %H:%M:%S %Z} here" if one.next_at else ""
    return [
        ("schedule", cell(one.name, "strong")),
        ("does", cell(one.kind)),
        ("model", cell(one.project)),
        ("every", cell(f"{one.every}{' (a cron line, UTC)' if ' ' in one.every else ''}")),
        ("next", cell(rests if one.next_at is None else f"{_until(one.next_at, now)}: {exact(one.next_at)}{here}")),
        ("last due", cell(None if one.last_nominal_at is None else exact(one.last_nominal_at))),
        ("last job", cell(None if one.last_job is None else f"{one.last_job.id} · {one.last_job.kind}")),
        ("result", result_cell(one)),
    ]


def schedule_words(one: ScheduleView) -> str:
    """What a filter looks through."""
    return f"{one.name} {one.kind} {one.project or ''} {one.every} {result_cell(one).text}".lower()


def _soonest(one: ScheduleView) -> tuple[bool, float]:
    return (one.next_at is None, one.next_at.timestamp() if one.next_at else 0.0)


SCHEDULE_ORDERS: dict[str, Callable[[ScheduleView], Any] | None] = {
    "next first": _soonest, "by name": lambda one: one.name, "by model": lambda one: (one.project or "", one.name)
}  # fmt: skip


def _until(at: datetime, now: datetime) -> str:
    return "now" if at <= now else age(at, now)
