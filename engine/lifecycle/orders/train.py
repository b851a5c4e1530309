"""The order of a `train` job: which captured rows to learn from beside the source, and after when to judge."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.errors import NotFound
from engine.lifecycle.advance_retrains import champion_of, judged_after
from engine.lifecycle.orders.labelled import fresh_rows
from engine.lifecycle.parts import Parts
from engine.project import parse_project
from engine.registry.tables import Alarm, Candidate, Job, LabelSummary, Project, Retrain, Revision, Version
from engine.registry.tx import Tx


def prepare_order(tx: Tx, parts: Parts, job: Job) -> dict[str, Any]:
    """`fresh`, `judge_after` and `changed_from` of the `WorkOrder`; and `labelled_until`, how many rows were labelled,
    by stretches.

    Nothing is fresh before any row is mature: of young rows those with a label are no fair sample.

    Raises:
        NotFound: the project or its code is gone.
    """
    project, revision = tx.get(Project, job.project_id), tx.get(Revision, job.revision_id)
    if project is None or revision is None:
        raise NotFound(f"The code of job {job.id}'s project is not stored.", "Store it: `mlops add`.")
    retrain = tx.get(Retrain, job.args["retrain"]) if "retrain" in job.args else None
    alarm = tx.get(Alarm, retrain.alarm_id) if retrain is not None and retrain.alarm_id is not None else None
    champion = champion_of(tx, project.id)
    after, changed = judged_after(champion, alarm), _changed_from(tx, champion, alarm)
    has_time = parse_project(revision.config).data.time is not None
    summary = tx.get(LabelSummary, project.id)
    fresh = fresh_rows(tx, parts, project) if summary is not None and summary.mature_until is not None else None
    return {
        "fresh": fresh.model_dump(mode="json") if fresh is not None else None,
        "judge_after": after.isoformat() if after is not None and has_time else None,
        "changed_from": changed.isoformat() if changed is not None and has_time else None,
        "labelled_until": [[one["ends_at"], one["labelled"]] for one in summary.buckets] if summary is not None else [],
    }


def _changed_from(tx: Tx, champion: Version | None, alarm: Alarm | None) -> datetime | None:
    """Since when the world is the one to be learnt. Without a newer change that of a champion which knows nothing else:
    what learns from all would else be held against it, and lose, or be little worse and undo it.
    """
    if alarm is not None and alarm.changed_from is not None:
        return alarm.changed_from
    fitted = tx.get(Candidate, (champion.run_id, champion.candidate)) if champion is not None else None
    known = fitted.params.get("learnt_from") if fitted is not None else None
    return datetime.fromisoformat(known) if known is not None else None
