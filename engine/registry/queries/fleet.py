"""Every model's whole loop, in a handful of statements however many models there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, func, select

from engine.registry.core import ALARM, ALIAS, APPROVAL, DEPLOYMENT, ENDPOINT, JOB, PROJECT, RUN, SNAPSHOT, VERSION
from engine.registry.events import ENGINE
from engine.registry.queries.endpoints import NOTHING_SEEN, Observed
from engine.registry.queries.models import WEIGHTS
from engine.registry.queries.watched import watched_by_project
from engine.registry.reader import Source
from engine.wire.endpoints import Traffic
from engine.wire.fleet import Fleet, FleetRow, Watched
from engine.wire.urgency import alarm_urgency

_OF_NEWEST = ("id", "project_id", "rows", "status", "created_at", "ended_at", "job_id", "failure")
HISTORY = 20
"""Versions whose metric is shown."""


def get_fleet(source: Source, seen: Observed = NOTHING_SEEN, next_times: Mapping[int, datetime] | None = None) -> Fleet:
    """A row per project: those that need a person first, then by name.

    `next_times` is what the clock knows, by schedule's id.
    """
    with source.connection() as connection:
        projects = list(connection.execute(select(PROJECT).order_by(PROJECT.c.name)))
        data, runs, jobs = (
            _newest(connection, SNAPSHOT),
            _newest(connection, RUN, RUN.c.job_id.is_not(None)),
            _training(connection),
        )
        versions, behind, champions = _versions(connection), _behind(connection), _champions(connection)
        alarms, unwatched = _alarms(connection), _unwatched(connection)
        watched = watched_by_project(connection, next_times or {})
    rows = [
        _row(
            project,
            data.get(project.id),
            runs.get(project.id),
            jobs.get(project.id),
            versions[project.id],
            behind[project.id],
            champions.get(project.id),
            alarms[project.id],
            unwatched.get(project.id, ""),
            seen.by_endpoint.get(project.name, Traffic()),
            watched.get(project.id, Watched()),
        )
        for project in projects
    ]
    return Fleet(rows=sorted(rows, key=lambda row: (_urgency(row.needs), row.name)))


def _newest(connection: Connection, table: Any, *of: Any) -> dict[int, Row[Any]]:
    """By project, the row with the highest id; of runs those that a job trained, for scripts log runs of their own."""
    last = select(func.max(table.c.id)).where(*of).group_by(table.c.project_id)
    wanted = {name for name in _OF_NEWEST if name in table.c}
    found = select(*(table.c[name] for name in sorted(wanted))).where(table.c.id.in_(last))
    return {row.project_id: row for row in connection.execute(found)}


def _training(connection: Connection) -> dict[int, Row[Any]]:
    """By project, the training job that runs, else the one that waits longest."""
    found = select(*JOB.c["id", "project_id", "fraction", "status"]).where(
        JOB.c.status.in_(("running", "queued")), JOB.c.kind == "train"
    )
    by_project: dict[int, Row[Any]] = {}
    for row in connection.execute(found.order_by(JOB.c.status.desc(), JOB.c.id)):
        by_project.setdefault(row.project_id, row)
    return by_project


def _versions(connection: Connection) -> dict[int, list[Row[Any]]]:
    """By project, its newest versions, oldest first."""
    place = func.row_number().over(partition_by=VERSION.c.project_id, order_by=VERSION.c.number.desc()).label("place")
    ranked = select(*VERSION.c["id", "project_id", "number", "outcome", "metrics"], place).subquery()
    served = exists().where(DEPLOYMENT.c.version_id == ranked.c.id, DEPLOYMENT.c.live_at.is_not(None))
    found = (
        select(ranked, APPROVAL.c.id.label("approval"), served.label("served"))
        .outerjoin_from(ranked, APPROVAL, APPROVAL.c.version_id == ranked.c.id)
        .where(ranked.c.place <= HISTORY)
        .order_by(ranked.c.number)
    )
    return _by_project(connection.execute(found))


def _behind(connection: Connection) -> dict[int, list[Row[Any]]]:
    """By project, the deployments that are there or wanted, newest first."""
    found = (
        select(
            ENDPOINT.c.project_id,
            *DEPLOYMENT.c["version_id", "status", "weight", "target_weight", "note"],
            VERSION.c.number,
        )
        .join_from(DEPLOYMENT, ENDPOINT, ENDPOINT.c.id == DEPLOYMENT.c.endpoint_id)
        .join(VERSION, VERSION.c.id == DEPLOYMENT.c.version_id)
        .where((DEPLOYMENT.c.desired == "running") | DEPLOYMENT.c.status.not_in(("stopped", "failed")))
        .order_by(DEPLOYMENT.c.id.desc())
    )
    return _by_project(connection.execute(found))


def _by_project(rows: Iterable[Row[Any]]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.project_id].append(row)
    return found


def _champions(connection: Connection) -> dict[int, int]:
    """By project, the champion's version number."""
    found = select(ALIAS.c.project_id, VERSION.c.number).join_from(ALIAS, VERSION, VERSION.c.id == ALIAS.c.version_id)
    return {row.project_id: row.number for row in connection.execute(found.where(ALIAS.c.name == "champion"))}


def _alarms(connection: Connection) -> dict[int, list[Row[Any]]]:
    """By project, the alarms that nobody has answered, what most needs a person first."""
    found = select(*ALARM.c["project_id", "kind", "status"]).where(ALARM.c.status == "open").order_by(ALARM.c.id)
    return _by_project(sorted(connection.execute(found), key=lambda row: alarm_urgency(row.kind, row.status)))


def _unwatched(connection: Connection) -> dict[int, str]:
    """By project, why the last look that the engine itself wanted came to nothing."""
    # By way of those that failed, which are few: jobs of these kinds are many, and end well.
    newest = (
        select(func.max(JOB.c.id).label("id"))
        .where(JOB.c.status == "failed", JOB.c.kind.in_(("check", "compact")), JOB.c.created_by == ENGINE.name)
        .group_by(JOB.c.project_id, JOB.c.kind)
        .subquery()
    )
    later = JOB.alias("later")
    mended = exists().where(
        later.c.project_id == JOB.c.project_id,
        later.c.id > JOB.c.id,
        later.c.kind == JOB.c.kind,
        later.c.status == "succeeded",
    )
    found = (
        select(*JOB.c["project_id", "kind", "failure"]).join_from(JOB, newest, newest.c.id == JOB.c.id).where(~mended)
    )
    what = {"check": "check failed", "compact": "captures are not compacted"}
    rows = connection.execute(found.order_by(JOB.c.kind.desc()))
    return {row.project_id: _because(what[row.kind], (row.failure or {}).get("message", "")) for row in rows}


def _row(
    project: Row[Any],
    data: Row[Any] | None,
    run: Row[Any] | None,
    job: Row[Any] | None,
    versions: list[Row[Any]],
    behind: list[Row[Any]],
    champion: int | None,
    alarms: list[Row[Any]],
    unwatched: str,
    traffic: Traffic,
    watched: Watched,
) -> FleetRow:
    newest = versions[-1] if versions else None
    challenger = next((row for row in behind if row.number != champion and row.status == "live"), None)
    values = [row.metrics.get(project.metric) for row in versions]
    return FleetRow(
        name=project.name,
        task=project.task,
        data_rows=data.rows if data else None,
        data_at=data.created_at if data else None,
        train_status=run.status if run else None,
        train_fraction=job.fraction if job else None,
        train_at=(run.ended_at or run.created_at) if run else None,
        job_id=job.id if job else None,
        last_job_id=run.job_id if run else None,
        gate=newest.outcome if newest else None,
        gate_version=newest.number if newest else None,
        live_status=behind[0].status if behind else None,
        live_version=behind[0].number if behind else None,
        champion=champion,
        challenger=challenger.number if challenger else None,
        challenger_share=challenger.weight / WEIGHTS if challenger else None,
        metric=project.metric,
        metric_history=[value for value in values if value is not None],
        champion_metric=next((row.metrics.get(project.metric) for row in versions if row.number == champion), None),
        traffic=traffic,
        open_alarms=len(alarms),
        needs=_needs(run, newest, behind, champion, [_look_at(project.name, alarm.kind) for alarm in alarms])
        or unwatched,
        watched=watched,
    )


_URGENT = ("deployment failed", "training failed", "look at the ")


def _urgency(needs: str) -> int:
    """What failed first, then alarms, then what waits for somebody, then the rest."""
    if not needs:
        return len(_URGENT) + 1
    return next((place for place, what in enumerate(_URGENT) if needs.startswith(what)), len(_URGENT))


def _because(what: str, why: str) -> str:
    return f"{what}: {why}" if why else what


def _look_at(name: str, kind: str) -> str:
    verb = {"drift": "drift", "quality": "drift", "performance": "performance"}.get(kind, "alarms")
    return f"look at the {kind} alarm: mlops {verb} {name}"


def _needs(
    run: Row[Any] | None,
    newest: Row[Any] | None,
    behind: list[Row[Any]],
    champion: int | None,
    alarms: list[str],
) -> str:
    failed = next((row for row in behind if row.status == "failed"), None)
    if failed is not None:
        return _because("deployment failed", failed.note)
    if run is None:
        return "train it"
    if run.status == "failed":
        return _because("training failed", (run.failure or {}).get("message", ""))
    deployed = {row.number for row in behind} | {champion}
    # One that served and does not any more was rolled back or taken off: nobody need release it again.
    is_new = newest is not None and newest.number not in deployed and not newest.served
    # What has passed may be the answer to the alarm.
    if newest is not None and is_new and newest.approval is not None:
        return f"deploy version {newest.number}"
    if newest is not None and is_new and newest.outcome == "pass":
        return f"approve version {newest.number}"
    if alarms:
        return alarms[0]
    if newest is None or not is_new:
        return ""
    # A verdict that is not `pass` calls for nobody while something serves already.
    return "" if champion is not None else f"look at version {newest.number}: {newest.outcome}"
