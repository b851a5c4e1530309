"""Jobs as rows and facts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell, mark, number
from mlops_tui.view.clean import clean
from mlops_tui.view.columns import Column
from mlops_tui.view.figures import count
from mlops_tui.view.sparkline import progress_bar
from mlops_tui.view.times import age, duration, exact

if TYPE_CHECKING:
    from engine.wire.jobs import JobView

JOB_HEADS = ("job", "kind", "project", "status", "progress", "took", "when", "by", "what")


JOB_COLUMNS = (
    Column("job", 6, right=True),
    Column("kind", 7, rank=3),
    Column("project", 12, rank=1, widest=20),
    Column("status", 11),
    Column("progress", 11, rank=2),
    Column("took", 6, rank=4, right=True),
    Column("when", 8, rank=5),
    Column("by", 8, rank=6),
    Column("what", 24, widest=400),
)


def job_cells(job: JobView, now: datetime) -> dict[str, Cell]:
    """The cells of one job, by column."""
    return dict(zip(JOB_HEADS, job_row(job, now), strict=True))


def job_words(job: JobView) -> str:
    """What a filter looks through."""
    return f"{job.id} {job.kind} {job.project or ''} {job.status} {job.by} {what_cell(job).text} {job.reason}".lower()


def job_row(job: JobView, now: datetime) -> list[Cell]:
    """One job in a list."""
    return [
        number(str(job.id)),
        cell(job.kind),
        cell(job.project),
        mark(job.status),
        progress_cell(job),
        number(took(job, now)),
        cell(age(job.created_at, now)),
        cell(job.by),
        what_cell(job, estimate(job, now)),
    ]


def progress_cell(job: JobView, width: int = 6) -> Cell:
    """A bar with its percentage while it runs; nothing before and after."""
    if job.status != "running":
        return Cell("")
    percent = "  ?%" if job.fraction is None else f"{job.fraction:4.0%}"
    return Cell(f"{progress_bar(job.fraction, width)} {percent}", "busy")


def what_cell(job: JobView, left: str = "") -> Cell:
    """What a person wants to know of it now: why it waits, what it does, why it failed, what came out.

    `left` is an estimate of the rest.
    """
    if job.failure is not None:
        return cell(job.failure.message, "bad")
    if job.status == "queued":
        return cell(f"waits: {job.waits_for}" if job.waits_for else "waits", "warn")
    if job.status == "running":
        return cell(" · ".join(part for part in (job.step, left, job.note) if part), "busy")
    return cell(outcome_of(job) or job.reason)


def outcome_of(job: JobView) -> str:
    """What a finished job came to: `fraud@3 pass` of `train`, `quiet` of `check`, rows of the others, or nothing."""
    if isinstance(found := job.result.get("outcome"), str):
        return found
    version, verdict = job.result.get("version"), job.result.get("verdict")
    if version is None:
        rows = job.result.get("rows")
        return f"{count(rows)} rows" if isinstance(rows, int) else ""
    outcome = verdict.get("outcome", "") if isinstance(verdict, dict) else verdict or ""
    return f"{job.project}@{version} {outcome}".strip()


def took(job: JobView, now: datetime) -> str:
    """How long it ran, or has run so far."""
    if job.started_at is None:
        return "–"
    return duration(((job.ended_at or now) - job.started_at).total_seconds())


def estimate(job: JobView, now: datetime) -> str:
    """How much longer, going by what is done; empty where that says too little."""
    if job.status != "running" or job.started_at is None or job.fraction is None or job.fraction < 0.05:
        return ""
    spent = (now - job.started_at).total_seconds()
    return f"about {duration(spent / job.fraction - spent)} left"


def job_facts(job: JobView, now: datetime) -> list[tuple[str, Cell]]:
    """All of one job."""
    facts = [
        ("job", cell(f"{job.id} · {job.kind}", "strong")),
        ("project", cell(job.project)),
        ("status", mark(job.status)),
        ("what", what_cell(job)),
        ("progress", cell(f"{progress_cell(job).text} {estimate(job, now)}".strip() or None)),
        ("step", cell(job.step)),
        ("attempt", cell(job.attempt)),
        ("by", cell(f"{job.by}{': ' + job.reason if job.reason else ''}")),
        ("asked", cell(exact(job.created_at))),
        ("started", cell(exact(job.started_at))),
        ("ended", cell(f"{exact(job.ended_at)}, took {took(job, now)}" if job.ended_at else None)),
        ("run", cell(job.run_id)),
    ]
    if job.failure is not None:
        facts.append(("hint", cell(job.failure.hint or None)))
    if job.kind != "look":
        facts += [(f"result: {clean(key)}", cell(value)) for key, value in job.result.items()]
    return facts
