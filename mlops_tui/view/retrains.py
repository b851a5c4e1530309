"""Retrains, schedules, and why a version came to be, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, Tone, cell, mark, number
from mlops_tui.view.figures import metric
from mlops_tui.view.times import age, duration, exact

if TYPE_CHECKING:
    from engine.wire.jobs import ScheduleView
    from engine.wire.monitoring import ChainLink, RetrainView, WhyView, WindowView

RETRAIN_HEADS = ("retrain", "state", "model", "asked by", "rows", "version", "verdict", "when", "what")
SCHEDULE_HEADS = ("schedule", "does", "model", "every", "last", "next")

_STATES: Mapping[str, Cell] = {
    "waiting": Cell("○ waiting", "dim"),
    "blocked": Cell("! blocked", "warn"),
    "training": Cell("◐ training", "busy"),
    "done": Cell("✓ done", "good"),
    "given_up": Cell("■ given up", "dim"),
}
GLYPHS: Mapping[str, tuple[str, Tone]] = {
    "check": ("·", "plain"),
    "alarm": ("!", "warn"),
    "takeover": ("●", "good"),
    "performance": ("→", "strong"),
    "end": ("■", "dim"),
}
"""Of links of a chain that stand out."""


@dataclass(frozen=True)
class Line:
    """One line of text and how it is meant."""

    text: str
    tone: Tone = "plain"


def retrain_row(retrain: RetrainView, now: datetime) -> list[Cell]:
    """One retrain in a list."""
    rows = f"{retrain.rows_there:,}/{retrain.rows_needed:,}" if retrain.rows_needed else None
    return [
        number(str(retrain.id)),
        _STATES.get(retrain.status, cell(retrain.status)),
        cell(retrain.model),
        cell(f"alarm {retrain.alarm_id}" if retrain.alarm_id is not None else _asked_by(retrain)),
        cell(rows, right=True),
        cell(None if retrain.version is None else f"@{retrain.version}"),
        mark(retrain.verdict),
        cell(age(retrain.ended_at or retrain.created_at, now)),
        cell(retrain.note or retrain.reason),
    ]


def _asked_by(retrain: RetrainView) -> str:
    return retrain.by if retrain.trigger == "hand" else retrain.trigger


def waiting_lines(retrain: RetrainView) -> list[Line]:
    """What a retrain that has not begun is for, and what it waits for."""
    state = "is blocked" if retrain.status == "blocked" else "waits"
    return [
        Line(f"Retrain {retrain.id} of {retrain.model} {state} ({retrain.reason}).", "strong"),
        Line(f"  {retrain.note}", "warn" if retrain.status == "blocked" else "plain"),
    ]


def schedule_row(schedule: ScheduleView, now: datetime) -> list[Cell]:
    """One schedule in a list."""
    return [
        cell(schedule.name),
        cell(schedule.kind),
        cell(schedule.project),
        cell(schedule.every),
        cell(None if schedule.last_nominal_at is None else age(schedule.last_nominal_at, now)),
        cell("rests" if schedule.next_at is None else f"{age(schedule.next_at, now)} ({exact(schedule.next_at)})"),
    ]


def why_lines(why: WhyView) -> list[Line]:
    """The whole chain, a line a link: when, how long after the one before, and what."""
    lines = [Line(f"Why {why.model}@{why.version}", "strong")]
    before: datetime | None = None
    for link in why.chain:
        lines.append(_link_line(link, before if link.what != "performance" else link.at))
        before = link.at
    return lines + _metric_lines(why)


def _link_line(link: ChainLink, before: datetime | None) -> Line:
    glyph, tone = GLYPHS.get(link.what, ("·", "plain"))
    passed = "" if before is None else _passed((link.at - before).total_seconds())
    when = f"{link.at:%Y-%m-%d %H:%M:%S}" if link.what != "performance" else ""
    return Line(f"{glyph} {when:<19} {passed:>7}  {link.text}", tone)


def _passed(seconds: float) -> str:
    return f"+{duration(seconds)}" if seconds >= 1 else ""


def _metric_lines(why: WhyView) -> list[Line]:
    told = [
        _window_line(when, window)
        for when, window in (("before", why.before), ("after the change", why.during), ("since", why.after))
        if window is not None
    ]
    return [Line(""), Line(f"{why.metric}, realised", "dim"), *told] if told else []


def _window_line(when: str, window: WindowView) -> Line:
    value = metric(window.value)
    ends = "" if window.lower is None else f"{metric(window.lower)} to {metric(window.upper)}"
    stretch = f"{window.starts_at:%Y-%m-%d} to {window.ends_at:%Y-%m-%d}"
    return Line(
        f"  {when:<16}  @{window.version:<3} {value:>7}  {ends:<18} {stretch}  {window.labelled:,} labelled rows"
    )
