"""Labels that came in, and what a model's answers were worth by them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from engine.registry.core import LABEL_FILE, LABEL_SUMMARY, PERFORMANCE_WINDOW, PROJECT, VERSION
from engine.registry.queries.projects import project_id
from engine.registry.reader import Source
from engine.wire.monitoring import LabelCounts, LabelFileView, LabelList, PerformanceView, WindowView

NEWEST_FILES = 100


def list_labels(source: Source, name: str) -> LabelList:
    """The newest files of labels, and the whole. Raises `NotFound` for a model nobody knows."""
    with source.connection() as connection:
        of = project_id(connection, name)
        found = (
            select(LABEL_FILE).where(LABEL_FILE.c.project_id == of).order_by(LABEL_FILE.c.id.desc()).limit(NEWEST_FILES)
        )
        files = [
            LabelFileView(
                id=row.id,
                file=row.source,
                counts=LabelCounts.model_validate(row.counts),
                created_at=row.created_at,
                by=row.created_by,
            )
            for row in connection.execute(found)
        ]
        summary = _summary(connection, of)
    return LabelList(
        files=files,
        captured=summary.captured if summary else 0,
        labelled=summary.labelled if summary else 0,
        mature_until=summary.mature_until if summary else None,
    )


def performance(source: Source, name: str) -> PerformanceView:
    """Realised performance, window by window. Raises `NotFound` for a model nobody knows."""
    with source.connection() as connection:
        of = project_id(connection, name)
        metric = str(connection.execute(select(PROJECT.c.metric).where(PROJECT.c.id == of)).scalar())
        found = (
            select(PERFORMANCE_WINDOW)
            .where(PERFORMANCE_WINDOW.c.project_id == of, PERFORMANCE_WINDOW.c.metric == metric)
            .order_by(PERFORMANCE_WINDOW.c.starts_at, PERFORMANCE_WINDOW.c.version)
        )
        windows = [
            WindowView(**{key: getattr(row, key) for key in WindowView.model_fields})
            for row in connection.execute(found)
        ]
        promised = _promised(connection, of, metric)
        summary = _summary(connection, of)
    return PerformanceView(
        metric=metric,
        windows=windows,
        promised=promised,
        captured=summary.captured if summary else 0,
        labelled=summary.labelled if summary else 0,
        note=_note(name, windows, summary),
    )


def _promised(connection: Connection, of: int, metric: str) -> dict[str, dict[str, float | None]]:
    found = select(VERSION.c.number, VERSION.c.evidence).where(VERSION.c.project_id == of).order_by(VERSION.c.number)
    return {
        str(row.number): {key: row.evidence.get(key) for key in ("value", "lower", "upper")}
        for row in connection.execute(found)
        if row.evidence.get("metric") == metric
    }


def _summary(connection: Connection, of: int) -> Row[Any] | None:
    return connection.execute(select(LABEL_SUMMARY).where(LABEL_SUMMARY.c.project_id == of)).first()


def _note(name: str, windows: list[WindowView], summary: Row[Any] | None) -> str:
    """Why there is nothing to see, or nothing settled yet."""
    if summary is None:
        return f"No labels have come yet: `mlops label {name} FILE` gives them."
    if not summary.labelled:
        return "None of the labels belongs to a captured prediction yet."
    if any(window.mature for window in windows):
        return ""
    if summary.mature_until is None:
        return (
            "Too many rows still lack their label, and labels of one kind may come sooner than those of another: "
            "nothing is judged by them yet."
        )
    return "A window needs 500 labelled rows, and 30 of each class; until then nothing is judged by them."
