"""Runs as rows and facts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell, mark, number
from mlops_tui.view.figures import metric
from mlops_tui.view.metrics import arrow
from mlops_tui.view.times import age, duration, exact

if TYPE_CHECKING:
    from engine.wire.runs import CandidateView, RunView

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
