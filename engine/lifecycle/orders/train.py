"""The order of a `train` job: which captured rows to learn from beside the source, and after when to judge."""

from __future__ import annotations

from typing import Any

from engine.errors import NotFound
from engine.lifecycle.advance_retrains import champion_of, judged_after
from engine.lifecycle.orders.labelled import fresh_rows
from engine.lifecycle.parts import Parts
from engine.project import parse_project
from engine.registry.tables import Alarm, Job, LabelSummary, Project, Retrain, Revision
from engine.registry.tx import Tx


def prepare_order(tx: Tx, parts: Parts, job: Job) -> dict[str, Any]:
    """`fresh` and `judge_after` of the `WorkOrder`; and `labelled_until`, how many rows were labelled, by stretches.

    Nothing is fresh before any row is mature: of young rows those with a label are no fair sample.

    Raises:
        NotFound: the project or its code is gone.
    """
    project, revision = tx.get(Project, job.project_id), tx.get(Revision, job.revision_id)
    if project is None or revision is None:
        raise NotFound(f"The code of job {job.id}'s project is not stored.", "Store it: `mlops add`.")
    retrain = tx.get(Retrain, job.args["retrain"]) if "retrain" in job.args else None
    alarm = tx.get(Alarm, retrain.alarm_id) if retrain is not None and retrain.alarm_id is not None else None
    after = judged_after(champion_of(tx, project.id), alarm)
    has_time = parse_project(revision.config).data.time is not None
    summary = tx.get(LabelSummary, project.id)
    fresh = fresh_rows(tx, parts, project) if summary is not None and summary.mature_until is not None else None
    return {
        "fresh": fresh.model_dump(mode="json") if fresh is not None else None,
        "judge_after": after.isoformat() if after is not None and has_time else None,
        "labelled_until": [[one["ends_at"], one["labelled"]] for one in summary.buckets] if summary is not None else [],
    }
