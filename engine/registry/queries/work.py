"""How far a job's work is, with all that a worker or its next step needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from engine.errors import NotFound
from engine.registry.core import ALIAS, JOB, JOB_STEP, PROJECT, REVISION, RUN, SNAPSHOT, VERSION
from engine.registry.reader import Source
from engine.wire.work import Champion


@dataclass(frozen=True)
class WorkState:
    """A job, its run, its project and its stored code, read at one moment."""

    job_id: int
    attempt: int
    kind: str
    status: str
    cancel_asked: bool
    args: dict[str, Any]
    run_id: int
    """0: none."""
    seed: int
    project_id: int | None
    project: str | None
    folder: str
    """The project's own, with its data."""
    salt: str
    config: str
    """Text of the stored revision's `mlops.toml`; empty: none."""
    files: list[dict[str, Any]]
    """Of the stored revision."""
    finished: dict[str, dict[str, Any]]
    """Results by step."""


def read_work_state(source: Source, job_id: int) -> WorkState:
    """Raises `NotFound`."""
    found = (
        select(
            *JOB.c["attempt", "kind", "status", "cancel_asked", "args", "project_id", "run_id"],
            RUN.c.seed,
            PROJECT.c.name.label("project"),
            *PROJECT.c["folder", "salt"],
            *REVISION.c["config", "files"],
        )
        .select_from(
            JOB.outerjoin(RUN, RUN.c.id == JOB.c.run_id)
            .outerjoin(PROJECT, PROJECT.c.id == JOB.c.project_id)
            .outerjoin(REVISION, REVISION.c.id == JOB.c.revision_id)
        )
        .where(JOB.c.id == job_id)
    )
    steps = select(*JOB_STEP.c["step", "result"]).where(JOB_STEP.c.job_id == job_id)
    with source.connection() as connection:
        row = connection.execute(found).first()
        finished = {row.step: row.result for row in connection.execute(steps)}
    if row is None:
        raise NotFound(f"There is no job {job_id}.", job=job_id)
    return WorkState(
        job_id=job_id,
        attempt=row.attempt,
        kind=row.kind,
        status=row.status,
        cancel_asked=row.cancel_asked,
        args=row.args,
        run_id=row.run_id or 0,
        seed=row.seed or 0,
        project_id=row.project_id,
        project=row.project,
        folder=row.folder or "",
        salt=row.salt or "",
        config=row.config or "",
        files=row.files or [],
        finished=finished,
    )


@dataclass(frozen=True)
class History:
    """What a training run must know of the runs before it."""

    champion: Champion | None
    previous_schema: dict[str, Any] | None
    """Of the champion's snapshot; what was never released binds nobody."""
    split_columns: list[str]
    """Of the run that was judged last; empty where rows are split by id or time."""
    test_uses: int


def read_history(source: Source, project_id: int) -> History:
    """Of one project. Each version was judged once on its test rows."""
    reigns = (
        select(*VERSION.c["number", "run_id", "bundle", "trained_until"], SNAPSHOT.c.data_schema)
        .join_from(ALIAS, VERSION, VERSION.c.id == ALIAS.c.version_id)
        .join(SNAPSHOT, SNAPSHOT.c.id == VERSION.c.snapshot_id)
        .where(ALIAS.c.project_id == project_id, ALIAS.c.name == "champion")
    )
    splits = (
        select(RUN.c.split)
        .where(RUN.c.project_id == project_id, RUN.c.verdict.is_not(None))
        .order_by(RUN.c.id.desc())
        .limit(1)
    )
    uses = select(func.count()).select_from(VERSION).where(VERSION.c.project_id == project_id)
    with source.connection() as connection:
        row = connection.execute(reigns).first()
        champion = None
        if row is not None:
            champion = Champion(
                version=row.number, run_id=row.run_id, bundle=row.bundle, trained_until=row.trained_until
            )
        return History(
            champion=champion,
            previous_schema=row.data_schema if row is not None else None,
            split_columns=(connection.execute(splits).scalar() or {}).get("columns", []),
            test_uses=int(connection.execute(uses).scalar_one()),
        )
