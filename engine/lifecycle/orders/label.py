"""The order of a `label` job: the file, and all captures and labels there are."""

from __future__ import annotations

from typing import Any

from engine.errors import NotFound
from engine.lifecycle.orders.labelled import checked_labels
from engine.lifecycle.parts import Parts
from engine.project import parse_project
from engine.registry.tables import Job, Project, Revision
from engine.registry.tx import Tx
from engine.wire.work import LabelOrder


def prepare_order(tx: Tx, parts: Parts, job: Job) -> dict[str, Any]:
    """A `LabelOrder`.

    Raises:
        NotFound: the project or its code is gone.
    """
    project = tx.get(Project, job.project_id)
    revision = tx.get(Revision, job.revision_id)
    if project is None or revision is None:
        raise NotFound(f"The code of job {job.id}'s project is not stored.", "Store it: `mlops add`.")
    return LabelOrder(
        sha256=job.args["sha256"],
        file=job.args["file"],
        out_folder=str(parts.home.captures / project.name / "labels"),
        labels=checked_labels(tx, parts, project, parse_project(revision.config)),
    ).model_dump(mode="json")
