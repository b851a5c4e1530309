"""Look at a model in production: have a worker compare what came in with what the model was trained on."""

from __future__ import annotations

from typing import Any

from engine.errors import NotFound
from engine.lifecycle.caller import Caller
from engine.lifecycle.compact_captures import compact_captures
from engine.lifecycle.orders.check import reference
from engine.lifecycle.parts import Parts
from engine.registry.queries.jobs import get_job
from engine.registry.queries.projects import get_project, no_project
from engine.registry.queue import active_jobs, enqueue
from engine.registry.tables import Blob, Job, Project
from engine.registry.tx import Tx
from engine.wire.jobs import JobView
from engine.wire.monitoring import AskCheck


def check_model(parts: Parts, caller: Caller, name: str, ask: AskCheck) -> JobView:
    """Put a check into the queue, behind the compaction of all that is captured by now.

    With a file it looks at that instead. One that waits to look at the captures already is the answer to the next who
    asks: it will see what has come until it starts.

    Raises:
        NotFound: nobody knows the model, or the uploaded file.
        Conflict: there is no version to compare with.
    """
    caller.need("operator", "have a model checked")
    project_id = get_project(parts.reader, name).id
    if ask.data_sha256 is None:
        compact_captures(parts, everything=True, only=project_id)

    def ask_for_it(tx: Tx) -> JobView:
        project = tx.first(Project, Project.name == name)
        if project is None:
            raise no_project(name)
        version = reference(tx, project, any_version=ask.data_sha256 is not None)
        if ask.data_sha256 is not None and tx.get(Blob, ask.data_sha256) is None:
            raise NotFound("The file to look at was not uploaded.", f"`mlops check {name} --data FILE` uploads it.")
        if ask.data_sha256 is None and (waiting := waiting_check(tx, project.id)) is not None:
            return get_job(tx, waiting.id or 0)
        args: dict[str, Any] = ask.model_dump(mode="json") if ask.data_sha256 is not None else {}
        job = enqueue(
            tx, caller, "check",
            project_id=project.id, revision_id=version.revision_id, args=args, reason="asked for",
        )  # fmt: skip
        return get_job(tx, job.id or 0)

    answer = parts.writer.write_and_wait(ask_for_it)
    parts.poke_jobs()
    return answer


def waiting_check(tx: Tx, project_id: int | None) -> Job | None:
    """The check of captures that has not begun."""
    return next(
        (
            job
            for job in active_jobs(tx, "check")
            if job.project_id == project_id and not job.attempt and not job.args.get("data_sha256")
        ),
        None,
    )
