"""Checks of models in production: how far they have come, and what they saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from engine.errors import NotFound
from engine.registry.core import ALIAS, CAPTURE_FILE, CHECK_FIGURE, MODEL_CHECK, PROJECT, VERSION
from engine.registry.queries.paging import bounded, next_before
from engine.registry.queries.projects import project_id
from engine.registry.reader import Source
from engine.wire.monitoring import CheckList, CheckView, FigureView, Threshold


def checked_until(source: Source, project: int) -> int:
    """Id of the capture file up to which checks have looked; 0: none has. A check of too few rows moves nothing."""
    # Checks of a project come one after another, so the newest has come furthest: no year of them is read for it.
    found = (
        select(MODEL_CHECK.c.until_file)
        .where(MODEL_CHECK.c.project_id == project, MODEL_CHECK.c.source == "captures")
        .order_by(MODEL_CHECK.c.id.desc())
        .limit(1)
    )
    with source.connection() as connection:
        return int(connection.execute(found).scalar() or 0)


def waiting_rows(source: Source, project: int) -> int:
    """Captured rows of the champion that no check has looked at yet, as far as they are compacted."""
    after = checked_until(source, project)
    found = (
        select(func.sum(CAPTURE_FILE.c.rows))
        .join_from(CAPTURE_FILE, VERSION, _of_version())
        .join(ALIAS, (ALIAS.c.version_id == VERSION.c.id) & (ALIAS.c.name == "champion"))
        .where(CAPTURE_FILE.c.project_id == project, CAPTURE_FILE.c.id > after, CAPTURE_FILE.c.deleted_at.is_(None))
    )
    with source.connection() as connection:
        return int(connection.execute(found).scalar() or 0)


def list_checks(source: Source, name: str, *, limit: int = 100, before: int | None = None) -> CheckList:
    """A page, newest first, without figures. Raises `NotFound` for a model nobody knows."""
    limit = bounded(limit)
    found = _selected().order_by(MODEL_CHECK.c.id.desc()).limit(limit)
    if before is not None:
        found = found.where(MODEL_CHECK.c.id < before)
    with source.connection() as connection:
        of = project_id(connection, name)
        rows = connection.execute(found.where(MODEL_CHECK.c.project_id == of))
        checks = [_view(row, []) for row in rows]
    return CheckList(checks=checks, next_before=next_before(checks, limit))


def get_check(source: Source, name: str, check_id: int) -> CheckView:
    """One of a model's checks with its figures. Raises `NotFound`."""
    with source.connection() as connection:
        of = project_id(connection, name)
        found = _selected().where(MODEL_CHECK.c.project_id == of, MODEL_CHECK.c.id == check_id)
        row = connection.execute(found).first()
        if row is None:
            raise NotFound(f"There is no check {check_id} of {name}.", f"`mlops drift {name}` shows the newest.")
        return _view(row, _figures(connection, check_id))


@dataclass(frozen=True)
class Newest:
    """The newest look at captures that had rows enough."""

    id: int
    figures_sha256: str | None


def newest_check(source: Source, project: int) -> Newest | None:
    """None: there is none."""
    found = _enough(select(*MODEL_CHECK.c["id", "figures_sha256"]), project).limit(1)
    with source.connection() as connection:
        row = connection.execute(found).first()
    return Newest(row.id, row.figures_sha256) if row else None


def distance_history(source: Source, project: int, checks: int) -> dict[str, list[float | None]]:
    """Each column's distance in the newest checks, oldest first; None where a check did not measure it."""
    wanted = _enough(select(MODEL_CHECK.c.id), project).limit(checks)
    with source.connection() as connection:
        ids = sorted(connection.execute(wanted).scalars())
        place = {check: at for at, check in enumerate(ids)}
        history: dict[str, list[float | None]] = {}
        figures = select(*CHECK_FIGURE.c["check_id", "column", "distance"]).where(CHECK_FIGURE.c.check_id.in_(ids))
        for row in connection.execute(figures.order_by(CHECK_FIGURE.c.column)):
            history.setdefault(row.column, [None] * len(ids))[place[row.check_id]] = row.distance
    return history


def _enough(found: Select[Any], project: int) -> Select[Any]:
    """Of looks at captures with rows enough, newest first."""
    return found.where(
        MODEL_CHECK.c.project_id == project,
        MODEL_CHECK.c.source == "captures",
        MODEL_CHECK.c.outcome != "insufficient",
    ).order_by(MODEL_CHECK.c.id.desc())


def _of_version() -> Any:
    return (VERSION.c.project_id == CAPTURE_FILE.c.project_id) & (VERSION.c.number == CAPTURE_FILE.c.version)


def _selected() -> Select[Any]:
    return (
        select(*MODEL_CHECK.c, PROJECT.c.name.label("model"), VERSION.c.number)
        .join_from(MODEL_CHECK, PROJECT, PROJECT.c.id == MODEL_CHECK.c.project_id)
        .join(VERSION, VERSION.c.id == MODEL_CHECK.c.version_id)
    )


def _figures(connection: Connection, check_id: int) -> list[FigureView]:
    """Those that drifted first, then the largest distance."""
    found = (
        select(CHECK_FIGURE)
        .where(CHECK_FIGURE.c.check_id == check_id)
        .order_by(CHECK_FIGURE.c.drifted.desc(), CHECK_FIGURE.c.distance.desc(), CHECK_FIGURE.c.column)
    )
    return [FigureView.model_validate(row, from_attributes=True) for row in connection.execute(found)]


def _view(row: Row[Any], figures: list[FigureView]) -> CheckView:
    return CheckView(
        id=row.id,
        model=row.model,
        version=row.number,
        job_id=row.job_id,
        source=row.source,
        outcome=row.outcome,
        rows=row.rows,
        first_at=row.first_at,
        last_at=row.last_at,
        drifted=row.drifted,
        findings=row.findings,
        threshold=Threshold.model_validate(row.threshold) if row.threshold else None,
        created_at=row.created_at,
        by=row.created_by,
        figures=figures,
    )
