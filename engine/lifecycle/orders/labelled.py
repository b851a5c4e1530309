"""Where captures and labels of a model lie, as jobs that read them are told."""

from __future__ import annotations

from engine.lifecycle.parts import Parts
from engine.project import Project as ProjectFile
from engine.project import interval_s
from engine.registry.tables import CaptureFile, LabelFile, LabelSummary, PerformanceWindow, Project, Version
from engine.registry.tx import Tx, col
from engine.wire.work import CheckedLabels, FreshRows, WindowFigures


def fresh_rows(tx: Tx, parts: Parts, project: Project) -> FreshRows | None:
    """All capture files that are still there, and all label files, oldest first. None: nothing is labelled yet."""
    labels = tx.all(LabelFile, LabelFile.project_id == project.id, oldest=LabelFile.id)
    return _rows(tx, parts, project, capture_files(tx, project), labels) if labels else None


def checked_labels(tx: Tx, parts: Parts, project: Project, told: ProjectFile) -> CheckedLabels:
    """What is needed to tell what a model's versions are worth by the labels there are; there may be none."""
    labels = tx.all(LabelFile, LabelFile.project_id == project.id, oldest=LabelFile.id)
    captures = capture_files(tx, project)
    delay = told.watch.label_delay
    return CheckedLabels(
        fresh=_rows(tx, parts, project, captures, labels),
        until_capture_file=max((file.id or 0 for file in captures), default=0),
        until_label_file=max((file.id or 0 for file in labels), default=0),
        label_delay_s=interval_s(delay) if delay else None,
        metric=told.metric,
        min_rows_per_class=told.gate.min_rows_per_class,
        promised=promised(tx, project, told.metric),
        signatures=signatures(tx, project),
        settled=settled(tx, project, told.metric),
    )


def capture_files(tx: Tx, project: Project, *where: object) -> list[CaptureFile]:
    """Those whose Parquet is still there, oldest first."""
    there = (CaptureFile.project_id == project.id, col(CaptureFile.deleted_at).is_(None))
    return tx.all(CaptureFile, *there, *where, oldest=CaptureFile.id)


def promised(tx: Tx, project: Project, metric: str) -> dict[str, dict[str, float | None]]:
    """By version's number, what the gate saw on its test rows; a version judged by another metric promised nothing."""
    versions = tx.all(Version, Version.project_id == project.id, oldest=Version.number)
    return {
        str(version.number): {key: version.evidence.get(key) for key in ("value", "lower", "upper")}
        for version in versions
        if version.evidence.get("metric") == metric
    }


def signatures(tx: Tx, project: Project) -> dict[str, dict[str, object]]:
    """By version's number, what its answers mean."""
    versions = tx.all(Version, Version.project_id == project.id, oldest=Version.number)
    return {
        str(version.number): {key: version.signature.get(key) for key in ("classes", "threshold")}
        for version in versions
    }


def settled(tx: Tx, project: Project, metric: str) -> list[WindowFigures]:
    """Mature windows of performance by this metric, oldest first."""
    windows = tx.all(
        PerformanceWindow,
        PerformanceWindow.project_id == project.id,
        PerformanceWindow.metric == metric,
        col(PerformanceWindow.mature),
        oldest=PerformanceWindow.starts_at,
    )
    return [WindowFigures(**{name: getattr(window, name) for name in WindowFigures.model_fields}) for window in windows]


def _rows(tx: Tx, parts: Parts, project: Project, captures: list[CaptureFile], labels: list[LabelFile]) -> FreshRows:
    summary = tx.get(LabelSummary, project.id)
    return FreshRows(
        captures_folder=str(parts.home.captures / project.name),
        capture_files=[file.name for file in captures],
        label_files=[file.name for file in labels],
        mature_until=summary.mature_until if summary else None,
    )
