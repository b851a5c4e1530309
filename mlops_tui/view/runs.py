"""Runs as rows and facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, cell, mark, number
from mlops_tui.view.clean import clean
from mlops_tui.view.columns import Column
from mlops_tui.view.figures import metric
from mlops_tui.view.metrics import arrow, less_is_better
from mlops_tui.view.times import age, duration, exact

if TYPE_CHECKING:
    from engine.wire.runs import CandidateView, RunView

RUN_COLUMNS = (
    Column("run", 6, right=True),
    Column("project", 12, rank=1, widest=24),
    Column("status", 11),
    Column("verdict", 14, rank=2),
    Column("version", 5, rank=4, widest=7, head="ver"),
    Column("value", 7, rank=3, right=True),
    Column("metric", 9, rank=9, widest=19),
    Column("took", 6, rank=7, right=True),
    Column("when", 8, rank=5),
    Column("by", 8, rank=8),
    Column("reason", 24, rank=6, widest=200),
)
RUN_HEADS = ("run", "project", "status", "verdict", "version", "metric", "value", "took", "when", "by", "reason")
CANDIDATE_HEADS = ("candidate", "kind", "status", "best", "metrics on validation", "note")


def run_row(run: RunView, now: datetime) -> list[Cell]:
    """One run in a list."""
    return [
        number(str(run.id)),
        cell(run.project),
        mark(run.status),
        mark(run.verdict),
        cell(None if run.version is None else f"@{run.version}"),
        cell(f"{run.metric} {arrow(run.metric)}"),
        number(metric(judged_value(run))),
        number(took(run, now)),
        cell(age(run.created_at, now)),
        cell(run.by),
        cell(run.reason),
    ]


def run_cells(run: RunView, now: datetime, fraction: float | None = None) -> dict[str, Cell]:
    """The cells of one run, by column; `fraction` is how far its job is."""
    cells = dict(zip(RUN_HEADS, run_row(run, now), strict=True))
    if run.status == "running" and fraction is not None:
        cells["status"] = Cell(f"{cells['status'].text[0]} train {fraction:.0%}", "busy")
    if run.failure is not None:
        cells["reason"] = cell(run.failure.message, "bad")
    return cells


def run_words(run: RunView) -> str:
    """What a filter looks through."""
    failed = run.failure.message if run.failure else ""
    parts = (run.id, run.project, run.status, run.verdict or "", run.by, run.reason, failed)
    return " ".join(str(part) for part in parts).lower()


def best_first(runs: Sequence[RunView]) -> list[RunView]:
    """By the judging metric; those without a value come last."""

    def place(run: RunView) -> tuple[bool, float]:
        value = judged_value(run)
        if value is None:
            return True, 0.0
        return False, value if less_is_better(run.metric) else -value

    return sorted(runs, key=place)


def judged_value(run: RunView) -> float | None:
    """The judging metric on test; before that on validation."""
    return run.metrics.get(f"test.{run.metric}", run.metrics.get(run.metric))


def took(run: RunView, now: datetime) -> str:
    """How long it ran, or has run so far."""
    if run.started_at is None:
        return "–"
    return duration(((run.ended_at or now) - run.started_at).total_seconds())


def run_facts(run: RunView, now: datetime) -> list[tuple[str, Cell]]:
    """Everything of one run but its candidates."""
    facts = [
        ("run", cell(f"{run.id} of {run.project}", "strong")),
        ("status", mark(run.status)),
        ("verdict", mark(run.verdict)),
        ("version", cell(None if run.version is None else f"{run.project}@{run.version}")),
        ("metric", cell(f"{run.metric} {arrow(run.metric)} {metric(judged_value(run))}")),
        ("by", cell(f"{run.by}{': ' + run.reason if run.reason else ''}")),
        ("when", cell(f"{exact(run.created_at)} ({age(run.created_at, now)}), took {took(run, now)}")),
        ("seed", cell(run.seed)),
        ("data", cell(run.snapshot_sha256 and f"snapshot {run.snapshot_id} · {run.snapshot_sha256[:12]}")),
        ("code", cell(run.code_sha256 and code_of(run.code_sha256, run.git_commit))),
        ("job", cell(run.job_id)),
    ]
    if run.failure is not None:
        facts.append(("failure", cell(f"{run.failure.message} {run.failure.hint}", "bad")))
    facts += [(f"split.{key}", cell(value)) for key, value in run.split.items()]
    facts += [(f"param.{key}", cell(value)) for key, value in run.params.items()]
    facts += [(key, cell(metric(value))) for key, value in sorted(run.metrics.items())]
    return facts


def code_of(sha256: str, git_commit: str | None) -> str:
    """A code tree by its hash, and by its commit where there is one."""
    return sha256[:12] + (f" · git {git_commit[:12]}" if git_commit else "")


def candidate_row(candidate: CandidateView) -> list[Cell]:
    """One candidate of a run."""
    figures = " · ".join(f"{key} {metric(value)}" for key, value in sorted(candidate.metrics.items()))
    return [
        cell(candidate.name, "strong" if candidate.best else "plain"),
        cell(candidate.kind),
        mark(candidate.status),
        Cell("★ best", "good") if candidate.best else Cell(""),
        cell(figures),
        cell(candidate.note),
    ]


def candidate_columns(judging: str) -> tuple[Column, ...]:
    """The leaderboard's, with the judging metric at the head of its values."""
    return (
        Column("candidate", 16, widest=40),
        Column("status", 9, rank=2),
        Column("best", 1, rank=1, head=" "),
        Column("value", 9, right=True, widest=19, head=f"{judging} {arrow(judging)}"),
        Column("params", 16, rank=4, widest=60, head="parameters"),
        Column("others", 36, rank=5, widest=200, head="other metrics on validation"),
        Column("note", 10, rank=6, widest=100),
    )


def candidate_cells(candidate: CandidateView, judging: str) -> dict[str, Cell]:
    """One candidate on the leaderboard."""
    others = {key: value for key, value in sorted(candidate.metrics.items()) if key not in (judging, "threshold")}
    return {
        "candidate": cell(candidate.name, "strong" if candidate.best else "plain"),
        "status": mark(candidate.status),
        "best": Cell("★" if candidate.best else "", "good"),
        "value": number(metric(candidate.metrics.get(judging))),
        "params": cell(" ".join(f"{key}={_short(value)}" for key, value in candidate.params.items())),
        "others": cell(" · ".join(f"{key} {metric(value)}" for key, value in others.items()), "dim"),
        "note": cell(candidate.note, "bad" if candidate.status == "failed" else "plain"),
    }


def candidate_words(candidate: CandidateView) -> str:
    """What a filter looks through."""
    params = " ".join(f"{key}={value}" for key, value in candidate.params.items())
    return f"{candidate.name} {candidate.kind} {candidate.status} {params} {candidate.note}".lower()


def candidate_facts(candidate: CandidateView) -> list[tuple[str, Cell]]:
    """All of one candidate."""
    facts = [
        ("candidate", cell(candidate.name, "strong")),
        ("kind", cell(candidate.kind or None)),
        ("status", mark(candidate.status)),
        ("best", cell("★ the best of this run" if candidate.best else "no", "good" if candidate.best else "dim")),
    ]
    if candidate.note:
        facts.append(("note", cell(candidate.note, "bad" if candidate.status == "failed" else "plain")))
    facts += [(f"param.{cell(key).text}", cell(value)) for key, value in candidate.params.items()]
    return facts + [(cell(key).text, cell(metric(value))) for key, value in sorted(candidate.metrics.items())]


def leaderboard_orders(judging: str) -> Mapping[str, Callable[[CandidateView], Any] | None]:
    """Orders that `s` walks through; None: as they were begun."""
    sign = 1.0 if less_is_better(judging) else -1.0

    def place(candidate: CandidateView) -> tuple[bool, float, str]:
        value = candidate.metrics.get(judging)
        return value is None, 0.0 if value is None else sign * value, candidate.name

    return {"best first": place, "by name": lambda one: one.name, "as begun": None}


def run_head(run: RunView, now: datetime, fraction: float | None, doing: str) -> list[Cell]:
    """How a run stands, and why it failed or what the gate said, in whole sentences; the first line is its status."""
    status = mark(run.status)
    told = status.text
    if run.status == "running":
        told = " · ".join(part for part in (told, "" if fraction is None else f"{fraction:.0%}", doing) if part)
    when = f"{took(run, now)} · {age(run.created_at, now)} by {clean(run.by, longest=40)}"
    why = f": {clean(run.reason, longest=160)}" if run.reason else ""
    lines = [Cell(f"{told} · {when}{why}", status.tone)]
    if run.failure is not None:
        lines.append(cell(f"✗ {run.failure.message} {run.failure.hint}", "bad"))
    return lines


def _short(value: Any) -> str:
    return metric(value) if isinstance(value, float) else str(value)
