"""Ask for a training run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.blobs.store import Stored
from engine.errors import Conflict, NotFound
from engine.failpoint import failpoint
from engine.lifecycle.add_project import check_task, record_revision, store_tree
from engine.lifecycle.caller import Caller
from engine.lifecycle.code_tree import CodeTree, read_code_tree
from engine.lifecycle.git_state import GitState, git_state
from engine.lifecycle.parts import Parts
from engine.project import PROJECT_FILE, parse_project
from engine.registry.events import Actor
from engine.registry.queries.jobs import get_job
from engine.registry.queries.projects import get_project, no_project
from engine.registry.queue import enqueue
from engine.registry.tables import Job, Project, Revision, Run, now
from engine.registry.tx import Tx
from engine.wire.projects import TrainAnswer, TrainProject


@dataclass(frozen=True)
class StoredTree:
    """A project's folder as it was just read; every file of it is in the store."""

    tree: CodeTree
    stored: list[Stored]
    state: GitState

    def record(self, tx: Tx, actor: Actor, project: Project) -> bool:
        """Make it the project's newest code; False: it was already. Raises `Conflict` where the task changed."""
        check_task(tx, project, self.tree)
        return record_revision(tx, actor, project, self.tree, self.stored, self.state)


def train_project(parts: Parts, caller: Caller, name: str, ask: TrainProject) -> TrainAnswer:
    """Put a training job into the queue; runs of one project come one after another.

    An admin's folder is stored again first when it has changed; everybody else trains the code that is stored.

    Raises:
        NotFound: nobody knows the project.
        InvalidConfig, InvalidInput, TooLarge, Conflict: what is wrong with an admin's changed folder.
    """
    fresh = read_again(parts, name) if caller.may("admin") else None

    def ask_for_it(tx: Tx) -> TrainAnswer:
        project = tx.first(Project, Project.name == name)
        if project is None:
            raise no_project(name)
        key = f"train:{name}:{ask.key}" if ask.key else None
        if key is not None and (known := tx.first(Job, Job.key == key)) is not None:
            return TrainAnswer(job=get_job(tx, known.id or 0), stored_again=False)
        stored_again = fresh is not None and fresh.record(tx, caller, project)
        job = queue_training(tx, caller, project, reason=ask.reason, key=key, seed=ask.seed)
        return TrainAnswer(job=get_job(tx, job.id or 0), stored_again=stored_again)

    answer = parts.writer.write_and_wait(ask_for_it)
    failpoint("job.enqueued")
    parts.poke_jobs()
    return answer


def read_again(parts: Parts, name: str) -> StoredTree | None:
    """The project's folder as it is now; None: it is gone, so the stored code is all there is.

    Raises:
        NotFound: nobody knows the project.
        InvalidConfig, InvalidInput, TooLarge, Conflict: what is wrong with the folder.
    """
    folder = Path(get_project(parts.reader, name).folder)
    if not (folder / PROJECT_FILE).is_file():
        return None
    tree = read_code_tree(folder)
    if tree.project.name != name:
        raise Conflict(
            f'The {PROJECT_FILE} of {name} in {folder} now says `name = "{tree.project.name}"`.',
            f"Put the name back, or register it as a new project: `mlops add {folder}`.",
            name=name,
        )
    stored = store_tree(parts, folder, tree)
    return StoredTree(tree, stored, git_state(folder, tree.files, parts.blobs))


def queue_training(
    tx: Tx,
    actor: Actor,
    project: Project,
    *,
    reason: str,
    key: str | None,
    seed: int | None = None,
    args: dict[str, Any] | None = None,
) -> Job:
    """A run of the newest stored code, and the job that trains it. `seed` None: the project's own.

    Raises:
        NotFound: no code is stored.
    """
    revision = tx.get(Revision, project.revision_id)
    if revision is None:
        raise NotFound(f"No code of {project.name} is stored.", f"Store it: `mlops add {project.folder}`.")
    seed = seed if seed is not None else parse_project(revision.config).train.seed
    run = tx.add(
        Run(
            project_id=project.id or 0,
            revision_id=revision.id,
            status="queued",
            reason=reason,
            created_by=actor.name,
            seed=seed,
            environment={},
            split={},
            created_at=now(),
        )
    )
    job = enqueue(
        tx, actor, "train",
        project_id=project.id, run_id=run.id, revision_id=revision.id, key=key, args=args, reason=reason,
    )  # fmt: skip
    run.job_id = job.id
    return job
