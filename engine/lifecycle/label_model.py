"""Take in a file of outcomes: have a worker join them to what was predicted."""

from __future__ import annotations

from engine.errors import Conflict, NotFound
from engine.lifecycle.caller import Caller
from engine.lifecycle.compact_captures import compact_captures
from engine.lifecycle.parts import Parts
from engine.registry.queries.jobs import get_job
from engine.registry.queries.projects import get_project, no_project
from engine.registry.queue import enqueue
from engine.registry.tables import Blob, Project, Version
from engine.registry.tx import Tx
from engine.wire.jobs import JobView
from engine.wire.monitoring import AskLabel


def label_model(parts: Parts, caller: Caller, name: str, ask: AskLabel) -> JobView:
    """Put the file into the queue, behind the compaction of all that is captured by now.

    The same file again does no harm: it says nothing new.

    Raises:
        NotFound: nobody knows the model, or the uploaded file.
        Conflict: there is no version, so nothing was ever predicted.
    """
    caller.need("operator", "give labels")
    compact_captures(parts, everything=True, only=get_project(parts.reader, name).id)

    def ask_for_it(tx: Tx) -> JobView:
        project = tx.first(Project, Project.name == name)
        if project is None:
            raise no_project(name)
        if tx.get(Blob, ask.sha256) is None:
            raise NotFound("The file of labels was not uploaded.", f"`mlops label {name} FILE` uploads it.")
        if not tx.count(Version, Version.project_id == project.id):
            told = f"{name} has no version yet, so there is nothing to label."
            raise Conflict(told, f"Train it: `mlops train {name}`.", name=name)
        job = enqueue(
            tx, caller, "label",
            project_id=project.id, revision_id=project.revision_id, args=ask.model_dump(mode="json"),
            reason=f"labels from {ask.file}"[:200],
        )  # fmt: skip
        return get_job(tx, job.id or 0)

    answer = parts.writer.write_and_wait(ask_for_it)
    parts.poke_jobs()
    return answer
