"""Models and their versions: lineage, verdict, approval, and the traffic each gets."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, exists, func, or_, select

from engine.errors import NotFound
from engine.registry.core import (
    ALIAS,
    APPROVAL,
    DEPLOYMENT,
    PROJECT,
    REVISION,
    RUN,
    SNAPSHOT,
    VERSION,
)  # fmt: skip
from engine.registry.queries.projects import no_project, project_id
from engine.registry.reader import Source
from engine.wire.models import ApprovalView, Lineage, ModelList, ModelView, VerdictView, VersionList, VersionView

WEIGHTS = 10_000
"""Parts of an endpoint's traffic."""


def list_models(source: Source) -> ModelList:
    """All projects as models, by name; one without a version has none yet."""
    with source.connection() as connection:
        return ModelList(models=_models(connection, None))


def get_model(source: Source, name: str) -> ModelView:
    """One model. Raises `NotFound`."""
    with source.connection() as connection:
        found = _models(connection, name)
    if not found:
        raise no_project(name)
    return found[0]


def list_versions(source: Source, name: str) -> VersionList:
    """Its versions, newest first. Raises `NotFound` for a model nobody knows."""
    with source.connection() as connection:
        of = project_id(connection, name)
        found = _selected().where(VERSION.c.project_id == of).order_by(VERSION.c.number.desc())
        return VersionList(versions=_views(connection, list(connection.execute(found))))


def get_version(source: Source, name: str, number: int) -> VersionView:
    """One version. Raises `NotFound`."""
    with source.connection() as connection:
        of = project_id(connection, name)
        found = _selected().where(VERSION.c.project_id == of, VERSION.c.number == number)
        rows = list(connection.execute(found))
        if not rows:
            raise no_version(name, number)
        return _views(connection, rows)[0]


def no_version(name: str, number: int) -> NotFound:
    """It has no such version."""
    return NotFound(
        f"There is no version {number} of {name}.",
        f"`mlops show {name}` lists its versions.",
        name=name,
        version=number,
    )


def _models(connection: Connection, name: str | None) -> list[ModelView]:
    newest = (
        select(VERSION.c.project_id, func.max(VERSION.c.number).label("latest"), func.count().label("versions"))
        .group_by(VERSION.c.project_id)
        .subquery()
    )
    champion = ALIAS.alias("champion")
    crowned = VERSION.alias("crowned")
    found = (
        select(
            *PROJECT.c["name", "task", "metric", "added_at"],
            newest.c.latest,
            newest.c.versions,
            VERSION.c.outcome,
            VERSION.c.metrics,
            crowned.c.number.label("champion"),
        )
        .outerjoin_from(PROJECT, newest, newest.c.project_id == PROJECT.c.id)
        .outerjoin(VERSION, (VERSION.c.project_id == PROJECT.c.id) & (VERSION.c.number == newest.c.latest))
        .outerjoin(champion, (champion.c.project_id == PROJECT.c.id) & (champion.c.name == "champion"))
        .outerjoin(crowned, crowned.c.id == champion.c.version_id)
        .order_by(PROJECT.c.name)
    )
    if name is not None:
        found = found.where(PROJECT.c.name == name)
    return [
        ModelView(
            name=row.name,
            task=row.task,
            metric=row.metric,
            champion=row.champion,
            latest=row.latest,
            versions=row.versions or 0,
            last_verdict=row.outcome,
            last_metric=(row.metrics or {}).get(row.metric),
            created_at=row.added_at,
        )
        for row in connection.execute(found)
    ]


def _selected() -> Select[Any]:
    return (
        select(
            *VERSION.c,
            PROJECT.c.name.label("model"),
            PROJECT.c.task.label("task"),
            PROJECT.c.metric.label("metric"),
            SNAPSHOT.c.sha256.label("snapshot_sha256"),
            *REVISION.c["tree_sha256", "git_commit", "git_dirty"],
            RUN.c.seed.label("seed"),
            RUN.c.environment.label("environment"),
            *APPROVAL.c["approved_by", "approved_at", "override", "automatic"],
        )
        .join_from(VERSION, PROJECT, PROJECT.c.id == VERSION.c.project_id)
        .join(RUN, RUN.c.id == VERSION.c.run_id)
        .join(SNAPSHOT, SNAPSHOT.c.id == VERSION.c.snapshot_id)
        .join(REVISION, REVISION.c.id == VERSION.c.revision_id)
        .outerjoin(APPROVAL, APPROVAL.c.version_id == VERSION.c.id)
    )


def _views(connection: Connection, rows: list[Row[Any]]) -> list[VersionView]:
    ids = [row.id for row in rows]
    aliases: dict[int, list[str]] = defaultdict(list)
    for row in connection.execute(select(ALIAS).where(ALIAS.c.version_id.in_(ids)).order_by(ALIAS.c.name)):
        aliases[row.version_id].append(row.name)
    weights = {
        row.version_id: row.weight
        for row in connection.execute(
            select(DEPLOYMENT.c.version_id, func.sum(DEPLOYMENT.c.weight).label("weight"))
            .where(DEPLOYMENT.c.version_id.in_(ids))
            .group_by(DEPLOYMENT.c.version_id)
        )
    }
    return [_view(row, aliases[row.id], weights.get(row.id, 0) / WEIGHTS) for row in rows]


def _view(row: Row[Any], aliases: list[str], share: float) -> VersionView:
    signature: dict[str, Any] = row.signature
    approval = None
    if row.approved_by is not None:
        approval = ApprovalView(by=row.approved_by, at=row.approved_at, override=row.override, automatic=row.automatic)
    return VersionView(
        model=row.model,
        number=row.number,
        task=row.task,
        verdict=VerdictView(outcome=row.outcome, reasons=row.reasons, evidence=row.evidence),
        aliases=aliases,
        approval=approval,
        lineage=Lineage(
            run_id=row.run_id,
            snapshot_id=row.snapshot_id,
            snapshot_sha256=row.snapshot_sha256,
            code_sha256=row.tree_sha256,
            git_commit=row.git_commit,
            git_dirty=row.git_dirty,
            params=row.params,
            candidate=row.candidate,
            environment=row.environment,
            seed=row.seed,
            by=row.created_by,
            reason=row.reason,
        ),
        metrics=row.metrics,
        metric=row.metric,
        created_at=row.created_at,
        bundle=row.bundle,
        target=signature.get("target", ""),
        classes=signature.get("classes", []),
        threshold=signature.get("threshold"),
        inputs=signature.get("inputs", []),
        id_column=signature.get("id"),
        time_column=signature.get("time"),
        share=share,
    )


def newest_version(
    source: Source, project: int, among: Literal["all", "approved", "approved or passed"] = "all"
) -> int | None:
    """The id of a project's newest version among those; None: there is none. Its bundle and evidence stay unread."""
    approved = exists().where(APPROVAL.c.version_id == VERSION.c.id)
    asked = select(VERSION.c.id).where(VERSION.c.project_id == project).order_by(VERSION.c.number.desc()).limit(1)
    if among != "all":
        asked = asked.where(approved if among == "approved" else or_(approved, VERSION.c.outcome == "pass"))
    with source.connection() as connection:
        found: int | None = connection.execute(asked).scalar()
        return found


def last_number(source: Source, project: int) -> int:
    """Of a project's versions; 0: it has none yet."""
    with source.connection() as connection:
        asked = select(func.max(VERSION.c.number)).where(VERSION.c.project_id == project)
        return connection.execute(asked).scalar() or 0
