"""Step `label`: labels came in, and what they say of the model is judged in the transaction that stores them."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from engine.errors import InvalidInput, NotFound
from engine.failpoint import failpoint
from engine.lifecycle.judge_performance import apply_labelled
from engine.lifecycle.parts import Parts
from engine.lifecycle.steps.step import Apply, Posted, checked
from engine.registry.events import ENGINE
from engine.registry.queue import end_job
from engine.registry.tables import Job, LabelFile, Project, now
from engine.registry.tx import Tx
from engine.wire.monitoring import LabelCounts
from engine.wire.work import LabelOrder, LabelResult


def prepare(parts: Parts, posted: Posted) -> Apply:
    """Check that the file of labels lies where it must."""
    result = checked(posted, LabelResult)
    order = LabelOrder.model_validate(posted.args)
    counts = _counts(posted, result)
    _check_file(order, posted.job_id, result.file)

    def apply(tx: Tx, job: Job) -> None:
        project = tx.get(Project, job.project_id)
        if project is None:
            raise InvalidInput(f"Job {job.id} labels no project.", job=job.id)
        stored = tx.add(
            LabelFile(
                project_id=project.id or 0,
                job_id=job.id or 0,
                name=result.file,
                rows=result.rows,
                counts=counts.model_dump(mode="json"),
                source=order.file,
                created_at=now(),
                created_by=job.created_by,
            )
        )
        tx.event(
            ENGINE, "labels.stored", f"{project.name}", project.id,
            job=job.id, file=order.file, sha256=order.sha256, by=job.created_by,
            **counts.model_dump(exclude={"examples"}),
        )  # fmt: skip
        labelled = result.labelled.model_copy(update={"until_label_file": stored.id})
        apply_labelled(tx, project, labelled, metric=order.labels.metric)
        end_job(tx, ENGINE, job, "succeeded", result=counts.model_dump(mode="json"))
        failpoint("label.applied")

    return apply


def _counts(posted: Posted, result: LabelResult) -> LabelCounts:
    try:
        return LabelCounts.model_validate(result.counts)
    except ValidationError as error:
        raise InvalidInput(f"The counts of job {posted.job_id} are wrong: {error.errors()[0]['msg']}.") from error


def _check_file(order: LabelOrder, job_id: int, name: str) -> None:
    if name != f"J{job_id}.parquet":
        raise InvalidInput(f"Job {job_id} names its labels {name[:80]!r}.", job=job_id)
    if not (Path(order.out_folder) / name).is_file():
        raise NotFound(f"The labels of job {job_id} are not where they were reported.", job=job_id)
