"""Registered projects and their stored code."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from engine.errors import NotFound
from engine.registry.core import PROJECT, REVISION
from engine.registry.reader import Source
from engine.wire.projects import ProjectList, ProjectView, RevisionView

_ID_BY_NAME = select(PROJECT.c.id).where(PROJECT.c.name == bindparam("name"))


def list_projects(source: Source) -> ProjectList:
    """All of them, by name."""
    with source.connection() as connection:
        return ProjectList(projects=[_view(row) for row in connection.execute(_selected().order_by(PROJECT.c.name))])


def get_project(source: Source, name: str) -> ProjectView:
    """One of them.

    Raises:
        NotFound: none has that name.
    """
    with source.connection() as connection:
        row = connection.execute(_selected().where(PROJECT.c.name == name)).first()
    if row is None:
        raise no_project(name)
    return _view(row)


def project_id(connection: Connection, name: str) -> int:
    """Its id. Raises `NotFound`."""
    found = connection.execute(_ID_BY_NAME, {"name": name}).scalar()
    if found is None:
        raise no_project(name)
    return int(found)


def no_project(name: str) -> NotFound:
    """Nothing is called so."""
    return NotFound(f"There is no project {name[:60]!r}.", "`mlops models` lists what there is.", name=name[:60])


def _selected() -> Select[Any]:
    code = [column.label(f"code_{column.name}") for column in REVISION.c if column.name != "config"]
    return select(*PROJECT.c, REVISION.c.config, *code).join_from(
        PROJECT, REVISION, REVISION.c.id == PROJECT.c.revision_id
    )


def _view(row: Row[Any]) -> ProjectView:
    return ProjectView(
        id=row.id,
        name=row.name,
        task=row.task,
        folder=row.folder,
        metric=row.metric,
        added_at=row.added_at,
        by=row.added_by,
        config=row.config,
        revision=RevisionView(
            id=row.code_id,
            tree_sha256=row.code_tree_sha256,
            git_commit=row.code_git_commit,
            git_dirty=row.code_git_dirty,
            files=len(row.code_files),
            size_bytes=sum(file["size_bytes"] for file in row.code_files),
            created_at=row.code_created_at,
            by=row.code_created_by,
        ),
    )
