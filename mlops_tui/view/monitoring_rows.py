"""What the monitoring screens list: models, columns of a check, checks, alarms, stretches of time, retrains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.wire.urgency import alarm_urgency
from mlops_tui.view.cell import Cell, cell, number
from mlops_tui.view.columns import Column
from mlops_tui.view.figures import UNKNOWN, count, metric
from mlops_tui.view.labels import window_row
from mlops_tui.view.monitoring import alarm_row, check_row, drift_rows
from mlops_tui.view.monitoring_state import ColumnState, alarming_first
from mlops_tui.view.needs import needs_told
from mlops_tui.view.retrains import retrain_row
from mlops_tui.view.sparkline import sparkline
from mlops_tui.view.times import age

if TYPE_CHECKING:
    from engine.wire.fleet import FleetRow
    from engine.wire.monitoring import (
        AlarmView,
        CheckView,
        Distribution,
        DriftView,
        FigureView,
        PerformanceView,
        RetrainView,
        WindowView,
    )

ENOUGH_ROWS = 500
"""A check of fewer says `insufficient`."""
_BAR = 4
"""Columns of a bar on each side of the floor."""

WATCHED_COLUMNS = (
    Column("model", 12, widest=40),
    Column("drift", 15),
    Column("alarms", 6, rank=1, right=True),
    Column("waiting", 7, rank=2, right=True),
    Column("next", 7, rank=3),
    Column("realised", 8, rank=4, widest=20),
    Column("worth", 7, rank=5, right=True),
    Column("waits for", 20, rank=1, widest=200),
)
COLUMN_COLUMNS = (
    Column("column", 12, widest=40),
    Column("state", 9, rank=1),
    Column("distance", 9, right=True),
    Column("bar", 9, rank=2, head="0  floor"),
    Column("p", 8, rank=1, right=True),
    Column("missing", 7, rank=4, right=True),
    Column("before", 10, rank=3, head="last looks"),
    Column("shift", 7, rank=6, right=True),
    Column("PSI", 6, rank=7, right=True),
    Column("floor", 5, rank=8, right=True),
)
CHECK_COLUMNS = (
    Column("check", 6, right=True),
    Column("outcome", 14),
    Column("version", 7, rank=4),
    Column("rows", 8, rank=2, right=True),
    Column("when", 8),
    Column("from", 16, rank=6),
    Column("to", 16, rank=5),
    Column("by", 8, rank=3),
    Column("drifted", 16, rank=1, widest=200),
)
ALARM_COLUMNS = (
    Column("alarm", 6, right=True),
    Column("state", 14),
    Column("kind", 11, rank=1),
    Column("about", 14, rank=2, widest=100),
    Column("seen", 5, rank=3, right=True),
    Column("since", 8),
    Column("retrain", 7, rank=4, right=True),
)
WINDOW_COLUMNS = (
    Column("from", 16),
    Column("to", 16, rank=5),
    Column("version", 8, rank=4, widest=20),
    Column("labelled", 8, rank=3, right=True),
    Column("value", 7, right=True),
    Column("90 % interval", 18, rank=1),
    Column("promised", 8, rank=2, right=True),
    Column("difference", 10, rank=3, right=True),
    Column("rows", 7, rank=6, right=True),
    Column("state", 13, rank=1),
)
RETRAIN_COLUMNS = (
    Column("retrain", 7, right=True),
    Column("state", 10),
    Column("asked by", 10, rank=2, widest=20),
    Column("rows", 11, rank=3, right=True),
    Column("version", 7, rank=2),
    Column("verdict", 14, rank=1),
    Column("when", 8),
    Column("what", 16, rank=4, widest=300),
)
_COLUMN_NAMES = ("column", "state", "distance", "floor", "p", "PSI", "shift", "missing", "training", "now", "before")
_CHECK_NAMES = ("check", "outcome", "version", "rows", "from", "to", "drifted", "when", "by")
_ALARM_NAMES = ("alarm", "state", "model", "kind", "about", "seen", "since", "retrain")
_WINDOW_NAMES = (
    "version", "from", "to", "rows", "labelled", "value", "90 % interval", "promised", "difference", "state",
)  # fmt: skip
_RETRAIN_NAMES = ("retrain", "state", "model", "asked by", "rows", "version", "verdict", "when", "what")


def watched_cells(row: FleetRow, now: datetime) -> dict[str, Cell]:
    """One model: the last look, what is open, and what it waits for."""
    seen = row.watched
    return {
        "model": cell(row.name, "strong"),
        "drift": drift_cell(row, now),
        "alarms": number(f"! {seen.alarms}", "bad" if row.open_alarms else "warn")
        if seen.alarms
        else number("0", "dim"),
        "waiting": number(count(seen.waiting_rows)),
        "next": next_cell(row, now),
        "realised": Cell(sparkline(seen.realised, 20), "busy"),
        "worth": number(metric(seen.realised[-1] if seen.realised else None)),
        "waits for": waits_cell(row, now),
    }


def drift_cell(row: FleetRow, now: datetime) -> Cell:
    """Whether production looks as at training, and when that was looked at."""
    seen = row.watched
    if seen.checked_at is None:
        if seen.alarms:
            return Cell("! alarm", "bad") if row.open_alarms else Cell("◐ alarm", "warn")
        return cell(None) if row.champion is None else Cell("· no check yet", "dim")
    ago = age(seen.checked_at, now)
    if row.open_alarms:
        return Cell(f"! alarm {ago}", "bad")
    if seen.alarms:
        return Cell(f"◐ alarm {ago}", "warn")
    return Cell(f"! drift {ago}", "warn") if seen.outcome == "alarm" else Cell(f"✓ quiet {ago}", "good")


def next_cell(row: FleetRow, now: datetime) -> Cell:
    """When the clock looks next."""
    at = row.watched.next_at
    return cell(None) if at is None else cell("now" if at <= now else age(at, now))


def waits_cell(row: FleetRow, now: datetime) -> Cell:
    """What the loop of one model stands still for: a person, rows, labels, or the clock."""
    seen = row.watched
    if seen.retrain is not None:
        told = "trains" if seen.retrain_status == "training" else seen.retrain_note
        return cell(f"retrain {seen.retrain}: {told}", "busy" if seen.retrain_status == "training" else "warn")
    if row.needs.startswith(("approve version ", "deploy version ")):
        return cell(f"you: {needs_told(row)}", "warn")
    if row.open_alarms:
        return Cell("an answer: a opens the alarm", "warn")
    if row.champion is None:
        return Cell("a release: nothing serves yet", "dim")
    if seen.waiting_rows < ENOUGH_ROWS:
        return Cell(f"{ENOUGH_ROWS} new rows, {seen.waiting_rows} are there", "dim")
    return Cell("a check by hand: c" if seen.next_at is None else f"the clock: {next_cell(row, now).text}", "dim")


def watched_lines(row: FleetRow, now: datetime) -> list[Cell]:
    """What the cells of one model have no room for, and the keys that lead on."""
    seen, waits = row.watched, waits_cell(row, now)
    lines = [cell(f"{row.name} waits for {waits.text}", waits.tone)]
    if seen.drifted:
        lines.append(cell(f"drifted {age(seen.checked_at, now)}: {', '.join(seen.drifted)}", "warn"))
    keys = "enter shows its columns, checks, alarms, performance and retrains"
    return [*lines, Cell(f"a shows what rings; {keys}" if seen.alarms else keys, "dim")]


def watched_words(row: FleetRow, now: datetime) -> str:
    """What a filter looks through."""
    drifted = " ".join(row.watched.drifted)
    return f"{row.name} {row.task} {drift_cell(row, now).text} {drifted} {waits_cell(row, now).text}".lower()


@dataclass(frozen=True)
class ColumnNow:
    """A column of the newest check, with both distributions where they are kept."""

    figures: FigureView
    shape: Distribution | None
    row: Mapping[str, Cell]
    told: str = ""
    """What an alarm says of it."""


def with_alarms(columns: Sequence[ColumnNow], alarms: Sequence[AlarmView]) -> list[ColumnNow]:
    """The same, with what the first alarm that names a column says of it."""
    told = {name: said for alarm in reversed(alarms) for name, said in _told_by(alarm).items()}
    return [replace(one, told=_still(one, told.get(name_in_alarms(one.figures), ""))) for one in columns]


def _still(column: ColumnNow, said: str) -> str:
    """An alarm stays open for some calm checks: then its words are no more those of the newest one."""
    if not said or column.row["state"].tone == "bad":
        return said or column.told
    return f"Calm in the newest check; the alarm rang because: {said}"


def name_in_alarms(figures: FigureView) -> str:
    """A column's own; what the model answers is told apart from the truth of that name."""
    return f"the answers ({figures.column})" if figures.kind == "prediction" else figures.column


def _told_by(alarm: AlarmView) -> dict[str, str]:
    told = alarm.evidence.get("told")
    return {str(name): str(said) for name, said in told.items()} if isinstance(told, Mapping) else {}


def columns_now(drift: DriftView) -> list[ColumnNow]:
    """Those that are an alarm first, then the strongest."""
    if drift.check is None or drift.check.threshold is None:
        return []
    shapes = {one.column: one for one in drift.distributions}
    columns = alarming_first(drift.check, shapes)
    rows = [dict(zip(_COLUMN_NAMES, row, strict=True)) for row in drift_rows(drift)]
    return [
        ColumnNow(one, shapes.get(one.column), row | _narrowed(one, state), told=state.told)
        for (one, state), row in zip(columns, rows, strict=True)
    ]


def _narrowed(figures: FigureView, state: ColumnState) -> dict[str, Cell]:
    """What a screen tells in fewer letters than the command line; `→` is what the model answers."""
    cells = {"bar": floor_bar(state.value, state.floor or 0.0, state.alarming)}
    if figures.kind == "prediction":
        cells["column"] = cell(f"→ {figures.column}", "strong" if state.alarming else "plain")
    if figures.kind == "prediction" or not state.tested:
        cells["distance"] = number(state.figure or UNKNOWN)
    return cells


def columns_of(check: CheckView) -> list[ColumnNow]:
    """Of a check of the past, whose distributions are not asked for."""
    from engine.wire.monitoring import DriftView

    alone = DriftView(check=check, distributions=[], history={}, waiting_rows=0, next_at=None, note="")
    return columns_now(alone)


def floor_bar(distance: float | None, floor: float, drifted: bool) -> Cell:
    """How far a distance reaches towards the floor of an alarm, and beyond it.

    >>> floor_bar(0.05, 0.1, False).text, floor_bar(0.31, 0.1, True).text
    ('━━──│────', '━━━━│━━━▶')
    """
    if distance is None or floor <= 0:
        return Cell("")
    length = round(distance / floor * _BAR)
    bar = "━" * min(length, 2 * _BAR) + "─" * (2 * _BAR - length)
    beyond = bar[_BAR : 2 * _BAR - 1] + "▶" if length > 2 * _BAR else bar[_BAR:]
    return Cell(f"{bar[:_BAR]}│{beyond}", "bad" if drifted else "dim")


def check_cells(check: CheckView, now: datetime) -> dict[str, Cell]:
    """One check."""
    return dict(zip(_CHECK_NAMES, check_row(check, now), strict=True))


def alarm_cells(alarm: AlarmView, now: datetime) -> dict[str, Cell]:
    """One alarm."""
    return dict(zip(_ALARM_NAMES, alarm_row(alarm, now), strict=True))


def window_cells(window: WindowView, model: str, found: PerformanceView) -> dict[str, Cell]:
    """One stretch of time."""
    return dict(zip(_WINDOW_NAMES, window_row(model, window, found), strict=True))


def retrain_cells(retrain: RetrainView, now: datetime) -> dict[str, Cell]:
    """One retrain."""
    return dict(zip(_RETRAIN_NAMES, retrain_row(retrain, now), strict=True))


def evidence_facts(evidence: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    """What an alarm rests on, a line a figure; what hangs together stands on lines of its own.

    >>> [(name, told.text) for name, told in evidence_facts({"columns": ["a", "b"], "told": {"a": "moved"}})]
    [('columns', 'a, b'), ('told', ''), ('  a', 'moved')]
    """
    facts: list[tuple[str, Cell]] = []
    for name, value in evidence.items():
        key = name.replace("_", " ")
        if isinstance(value, Mapping):
            facts += [(key, Cell("")), *((f"  {inner}", cell(said)) for inner, said in value.items())]
        elif isinstance(value, list):
            facts.append((key, cell(", ".join(map(str, value)) or None)))
        else:
            facts.append((key, cell(metric(value) if isinstance(value, float) else value)))
    return facts


def texts(cells: Mapping[str, Cell]) -> str:
    """What a filter looks through in a row."""
    return " ".join(one.text for one in cells.values()).lower()


def unended(alarms: Sequence[AlarmView]) -> list[AlarmView]:
    """What most needs a person first, as the fleet names it; last those that somebody looks after."""
    ringing = (one for one in alarms if one.status != "closed")
    return sorted(ringing, key=lambda one: alarm_urgency(one.kind, one.status))


def _by_alarms(row: FleetRow) -> tuple[int, int, str]:
    return (-row.open_alarms, -row.watched.alarms, row.name)


def _by_waiting(row: FleetRow) -> tuple[int, str]:
    return (-row.watched.waiting_rows, row.name)


def _by_name(row: FleetRow) -> tuple[str, ...]:
    return (row.name,)


WATCHED_ORDERS = {"alarms first": _by_alarms, "name": _by_name, "most waiting": _by_waiting}
