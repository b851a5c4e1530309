"""Register a project, or store its code again."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.blobs.store import Stored
from engine.errors import Conflict, DamagedBlob, NotFound
from engine.lifecycle.caller import Caller
from engine.lifecycle.code_tree import CodeTree, read_code_tree
from engine.lifecycle.git_state import GitState, git_state
from engine.lifecycle.parts import Parts
from engine.lifecycle.stored_blobs import record_blobs
from engine.project import PROJECT_FILE
from engine.registry.events import Actor
from engine.registry.queries.projects import get_project
from engine.registry.tables import Project, Revision, Version, now
from engine.registry.tx import Tx
from engine.wire.projects import AddedProject, AddProject


def add_project(parts: Parts, caller: Caller, ask: AddProject) -> AddedProject:
    """Store the tree of `ask.folder` and register it under the name that its `mlops.toml` gives.

    The same tree again changes nothing. A name belongs to one folder: another one is refused while the first still
    holds a project file, and takes the project over once that is gone.

    Raises:
        InvalidInput, NotFound, InvalidConfig, TooLarge: what is wrong with the folder.
        Conflict: the name belongs to another folder, or the task changed under a model that has versions.
        DiskFull: nothing was registered.
    """
    folder = Path(ask.folder)
    tree = read_code_tree(folder)
    stored = store_tree(parts, folder, tree)
    state = git_state(folder, tree.files, parts.blobs)
    before = _find_before(parts, tree.project.name, folder)

    def register(tx: Tx) -> AddedProject:
        project = tx.first(Project, Project.name == tree.project.name)
        if project is None:
            project = tx.add(_new_project(caller, folder, tree))
            tx.event(caller, "project.added", project.name, project.id, folder=str(folder), task=project.task)
        else:
            _check_same(tx, caller, project, folder, tree, before)
        changed = record_revision(tx, caller, project, tree, stored, state)
        return AddedProject(project=get_project(tx, project.name), changed=changed)

    return parts.writer.write_and_wait(register)


def store_tree(parts: Parts, folder: Path, tree: CodeTree) -> list[Stored]:
    """Have every file of the tree whole in the store. Raises `DamagedBlob` where one was written to meanwhile."""
    stored = []
    for file in tree.files:
        try:
            parts.blobs.check(file.sha256)
        except (NotFound, DamagedBlob):
            parts.blobs.adopt_below(folder, file.path, file.sha256)
        stored.append(Stored(file.sha256, file.size_bytes))
    return stored


def record_revision(
    tx: Tx, actor: Actor, project: Project, tree: CodeTree, stored: list[Stored], state: GitState
) -> bool:
    """Make the tree the project's newest code; False: it was already."""
    record_blobs(tx, stored)
    digest = tree.sha256
    revision = tx.first(Revision, Revision.project_id == project.id, Revision.tree_sha256 == digest)
    if revision is None:
        revision = tx.add(
            Revision(
                project_id=project.id or 0,
                tree_sha256=digest,
                files=[asdict(file) for file in tree.files],
                config=tree.config,
                git_commit=state.commit,
                git_dirty=state.dirty,
                created_at=now(),
                created_by=actor.name,
            )
        )
    elif state.commit is not None and not state.dirty:
        # The tree was stored before it was committed: now its commit is known.
        revision.git_commit, revision.git_dirty = state.commit, False
    if project.revision_id == revision.id:
        return False
    project.revision_id = revision.id
    project.task, project.metric = tree.project.task, tree.project.metric
    tx.flush()
    tx.event(
        actor, "project.stored", project.name, project.id,
        revision=revision.id, tree_sha256=digest, files=len(tree.files), links_left_out=tree.links,
        git_commit=revision.git_commit, git_dirty=revision.git_dirty,
    )  # fmt: skip
    return True


def _new_project(caller: Caller, folder: Path, tree: CodeTree) -> Project:
    return Project(
        name=tree.project.name,
        folder=str(folder),
        task=tree.project.task,
        metric=tree.project.metric,
        salt=secrets.token_hex(16),
        added_at=now(),
        added_by=caller.name,
    )


@dataclass(frozen=True)
class _Before:
    """The folder that the name belonged to when it was looked at; a folder may be slow, and no writer waits for it."""

    folder: str | None
    is_same: bool = False
    """It is the folder that is added now, perhaps by another path."""
    is_in_use: bool = False
    """It still holds a project file."""


def _find_before(parts: Parts, name: str, folder: Path) -> _Before:
    try:
        known = get_project(parts.reader, name).folder
    except NotFound:
        return _Before(None)
    return _Before(known, _is_same_folder(Path(known), folder), _is_in_use(Path(known)))


def _check_same(tx: Tx, caller: Caller, project: Project, folder: Path, tree: CodeTree, before: _Before) -> None:
    check_task(tx, project, tree)
    # Whoever took the name since it was looked at has a project file there.
    meanwhile = project.folder != before.folder
    if project.folder == str(folder) or (before.is_same and not meanwhile):
        return
    if before.is_in_use or meanwhile:
        raise Conflict(
            f"The name {project.name} belongs to the project in {project.folder}.",
            f"Give another `name` in {folder / PROJECT_FILE}, or remove the other folder's {PROJECT_FILE} first.",
            name=project.name,
            folder=project.folder,
        )
    tx.event(caller, "project.moved", project.name, project.id, was=project.folder, folder=str(folder))
    project.folder = str(folder)


def check_task(tx: Tx, project: Project, tree: CodeTree) -> None:
    """Raise `Conflict` where the task changed under a model that has versions: they could not be compared."""
    if project.task != tree.project.task and tx.count(Version, Version.project_id == project.id):
        raise Conflict(
            f"{project.name} is a {project.task} model with versions, and {PROJECT_FILE} now says {tree.project.task}.",
            "Give it another `name`: a new task is a new model.",
            name=project.name,
        )


def _is_same_folder(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _is_in_use(folder: Path) -> bool:
    try:
        return (folder / PROJECT_FILE).exists()
    except OSError:
        # It cannot be looked into, so nobody can say that it is free.
        return True
