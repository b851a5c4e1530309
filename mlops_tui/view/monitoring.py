"""Checks, drift and alarms, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, Tone, cell, number
from mlops_tui.view.clean import clean
from mlops_tui.view.figures import UNKNOWN, share
from mlops_tui.view.monitoring_state import ColumnState, alarming_first
from mlops_tui.view.sparkline import sparkline
from mlops_tui.view.times import age, exact

if TYPE_CHECKING:
    from engine.wire.monitoring import AlarmView, CheckView, Distribution, DriftView, FigureView, Threshold

ALARM_HEADS = ("alarm", "state", "model", "kind", "about", "seen", "since", "retrain")
DRIFT_HEADS = ("column", "", "distance", "floor", "p", "PSI", "shift", "missing", "training", "now", "before")
CHECK_HEADS = ("check", "outcome", "version", "rows", "from", "to", "drifted", "when", "by")

_BARS = " ▁▂▃▄▅▆▇█"
_BAR_WIDTH = 12
_HISTORY_WIDTH = 10


@dataclass(frozen=True)
class Line:
    """One line of text and how it is meant."""

    text: str
    tone: Tone = "plain"


def check_lines(check: CheckView) -> list[Line]:
    """What a check found, in sentences: the outcome, faults of the data, and what it would have needed to speak."""
    lines = [_outcome(check)]
    for finding in check.findings:
        alarming = bool(finding.get("alarming", True))
        lines.append(Line(f"  {'!' if alarming else '·'} {finding.get('message', '')}", "warn" if alarming else "dim"))
    if check.threshold is not None:
        lines.append(Line(f"  {threshold_line(check.threshold, check.rows)}", "dim"))
    return lines


def _outcome(check: CheckView) -> Line:
    what = f"{check.model}@{check.version}"
    rows = f"{check.rows:,} rows{_stretch(check)}"
    if check.outcome == "insufficient":
        too_few = f"1 row{_stretch(check)} is" if check.rows == 1 else f"{rows} are"
        return Line(f"? insufficient: {too_few} too few to judge {what} by; a check needs 500.", "warn")
    if check.outcome == "quiet":
        return Line(f"✓ quiet: {rows} look like what {what} was trained on.", "good")
    if not check.drifted:
        return Line(f"! alarm: something is wrong with the data of {what}, seen in {rows}.", "bad")
    answers = {one.column for one in check.figures if one.kind == "prediction"}
    names = [f"the answers ({column})" if column in answers else column for column in check.drifted]
    few = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    verb = "look" if len(names) > 1 or answers.issuperset(check.drifted) else "looks"
    return Line(f"! alarm: {few} no longer {verb} like what {what} was trained on, in {rows}.", "bad")


def _stretch(check: CheckView) -> str:
    if check.first_at is None or check.last_at is None:
        return ""
    return f" ({check.first_at:%Y-%m-%d %H:%M} to {check.last_at:%Y-%m-%d %H:%M})"


def threshold_line(threshold: Threshold, rows: int) -> str:
    """What a column had to show, and the smallest shift that these rows would have shown."""
    told = f"An alarm needs p ≤ {p_value(threshold.alpha)} and a distance ≥ {threshold.min_distance:g}"
    if threshold.smallest_shift is not None:
        told += f"; {rows:,} rows would have shown a shift of {threshold.smallest_shift:.2g} σ"
    elif threshold.smallest_distance is not None:
        told += f"; {rows:,} rows would have shown a distance of {threshold.smallest_distance:.2g}"
    allowed = f"{threshold.alarms_per_year:g}"
    expected = "alarm a year is" if allowed == "1" else "alarms a year are"
    return f"{told}; at most {allowed} false {expected} expected."


def p_value(value: float | None) -> str:
    """A probability in two figures.

    >>> p_value(0.0423), p_value(0.0000012), p_value(0.0)
    ('0.042', '1.2e-06', '0')
    """
    if value is None:
        return UNKNOWN
    return "0" if value == 0 else f"{value:.2g}"


def drift_rows(drift: DriftView, limit: int | None = None) -> list[list[Cell]]:
    """The newest check's columns, the strongest first, at most `limit` besides those that are an alarm."""
    if drift.check is None or drift.check.threshold is None:
        return []
    shapes = {one.column: one for one in drift.distributions}
    columns = alarming_first(drift.check, shapes)
    alarming = sum(state.alarming for _, state in columns)
    shown = columns if limit is None else columns[: alarming + limit]
    return [_drift_row(one, state, shapes.get(one.column), drift.history.get(one.column, [])) for one, state in shown]


def _drift_row(
    figures: FigureView, state: ColumnState, shape: Distribution | None, history: Sequence[float | None]
) -> list[Cell]:
    then, now = _shapes(shape)
    values = [value for value in history if value is not None]
    return [
        cell(figures.column, "strong" if state.alarming else "plain"),
        state.cell,
        cell(f"{state.measure} {state.figure}".strip()),
        number(UNKNOWN if state.floor is None else f"{state.floor:g}"),
        number(p_value(figures.p_value) if state.tested else UNKNOWN),
        number(_figure(figures.psi)),
        number(UNKNOWN if figures.wasserstein is None else f"{figures.wasserstein:.2f} σ"),
        number(share(figures.null_share)),
        then,
        now,
        cell(sparkline(values, _HISTORY_WIDTH) or None),
    ]


def _figure(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _shapes(shape: Distribution | None) -> tuple[Cell, Cell]:
    """A number's histograms over one scale; of a category the label that moved most, then and now."""
    if shape is None or not shape.reference:
        return cell(None), cell(None)
    if shape.labels:
        moved = max(range(len(shape.labels)), key=lambda at: abs(_at(shape.current, at) - _at(shape.reference, at)))
        label = clean(shape.labels[moved], longest=16)
        before, after = _at(shape.reference, moved), _at(shape.current, moved)
        return cell(f"{label} {share(before)}"), cell(f"{label} {share(after)}")
    before_bars, after_bars = _fold(shape.reference, _BAR_WIDTH), _fold(shape.current, _BAR_WIDTH)
    top = max([*before_bars, *after_bars])
    return cell(histogram(before_bars, top)), cell(histogram(after_bars, top))


def _at(shares: Sequence[float], place: int) -> float:
    return shares[place] if place < len(shares) else 0.0


def _fold(shares: Sequence[float], width: int) -> list[float]:
    """Neighbouring bins summed, so that at most `width` are left."""
    if len(shares) <= width:
        return list(shares)
    return [
        sum(shares[at * len(shares) // width : (at + 1) * len(shares) // width]) for at in range(width)
    ]  # fmt: skip


def histogram(shares: Sequence[float], top: float) -> str:
    """A bar for each share; `top` is a full one, and what is not nothing shows.

    >>> histogram([0.0, 0.01, 0.5, 1.0], 1.0)
    ' ▁▄█'
    """
    steps = len(_BARS) - 1
    return "".join(
        _BARS[max(int(value > 0), min(steps, round(value / top * steps)))] if top > 0 else " " for value in shares
    )


def drift_lines(drift: DriftView, alarms: Sequence[AlarmView], now: datetime) -> list[Line]:
    """What stands above the columns: the check, the alarms that are open, and what comes next."""
    lines = check_lines(drift.check) if drift.check is not None else []
    if drift.check is not None:
        lines.append(Line(f"  Check {drift.check.id}, {age(drift.check.created_at, now)}.", "dim"))
    for alarm in alarms:
        lines.append(Line(f"  ! Alarm {alarm.id} ({alarm.kind}, {alarm.status}): {_began(alarm)}", "warn"))
    if drift.note:
        lines.append(Line(drift.note))
    elif drift.next_at is not None:
        lines.append(Line(f"The next check comes {age(drift.next_at, now)}; {drift.waiting_rows:,} new rows wait."))
    return lines


def _began(alarm: AlarmView) -> str:
    first = alarm.evidence.get("columns") or [alarm.subject]
    joined = f", then {', '.join(str(column) for column in first[1:])}" if len(first) > 1 else ""
    since = f" on {alarm.changed_from:%Y-%m-%d %H:%M}" if alarm.changed_from is not None else ""
    if alarm.kind not in ("drift", "quality"):
        return alarm.message
    return f"first {first[0]}{since}{joined}."


def check_row(check: CheckView, now: datetime) -> list[Cell]:
    """One check in a list."""
    glyphs: Mapping[str, Cell] = {
        "quiet": Cell("✓ quiet", "good"),
        "alarm": Cell("! alarm", "bad"),
        "insufficient": Cell("? insufficient", "warn"),
    }
    return [
        number(str(check.id)),
        glyphs[check.outcome],
        cell(f"@{check.version}"),
        number(f"{check.rows:,}"),
        cell(None if check.first_at is None else f"{check.first_at:%Y-%m-%d %H:%M}"),
        cell(None if check.last_at is None else f"{check.last_at:%Y-%m-%d %H:%M}"),
        cell(", ".join(check.drifted) or None),
        cell(age(check.created_at, now)),
        cell(check.by),
    ]


def alarm_row(alarm: AlarmView, now: datetime) -> list[Cell]:
    """One alarm in a list."""
    return [
        number(str(alarm.id)),
        state_cell(alarm.status),
        cell(f"{alarm.model}@{alarm.version}", "strong"),
        cell(alarm.kind),
        cell(alarm.subject),
        number(f"{alarm.times_seen}×"),
        cell(age(alarm.opened_at, now)),
        cell(alarm.retrain_id),
    ]


def state_cell(status: str) -> Cell:
    """Of an alarm, as glyph and word."""
    states: Mapping[str, Cell] = {
        "open": Cell("! open", "bad"),
        "acknowledged": Cell("◐ acknowledged", "warn"),
        "closed": Cell("■ closed", "dim"),
    }
    return states.get(status, cell(status))


def _times(number_: int) -> str:
    return "once" if number_ == 1 else f"{number_:,} times"


def alarm_lines(alarm: AlarmView) -> list[Line]:
    """One alarm whole: what, since when, who answered it, and what to do next."""
    tone: Tone = "bad" if alarm.status == "open" else "plain"
    lines = [Line(f"Alarm {alarm.id} · {alarm.kind} · {alarm.status}: {alarm.message}", tone)]
    lines.append(Line(f"  opened {exact(alarm.opened_at)}, seen {_times(alarm.times_seen)}", "dim"))
    if alarm.acknowledged_by is not None:
        lines.append(Line(f"  acknowledged by {alarm.acknowledged_by} {exact(alarm.acknowledged_at)}", "dim"))
    if alarm.closed_by is not None:
        lines.append(Line(f"  closed by {alarm.closed_by} {exact(alarm.closed_at)}", "dim"))
    if alarm.note:
        lines.append(Line(f"  {alarm.note}", "dim"))
    if alarm.status != "closed":
        lines.append(Line(f"→ {alarm.hint}"))
    return lines
