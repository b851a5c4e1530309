"""Step `check`: what the figures say is decided here, in the transaction that stores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.blobs.store import Stored
from engine.errors import InvalidInput
from engine.failpoint import failpoint
from engine.lifecycle.judge_performance import apply_labelled
from engine.lifecycle.parts import Parts
from engine.lifecycle.raise_alarms import raise_alarms
from engine.lifecycle.steps.step import Apply, Posted, adopt, checked
from engine.lifecycle.stored_blobs import record_blobs
from engine.monitoring.alarm_budget import Decision, decide
from engine.registry.core import CHECK_FIGURE
from engine.registry.events import ENGINE
from engine.registry.queue import end_job
from engine.registry.tables import Alias, Job, ModelCheck, Project, Version, now
from engine.registry.tx import Tx
from engine.wire.monitoring import CheckOutcome
from engine.wire.work import CheckOrder, CheckResult, ColumnFigures


@dataclass(frozen=True)
class _Looked:
    """All that the transaction needs, read beforehand."""

    order: CheckOrder
    result: CheckResult
    figures: Stored | None
    decision: Decision | None
    """None: too few rows."""

    @property
    def outcome(self) -> CheckOutcome:
        return self.decision.outcome if self.decision is not None else "insufficient"


def prepare(parts: Parts, posted: Posted) -> Apply:
    """Adopt the distributions, and decide by the pure rule.

    The transaction writes the check with its figures, and brings the alarms up to date; a check of a file that
    somebody gave raises none, nor does one of a version that no longer reigns.
    """
    result = _with_names_apart(checked(posted, CheckResult))
    order = CheckOrder.model_validate(posted.args)
    decision = _decide(order, result) if result.figures is not None else None
    figures = adopt(parts, posted.folder, result.figures) if result.figures is not None else None
    looked = _Looked(order, result, figures, decision)

    def apply(tx: Tx, job: Job) -> None:
        project = tx.get(Project, job.project_id or 0)
        version = tx.first(Version, Version.project_id == job.project_id, Version.number == order.version)
        if project is None or version is None:
            raise InvalidInput(f"Job {job.id} looked at no version.", job=job.id)
        check = _record(tx, job, project, version, looked)
        _tell(tx, job, project, check, looked)
        if decision is not None and order.source == "captures":
            _follow(tx, project, version, check, decision)
        if result.labelled is not None and order.labels is not None:
            apply_labelled(tx, project, result.labelled, metric=order.labels.metric, check_id=check.id)
        end_job(tx, ENGINE, job, "succeeded", result={"check": check.id, "outcome": check.outcome})
        failpoint("check.applied")

    return apply


def _decide(order: CheckOrder, result: CheckResult) -> Decision:
    return decide(
        result.columns,
        result.findings,
        rows=result.rows,
        reference_rows=result.reference_rows,
        alarms_per_year=order.alarms_per_year,
        checks_per_year=order.checks_per_year,
    )


def _with_names_apart(result: CheckResult) -> CheckResult:
    """An answer called as a column is, is called otherwise: figures are stored by name."""
    inputs = {one.column for one in result.columns if one.kind != "prediction"}
    columns = [
        one.model_copy(update={"column": f"answer {one.column}"})
        if one.kind == "prediction" and one.column in inputs
        else one
        for one in result.columns
    ]
    return result.model_copy(update={"columns": list({one.column: one for one in columns}.values())})


def _record(tx: Tx, job: Job, project: Project, version: Version, looked: _Looked) -> ModelCheck:
    order, result, decision = looked.order, looked.result, looked.decision
    if looked.figures is not None:
        record_blobs(tx, [looked.figures])
    check = tx.add(
        ModelCheck(
            project_id=project.id or 0,
            version_id=version.id or 0,
            job_id=job.id or 0,
            source=order.source,
            outcome=looked.outcome,
            rows=result.rows,
            after_file=order.after_file,
            # Too few rows wait until there are enough of them.
            until_file=order.until_file if decision is not None else order.after_file,
            first_at=result.first_at,
            last_at=result.last_at,
            drifted=list(decision.drifted) if decision else [],
            findings=[finding.model_dump(mode="json") for finding in decision.findings] if decision else [],
            threshold=decision.threshold.model_dump(mode="json") if decision else {},
            figures_sha256=looked.figures.sha256 if looked.figures else None,
            created_at=now(),
            created_by=job.created_by,
        )
    )
    figures = [_figure(check, one) for one in result.columns] if decision is not None else []
    if figures:
        tx.execute(_ADD_FIGURE, figures)
    return check


def _figure(check: ModelCheck, one: ColumnFigures) -> dict[str, Any]:
    measured = one.model_dump(include={"column", "kind", "distance", "p_value", "psi", "wasserstein", "null_share"})
    return measured | {"check_id": check.id, "drifted": one.column in check.drifted}


def _tell(tx: Tx, job: Job, project: Project, check: ModelCheck, looked: _Looked) -> None:
    tx.event(
        ENGINE, "check.done", f"{project.name}@{looked.order.version}", project.id,
        check=check.id, job=job.id, version=looked.order.version, source=check.source, outcome=check.outcome,
        rows=check.rows, drifted=check.drifted, faults=[finding["message"] for finding in check.findings],
    )  # fmt: skip


def _follow(tx: Tx, project: Project, version: Version, check: ModelCheck, decision: Decision) -> None:
    alias = tx.get(Alias, (project.id, "champion"))
    if alias is None or alias.version_id != version.id:
        return
    faults = [finding for finding in decision.findings if finding.alarming]
    raise_alarms(tx, project, version.number, check, decision.moved, faults)


_ADD_FIGURE = CHECK_FIGURE.insert()
