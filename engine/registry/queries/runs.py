"""Runs, by page, newest first or by a metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, Select, select, tuple_

from engine.errors import InvalidInput, NotFound
from engine.registry.core import CANDIDATE, METRIC, METRIC_POINT, PARAM, PROJECT, REVISION, RUN, SNAPSHOT
from engine.registry.queries.paging import bounded, next_before
from engine.registry.queries.projects import project_id
from engine.registry.reader import Source
from engine.wire.base import Failure
from engine.wire.runs import CandidateView, Curve, CurvePoint, RunList, RunView

_METRIC_PREFIX = "metric."


def list_runs(
    source: Source,
    *,
    project: str | None = None,
    limit: int = 100,
    before: int | None = None,
    order_by: str | None = None,
    descending: bool = True,
    above: float | None = None,
    below: float | None = None,
) -> RunList:
    """A page, newest first; or, with `order_by="metric.KEY"`, those that have the run's own metric KEY, by its value.

    `above` and `below` (both included) keep only runs whose metric lies there. `before` is the last run of the page
    before, in whichever order. Candidates are left out.

    Raises:
        InvalidInput: `order_by` is no metric.
        NotFound: nobody knows the project.
    """
    limit = bounded(limit)
    with source.connection() as connection:
        found = _selected().limit(limit)
        if project is not None:
            found = found.where(RUN.c.project_id == project_id(connection, project))
        if order_by is None:
            found = found.order_by(RUN.c.id.desc())
            found = found if before is None else found.where(RUN.c.id < before)
        else:
            key = _metric_key(order_by)
            found = _by_metric(connection, found, key, before=before, descending=descending)
            found = found if above is None else found.where(METRIC.c.value >= above)
            found = found if below is None else found.where(METRIC.c.value <= below)
        runs = _views(connection, list(connection.execute(found)))
    return RunList(runs=runs, next_before=next_before(runs, limit))


def get_run(source: Source, run_id: int) -> RunView:
    """One run with its candidates. Raises `NotFound`."""
    with source.connection() as connection:
        row = connection.execute(_selected().where(RUN.c.id == run_id)).first()
        if row is None:
            raise _no_run(run_id)
        view = _views(connection, [row])[0]
        return view.model_copy(update={"candidates": _candidates(connection, run_id)})


def get_curves(source: Source, run_id: int, *, most: int | None = None) -> Curve:
    """The points of a run's metrics, by candidate, metric and step; of each curve at most about `most`, evenly thinned
    out and with its last one. Raises `NotFound`.
    """
    columns = [METRIC_POINT.c[name] for name in ("candidate", "key", "step", "value")]
    found = select(*columns).where(METRIC_POINT.c.run_id == run_id).order_by(*columns[:3])
    with source.connection() as connection:
        if connection.execute(select(RUN.c.id).where(RUN.c.id == run_id)).first() is None:
            raise _no_run(run_id)
        rows = connection.execute(found).all()
    kept = rows if most is None else _thinned(rows, most)
    return Curve(points=[CurvePoint.model_validate(row, from_attributes=True) for row in kept])


def _thinned(rows: Sequence[Row[Any]], most: int) -> list[Row[Any]]:
    kept: list[Row[Any]] = []
    for _, each in groupby(rows, key=lambda row: (row.candidate, row.key)):
        curve = list(each)
        apart = -(-len(curve) // max(most, 1))
        kept += [row for at, row in enumerate(curve) if at % apart == 0 or at == len(curve) - 1]
    return kept


def _no_run(run_id: int) -> NotFound:
    return NotFound(f"There is no run {run_id}.", "`mlops runs` lists what there is.", run=run_id)


def _metric_key(order_by: str) -> str:
    key = order_by.removeprefix(_METRIC_PREFIX)
    if not order_by.startswith(_METRIC_PREFIX) or not key:
        raise InvalidInput(
            f"Runs cannot be ordered by {order_by[:60]!r}.", "Order by a metric, such as `metric.roc_auc`."
        )
    return key


def _by_metric(
    connection: Connection, found: Select[Any], key: str, *, before: int | None, descending: bool
) -> Select[Any]:
    place = (METRIC.c.value, METRIC.c.run_id)
    found = found.join(METRIC, METRIC.c.run_id == RUN.c.id).where(METRIC.c.key == key, METRIC.c.candidate == "")
    if before is not None:
        at = connection.execute(
            select(*place).where(METRIC.c.run_id == before, METRIC.c.key == key, METRIC.c.candidate == "")
        ).first()
        if at is None:
            raise NotFound(f"Run {before} has no metric {key!r} to go on from.", "Ask for the first page again.")
        last = tuple_(*at)
        found = found.where(tuple_(*place) < last if descending else tuple_(*place) > last)
    return found.order_by(*(column.desc() if descending else column for column in place))


def _selected() -> Select[Any]:
    return select(
        *RUN.c,
        PROJECT.c.name.label("project"),
        PROJECT.c.metric.label("metric"),
        SNAPSHOT.c.sha256.label("snapshot_sha256"),
        REVISION.c.tree_sha256.label("code_sha256"),
        REVISION.c.git_commit.label("git_commit"),
    ).select_from(
        RUN.join(PROJECT, PROJECT.c.id == RUN.c.project_id)
        .outerjoin(SNAPSHOT, SNAPSHOT.c.id == RUN.c.snapshot_id)
        .outerjoin(REVISION, REVISION.c.id == RUN.c.revision_id)
    )


def _views(connection: Connection, rows: list[Row[Any]]) -> list[RunView]:
    ids = [row.id for row in rows]
    params, metrics = _params(connection, ids), _own_metrics(connection, ids)
    return [_view(row, params[row.id], metrics[row.id]) for row in rows]


def _params(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = defaultdict(dict)
    wanted = select(*PARAM.c["run_id", "key", "value"]).where(PARAM.c.run_id.in_(ids))
    # All at once: row by row, three thousand of them cost as much again.
    for run_id, key, value in connection.execute(wanted).all():
        found[run_id][key] = value
    return found


def _own_metrics(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = defaultdict(dict)
    wanted = select(*METRIC.c["run_id", "key", "value"]).where(METRIC.c.run_id.in_(ids), METRIC.c.candidate == "")
    for run_id, key, value in connection.execute(wanted).all():
        found[run_id][key] = value
    return found


def _candidates(connection: Connection, run_id: int) -> list[CandidateView]:
    metrics: dict[str, dict[str, float]] = defaultdict(dict)
    wanted = select(*METRIC.c["candidate", "key", "value"]).where(METRIC.c.run_id == run_id, METRIC.c.candidate != "")
    for name, key, value in connection.execute(wanted):
        metrics[name][key] = value
    rows = connection.execute(select(CANDIDATE).where(CANDIDATE.c.run_id == run_id).order_by(CANDIDATE.c.name))
    return [
        CandidateView(
            name=row.name,
            kind=row.kind,
            params=row.params,
            status=row.status,
            metrics=metrics[row.name],
            note=row.note,
            best=row.best,
        )
        for row in rows
    ]


def _view(row: Row[Any], params: dict[str, str], metrics: dict[str, float]) -> RunView:
    return RunView(
        id=row.id,
        project=row.project,
        job_id=row.job_id,
        status=row.status,
        reason=row.reason,
        by=row.created_by,
        seed=row.seed,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        metric=row.metric,
        metrics=metrics,
        params=params,
        snapshot_id=row.snapshot_id,
        snapshot_sha256=row.snapshot_sha256,
        code_sha256=row.code_sha256,
        git_commit=row.git_commit,
        verdict=row.verdict,
        version=row.version,
        failure=Failure.model_validate(row.failure) if row.failure else None,
        environment=row.environment,
        split=row.split,
    )
