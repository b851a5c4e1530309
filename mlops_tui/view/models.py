"""Models, their versions and their verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, cell, mark, number
from mlops_tui.view.columns import Column
from mlops_tui.view.figures import count, metric, share, size
from mlops_tui.view.metrics import arrow, less_is_better
from mlops_tui.view.runs import code_of
from mlops_tui.view.times import age, exact

if TYPE_CHECKING:
    from engine.wire.models import ModelView, VersionView

MODEL_HEADS = ("model", "task", "champion", "latest", "last verdict", "metric", "value", "versions", "since")
VERSION_HEADS = ("version", "verdict", "metric", "value", "approved", "traffic", "aliases", "candidate", "when", "by")

MODEL_COLUMNS = (
    Column("model", 12, widest=40),
    Column("task", 10, rank=7),
    Column("champion", 5, rank=1, widest=8, head="champ"),
    Column("latest", 6, rank=3),
    Column("last verdict", 14, rank=2),
    Column("metric", 19, rank=6),
    Column("value", 7, rank=2, right=True),
    Column("versions", 8, rank=4, right=True),
    Column("since", 8, rank=8),
)


def version_columns(judging: str) -> tuple[Column, ...]:
    """The list of a model's versions, with the judging metric at the head of its values."""
    return (
        Column("version", 12, widest=44),
        Column("verdict", 14),
        Column("value", 8, right=True, widest=19, head=f"{judging} {arrow(judging)}" if judging else "value"),
        Column("interval", 18, rank=4, widest=22, head="90 % interval"),
        Column("approved", 12, rank=2, widest=20),
        Column("traffic", 7, rank=1, right=True),
        Column("aliases", 10, rank=3, widest=20),
        Column("when", 8, rank=5),
        Column("candidate", 12, rank=6, widest=30),
        Column("by", 8, rank=7, widest=16),
    )


def model_cells(model: ModelView, now: datetime) -> dict[str, Cell]:
    """The cells of one model, by column."""
    return dict(zip(MODEL_HEADS, model_row(model, now), strict=True))


def model_words(model: ModelView) -> str:
    """What a filter looks through."""
    return f"{model.name} {model.task} {model.last_verdict or ''} {model.metric}".lower()


def _latest_first(model: ModelView) -> tuple[bool, str]:
    order = ("insufficient", "fail", "pass", None)
    return model.champion is not None, f"{order.index(model.last_verdict)}{model.name}"


MODEL_ORDERS: dict[str, Callable[[ModelView], Any] | None] = {
    "by name": None,
    "not released first": _latest_first,
    "by versions": lambda model: -model.versions,
}
"""Orders that `s` walks through; None: as the engine gives them."""


def model_facts(model: ModelView, now: datetime) -> list[tuple[str, Cell]]:
    """All of one model."""
    return [
        ("model", cell(model.name, "strong")),
        ("task", cell(f"{model.task}, judged by {model.metric} {arrow(model.metric)}")),
        ("champion", cell(None if model.champion is None else f"{model.name}@{model.champion}")),
        ("latest", cell(None if model.latest is None else f"{model.name}@{model.latest}")),
        ("last verdict", mark(model.last_verdict)),
        ("its value", cell(metric(model.last_metric))),
        ("versions", cell(model.versions)),
        ("since", cell(f"{exact(model.created_at)} ({age(model.created_at, now)})")),
    ]


def model_row(model: ModelView, now: datetime) -> list[Cell]:
    """One model in a list."""
    return [
        cell(model.name, "strong"),
        cell(model.task),
        version_cell(model.champion),
        version_cell(model.latest),
        mark(model.last_verdict),
        cell(f"{model.metric} {arrow(model.metric)}"),
        number(metric(model.last_metric)),
        number(count(model.versions)),
        cell(age(model.created_at, now)),
    ]


def version_cell(number_: int | None) -> Cell:
    """`@3`, or nothing."""
    return cell(None if number_ is None else f"@{number_}")


def version_row(version: VersionView, now: datetime) -> list[Cell]:
    """One version in a list."""
    return [
        cell(f"{version.model}@{version.number}", "strong"),
        mark(version.verdict.outcome),
        cell(f"{version.metric} {arrow(version.metric)}"),
        number(metric(version.metrics.get(version.metric))),
        approval_cell(version),
        number(share(version.share)),
        cell(" ".join(version.aliases)),
        cell(version.lineage.candidate),
        cell(age(version.created_at, now)),
        cell(version.lineage.by),
    ]


def version_cells(version: VersionView, now: datetime) -> dict[str, Cell]:
    """The cells of one version, by column."""
    lower, upper = version.verdict.evidence.get("lower"), version.verdict.evidence.get("upper")
    known = isinstance(lower, float | int) and isinstance(upper, float | int)
    between = f"[{metric(lower)}, {metric(upper)}]" if known else None
    return dict(zip(VERSION_HEADS, version_row(version, now), strict=True)) | {"interval": cell(between, "dim")}


def version_words(version: VersionView) -> str:
    """What a filter looks through."""
    approved = version.approval.by if version.approval else "not yet"
    told = " ".join((*version.aliases, version.verdict.outcome, version.lineage.candidate, version.lineage.by))
    return f"{version.model}@{version.number} {told} {approved} {version.lineage.reason}".lower()


def _by_metric(version: VersionView) -> tuple[bool, float]:
    value = version.metrics.get(version.metric)
    sign = 1.0 if less_is_better(version.metric) else -1.0
    return value is None, 0.0 if value is None else sign * value


VERSION_ORDERS: dict[str, Callable[[VersionView], Any] | None] = {
    "newest first": None,
    "best first": _by_metric,
    "by traffic": lambda version: (-version.share, -version.number),
}
"""Orders that `s` walks through; None: as the engine gives them."""


def approval_cell(version: VersionView) -> Cell:
    """Who approved it, and whether against the gate."""
    approval = version.approval
    if approval is None:
        return cell("○ not yet", "dim")
    return (
        cell(f"✓ {approval.by}", "good") if approval.override is None else cell(f"! {approval.by} (override)", "warn")
    )


def verdict_lines(version: VersionView) -> list[Cell]:
    """What the gate said, the deciding reason first, and the figures on test."""
    outcome = mark(version.verdict.outcome)
    head = f"{outcome.text}: {version.model}@{version.number} ({version.lineage.candidate})"
    judging_first = sorted(version.metrics.items(), key=lambda one: one[0] != version.metric)
    figures = " · ".join(f"{key} {metric(value)}" for key, value in judging_first)
    return [
        cell(head, outcome.tone),
        *(cell(f"  {reason}") for reason in version.verdict.reasons),
        cell(f"  on test: {figures}"),
    ]


def version_facts(version: VersionView, now: datetime) -> list[tuple[str, Cell]]:
    """All of one version, with its lineage."""
    made = version.lineage
    approval = version.approval
    facts = [
        ("task", cell(f"{version.task}, target {version.target}")),
        ("made", cell(f"{exact(version.created_at)} ({age(version.created_at, now)}) by {made.by}")),
        ("why", cell(made.reason or None)),
        ("approved", approval_cell(version)),
        ("override", cell(approval.override if approval else None)),
        ("traffic", cell(f"{share(version.share)}{' · ' + ' '.join(version.aliases) if version.aliases else ''}")),
        ("run", cell(f"{made.run_id}, seed {made.seed}")),
        ("data", cell(f"snapshot {made.snapshot_id} · {made.snapshot_sha256[:12]}")),
        ("code", cell(code_of(made.code_sha256, made.git_commit) + (" (changed since)" if made.git_dirty else ""))),
        ("candidate", cell(f"{made.candidate} {_listed(made.params)}")),
        ("environment", cell(_listed(made.environment))),
        ("classes", cell(", ".join(str(one) for one in version.classes) or None)),
        ("threshold", cell(None if version.threshold is None else metric(version.threshold))),
        ("id, time", cell(f"{version.id_column or '–'}, {version.time_column or '–'}")),
        ("bundle", cell(f"{len(version.bundle)} files, {size(sum(one.size_bytes for one in version.bundle))}")),
    ]
    facts += [(f"on test: {key}", cell(metric(value))) for key, value in sorted(version.metrics.items())]
    return facts + [
        (f"evidence: {key}", cell(_value(value) or None)) for key, value in version.verdict.evidence.items()
    ]


def input_row(column: Mapping[str, Any]) -> list[Cell]:
    """One input of a version."""
    known = column.get("categories") or []
    told = ", ".join(str(one) for one in known[:8]) + (f", … {len(known)} in all" if len(known) > 8 else "")
    return [
        cell(column.get("name")),
        cell(column.get("type")),
        cell("may be null" if column.get("nullable") else "never null", "dim"),
        cell(told),
    ]


INPUT_HEADS = ("input", "type", "null", "categories")


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={_value(value)}" for key, value in values.items())


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return metric(value)
    if isinstance(value, Mapping):
        return "{" + _listed(value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return str(value)
