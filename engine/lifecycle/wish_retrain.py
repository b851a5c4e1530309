"""A cause asks for a model to be trained again: once, however often it is told."""

from __future__ import annotations

from functools import lru_cache

from engine.errors import EngineError
from engine.project import Project as ProjectFile
from engine.project import parse_project
from engine.registry.events import Actor
from engine.registry.tables import Alarm, Project, Retrain, Revision, now
from engine.registry.tx import Tx, col
from engine.wire.monitoring import RetrainTrigger

UNENDED = ("waiting", "blocked", "training")


def wish_retrain(
    tx: Tx,
    project: Project,
    trigger: RetrainTrigger,
    cause_key: str,
    *,
    reason: str,
    by: Actor,
    alarm: Alarm | None = None,
) -> Retrain | None:
    """A retrain that waits for `advance_retrains`. None: this cause has one, or `[retrain] on` does not name it."""
    told = project_file(tx, project)
    if trigger != "hand" and (told is None or trigger not in told.retrain.on):
        return None
    if tx.first(Retrain, Retrain.cause_key == cause_key) is not None:
        return None
    retrain = tx.add(
        Retrain(
            project_id=project.id or 0,
            cause_key=cause_key,
            trigger=trigger,
            alarm_id=alarm.id if alarm else None,
            status="waiting",
            reason=reason,
            created_at=now(),
            created_by=by.name,
        )
    )
    tx.event(
        by, "retrain.wished", f"retrain {retrain.id}", project.id,
        retrain=retrain.id, trigger=trigger, alarm=retrain.alarm_id, cause=cause_key, reason=reason,
    )  # fmt: skip
    return retrain


def give_up(tx: Tx, actor: Actor, retrain: Retrain, note: str) -> None:
    """It is not trained after all, and why. Once more changes nothing."""
    if retrain.status not in UNENDED:
        return
    retrain.status, retrain.note, retrain.ended_at = "given_up", note, now()
    tx.event(
        actor, "retrain.given_up", f"retrain {retrain.id}", retrain.project_id,
        retrain=retrain.id, trigger=retrain.trigger, alarm=retrain.alarm_id, job=retrain.job_id, why=note,
    )  # fmt: skip


def unended(tx: Tx, project_id: int) -> list[Retrain]:
    """Of one project, oldest first."""
    return tx.all(
        Retrain, Retrain.project_id == project_id, col(Retrain.status).in_(UNENDED), oldest=col(Retrain.id)
    )  # fmt: skip


def project_file(tx: Tx, project: Project) -> ProjectFile | None:
    """By the newest stored code; None: there is none, or it is from an older program and no longer understood."""
    revision = tx.get(Revision, project.revision_id)
    return _parsed(revision.config) if revision is not None else None


@lru_cache(maxsize=256)
def _parsed(config: str) -> ProjectFile | None:
    try:
        return parse_project(config)
    except EngineError:
        return None
