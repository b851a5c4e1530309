"""Models, their versions and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_tui.view.cell import Cell, cell, mark, number
from mlops_tui.view.figures import count, metric, share, size
from mlops_tui.view.metrics import arrow
from mlops_tui.view.runs import code_of
from mlops_tui.view.times import age, exact

if TYPE_CHECKING:
    from engine.wire.models import ModelView, VersionView

MODEL_HEADS = ("model", "task", "champion", "latest", "last verdict", "metric", "value", "versions", "since")
VERSION_HEADS = ("version", "verdict", "metric", "value", "approved", "traffic", "aliases", "candidate", "when", "by")


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
