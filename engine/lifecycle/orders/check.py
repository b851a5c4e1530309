"""The order of a `check` job: which captures to look at, and what to compare them with."""

from __future__ import annotations

from typing import Any

from engine.errors import Conflict, NotFound
from engine.lifecycle.orders.labelled import capture_files, checked_labels
from engine.lifecycle.parts import Parts
from engine.project import Watch, interval_s, parse_project
from engine.registry.queries.captures import dropped_answers
from engine.registry.queries.checks import checked_until, newest_check
from engine.registry.tables import Alias, CaptureFile, Job, LabelFile, ModelCheck, Project, Revision, Snapshot, Version
from engine.registry.tx import Tx, col
from engine.wire.base import FileEntry
from engine.wire.work import CheckOrder

DAYS_A_YEAR = 365.0
_DROPPED_EVER = "dropped_ever"
"""Among a job's args, for the next one to go on from."""
_YEAR_S = DAYS_A_YEAR * 86_400


def prepare_order(tx: Tx, parts: Parts, job: Job) -> dict[str, Any]:
    """A `CheckOrder`: the champion's captures that no check has looked at, or the file that somebody gave.

    Rows of other versions are passed over: a newcomer's are looked at against its own training data, once it reigns.

    Raises:
        Conflict: there is no version to compare with.
        NotFound: the project or its code is gone.
    """
    project = tx.get(Project, job.project_id or 0)
    revision = tx.get(Revision, project.revision_id or 0) if project else None
    if project is None or revision is None:
        raise NotFound(f"The code of job {job.id}'s project is not stored.", "Store it: `mlops add`.")
    told = parse_project(revision.config)
    data_sha256 = job.args.get("data_sha256")
    version = reference(tx, project, any_version=data_sha256 is not None)
    snapshot = tx.get(Snapshot, version.snapshot_id)
    if snapshot is None:
        raise NotFound(f"The snapshot of {project.name}@{version.number} is not there.")
    job.revision_id = version.revision_id
    order = CheckOrder(
        version=version.number,
        bundle=[FileEntry.model_validate(file) for file in version.bundle],
        profile_sha256=snapshot.profile_sha256,
        newest_sha256=version.newest_sha256,
        predictions=version.predictions,
        source="captures",
        alarms_per_year=told.watch.alarms_per_year,
        checks_per_year=checks_per_year(told.watch, by_hand=not job.args.get("scheduled", False)),
    )
    if data_sha256 is not None:
        given = {"source": "data", "data_sha256": data_sha256, "data_name": job.args.get("data_name", "")}
        return order.model_copy(update=given).model_dump(mode="json")
    after = checked_until(tx, project.id or 0)
    waiting = capture_files(tx, project, col(CaptureFile.id) > after)
    dropped = dropped_answers(tx, project.id or 0)
    labels = None
    if tx.count(LabelFile, LabelFile.project_id == project.id):
        labels = checked_labels(tx, parts, project, told)
    settled = order.model_copy(
        update={
            "captures_folder": str(parts.home.captures / project.name),
            "capture_files": [file.name for file in waiting if file.version == version.number],
            "after_file": after,
            "until_file": max((file.id or 0 for file in waiting), default=after),
            "labels": labels,
            "dropped": max(0, dropped - _dropped_before(tx, project)),
        }
    )
    return settled.model_dump(mode="json") | {_DROPPED_EVER: dropped}


def _dropped_before(tx: Tx, project: Project) -> int:
    """As many as there were when captures were looked at last."""
    newest = newest_check(tx, project.id or 0)
    check = tx.get(ModelCheck, newest.id) if newest is not None else None
    job = tx.get(Job, check.job_id) if check is not None else None
    return int(job.args.get(_DROPPED_EVER, 0)) if job is not None else 0


def reference(tx: Tx, project: Project, *, any_version: bool = False) -> Version:
    """The champion; with `any_version`, where nothing reigns, the newest.

    Raises:
        Conflict: there is none.
    """
    alias = tx.get(Alias, (project.id, "champion"))
    version = tx.get(Version, alias.version_id) if alias else None
    if version is None and any_version:
        version = tx.first(Version, Version.project_id == project.id, newest=Version.number)
    if version is not None:
        return version
    if any_version:
        raise Conflict(f"{project.name} has no version yet.", f"Train it: `mlops train {project.name}`.")
    raise Conflict(
        f"Nothing of {project.name} serves yet, so there is nothing to look at.",
        f"`mlops deploy {project.name}`, or look at a file: `mlops check {project.name} --data FILE`.",
        name=project.name,
    )


def checks_per_year(watch: Watch, *, by_hand: bool) -> float:
    """How often a year so many alarms are shared among. Looks by hand count as daily ones at least.

    >>> checks_per_year(Watch(every="6h"), by_hand=False)
    1460.0
    """
    scheduled = DAYS_A_YEAR if watch.every == "never" else _YEAR_S / interval_s(watch.every)
    return max(scheduled, DAYS_A_YEAR) if by_hand else scheduled
