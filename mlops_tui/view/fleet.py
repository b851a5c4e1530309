"""The fleet: a row for each model with its whole loop."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell, mark, number
from mlops_tui.view.columns import Column
from mlops_tui.view.figures import count, metric, milliseconds, rate, share
from mlops_tui.view.metrics import arrow
from mlops_tui.view.monitoring_rows import drift_cell, next_cell, waits_cell
from mlops_tui.view.needs import needs_told
from mlops_tui.view.sparkline import sparkline
from mlops_tui.view.times import age, exact
from mlops_tui.view.width import fit

if TYPE_CHECKING:
    from engine.wire.fleet import FleetRow

FLEET_COLUMNS = (
    Column("model", 10, widest=40),
    Column("asks", 1, head=" "),
    Column("data", 7, rank=2, right=True),
    Column("train", 11, rank=1),
    Column("gate", 11, rank=2),
    Column("live", 10, rank=1),
    Column("drift", 15, rank=1),
    Column("next", 6, rank=3),
    Column("champion", 5, rank=4, widest=8, head="champ"),
    Column("challenger", 10, rank=9),
    Column("traffic", 7, rank=5, right=True),
    Column("p95", 7, rank=6, right=True),
    Column("errors", 6, rank=7, right=True),
    Column("metric", 7, rank=8, right=True),
    Column("judged", 17, rank=12, head="judged by"),
    Column("history", 8, rank=10, widest=20),
    Column("alarms", 6, rank=10, right=True),
    Column("needs", 20, rank=11, widest=60),
)


def fleet_cells(row: FleetRow, now: datetime) -> dict[str, Cell]:
    """The cells of one model, by column."""
    traffic = row.traffic
    return {
        "asks": Cell("▲", "warn") if row.needs else Cell(""),
        "model": cell(row.name, "strong"),
        "data": number(count(row.data_rows)),
        "train": train_cell(row, now),
        "gate": gate_cell(row),
        "live": live_cell(row),
        "drift": drift_cell(row, now),
        "next": next_cell(row, now),
        "champion": cell(None if row.champion is None else f"@{row.champion}"),
        "challenger": challenger_cell(row),
        "traffic": number(rate(traffic.requests_per_s)),
        "p95": number(milliseconds(traffic.p95_ms)),
        "errors": number(share(traffic.error_share), "bad" if traffic.error_share else "plain"),
        "metric": number(metric(row.champion_metric)),
        "judged": cell(f"{row.metric} {arrow(row.metric)}", "dim"),
        "history": Cell(sparkline(row.metric_history, 20), "busy"),
        "alarms": number(f"! {row.open_alarms}", "bad") if row.open_alarms else number("0", "dim"),
        "needs": cell(needs_told(row), "warn"),
    }


def train_cell(row: FleetRow, now: datetime) -> Cell:
    """How the newest training run stands: a percentage while it runs, its age when it is over."""
    status = mark(row.train_status)
    if row.train_status == "running":
        told = "running" if row.train_fraction is None else f"train {row.train_fraction:.0%}"
        return Cell(f"{status.text[0]} {told}", "busy")
    if row.train_status in ("succeeded", None):
        return Cell(f"✓ {age(row.train_at, now)}", "good") if row.train_status else status
    return status


def gate_cell(row: FleetRow) -> Cell:
    """The newest verdict and the version it is about."""
    outcome = mark(row.gate)
    if row.gate is None or row.gate_version is None:
        return outcome
    word = "unsure" if row.gate == "insufficient" else row.gate
    return Cell(f"{outcome.text[0]} {cell(word).text} @{row.gate_version}", outcome.tone)


def live_cell(row: FleetRow) -> Cell:
    """How the newest deployment stands; once it is live, with the version that answers."""
    status = mark(row.live_status)
    return Cell(f"{status.text} @{row.live_version}", status.tone) if row.live_status == "live" else status


def challenger_cell(row: FleetRow) -> Cell:
    """The version that is being tried beside the champion, and its part of the traffic."""
    if row.challenger is None:
        return cell(None)
    part = "" if row.challenger_share is None else f" {share(row.challenger_share)}"
    return Cell(f"@{row.challenger}{part}", "busy")


def needs_lines(rows: Sequence[FleetRow], most: int, width: int) -> list[Cell]:
    """What needs a person in at most `most` lines, the last of which says how many more; empty when nothing does."""
    asking = [row for row in rows if row.needs]
    if not asking or most < 1:
        return []
    more = f" · {len(asking) - most} more" if len(asking) > most else ""
    *first, last = [cell(f"▲ {row.name}: {needs_told(row)}").text for row in asking[:most]]
    lines = [fit(text, width).rstrip() for text in first] + [fit(last, width - len(more)).rstrip() + more]
    return [Cell(line, "warn") for line in lines]


def fleet_facts(row: FleetRow, now: datetime) -> list[tuple[str, Cell]]:
    """All of one model's loop, for `describe`."""
    traffic = row.traffic
    return [
        ("model", cell(f"{row.name} · {row.task}", "strong")),
        ("needs", Cell(f"▲ {cell(row.needs).text}", "warn") if row.needs else cell("nothing", "dim")),
        ("data", cell(None if row.data_at is None else f"{count(row.data_rows)} rows, {_when(row.data_at, now)}")),
        ("train", train_cell(row, now)),
        ("trained", cell(None if row.train_at is None else _when(row.train_at, now))),
        ("job", cell(row.job_id if row.job_id is not None else row.last_job_id)),
        ("gate", gate_cell(row)),
        ("live", live_cell(row)),
        ("champion", cell(None if row.champion is None else f"{row.name}@{row.champion}")),
        ("challenger", challenger_cell(row)),
        ("drift", drift_cell(row, now)),
        ("drifted", cell(", ".join(row.watched.drifted) or None)),
        ("next look", next_cell(row, now)),
        ("waits for", waits_cell(row, now)),
        ("alarms", cell(f"{row.open_alarms} open, {row.watched.alarms} not closed")),
        ("traffic", cell(rate(traffic.requests_per_s))),
        ("latency", cell(_latency(row))),
        ("errors", cell(share(traffic.error_share), "bad" if traffic.error_share else "plain")),
        ("metric", cell(f"{row.metric} {arrow(row.metric)}")),
        ("history", cell(" ".join(metric(value) for value in row.metric_history) or None)),
    ]


def _when(at: datetime, now: datetime) -> str:
    return f"{exact(at)} ({age(at, now)})"


def _latency(row: FleetRow) -> str:
    seen = row.traffic
    named = (("p50", seen.p50_ms), ("p95", seen.p95_ms), ("p99", seen.p99_ms))
    return " · ".join(f"{name} {milliseconds(value)}" for name, value in named)


def fleet_words(row: FleetRow) -> str:
    """What a filter looks through."""
    parts = (row.name, row.task, row.train_status, row.gate, row.live_status, row.needs)
    return " ".join(part for part in parts if part).lower()


def _by_name(row: FleetRow) -> tuple[str, ...]:
    return (row.name,)


def _by_traffic(row: FleetRow) -> tuple[float, str]:
    return (-(row.traffic.requests_per_s or 0.0), row.name)


def _by_trained(row: FleetRow) -> tuple[float, str]:
    return (-(row.train_at.timestamp() if row.train_at else 0.0), row.name)


FLEET_ORDERS = {"what needs you": None, "name": _by_name, "traffic": _by_traffic, "last trained": _by_trained}
"""Orders that `s` walks through; None: as the engine gives them, those that need somebody first."""
