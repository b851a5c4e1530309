"""Bring the registry's file to this program's schema when the engine starts.

A file at the newest revision is recognised by one plain query, because importing Alembic costs half a second of an
engine's start. A new file is made from the tables themselves, which a test holds equal to what the migrations make.
An older file is copied first and migrated in one transaction: after a kill at any moment it has its old schema or the
new one.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from engine.errors import Unavailable, VersionMismatch
from engine.failpoint import failpoint
from engine.registry.connect import open_for_writing
from engine.registry.tables import Table
from engine.registry.translate import translate

MIGRATIONS = Path(__file__).parent / "migrations"

_VERSION_TABLE = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def revisions() -> list[str]:
    """Revisions this program knows, oldest first: migration files are named `NNNN_what.py`."""
    return sorted(found.name.partition("_")[0] for found in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def head_revision() -> str:
    """The newest one."""
    return revisions()[-1]


def bring_up_to_date(path: Path) -> str:
    """Make or migrate the registry at `path`; gives its revision. Nobody else may have it open.

    Raises:
        VersionMismatch: a newer program wrote it.
        Unavailable: a migration failed; the file is as it was, and a copy lies beside it.
        DiskFull: no room.
    """
    known = revisions()
    try:
        with _opened(path) as raw:
            found = _revision(raw)
            if found is None:
                _create(raw)
            elif found not in known:
                raise VersionMismatch(
                    f"The registry was written by a newer mlops (schema {found}); this one knows {known[-1]}.",
                    "Use the newer program, or put a copy of registry.db from before back.",
                    found=found,
                    known=known[-1],
                )
            elif found != known[-1]:
                copy = _copy(raw, path, found)
                failpoint("migration.copied")
                _migrate(raw, known[-1], copy)
                failpoint("migration.migrated")
    except (sqlite3.Error, DBAPIError) as error:
        raise translate(error) from error
    return known[-1]


class _opened:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> sqlite3.Connection:
        self._connection = open_for_writing(self._path)
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _revision(raw: sqlite3.Connection) -> str | None:
    """None: the file is new, or was killed before it had a schema."""
    if raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is None:
        return None
    row = raw.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _create(raw: sqlite3.Connection) -> None:
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        Table.metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql(_VERSION_TABLE)
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (head_revision(),))


def _copy(raw: sqlite3.Connection, path: Path, revision: str) -> Path:
    """A whole, durable copy beside the file, named after the revision it has."""
    copy = path.with_name(f"{path.name}.before-{revision}")
    begun = copy.with_suffix(copy.suffix + ".part")
    begun.unlink(missing_ok=True)
    target = sqlite3.connect(begun)
    try:
        raw.backup(target)
    finally:
        target.close()
    begun.chmod(0o600)
    for name in (begun, path.parent):
        descriptor = os.open(name, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if name is begun:
            begun.replace(copy)
    return copy


def _migrate(raw: sqlite3.Connection, to: str, copy: Path) -> None:
    from alembic import command
    from alembic.config import Config

    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    # A table rebuilt in batch mode is dropped and renamed: references to it must not be looked at meanwhile.
    raw.execute("PRAGMA foreign_keys = OFF")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise Unavailable(f"The migration left a row of {broken[0]} that points at nothing.", "")
    except Exception as error:
        raise Unavailable(
            f"The registry could not be brought to schema {to}: {translate(error)}.",
            f"It is as it was before; a copy lies in {copy.name}. Use the program it was written with.",
        ) from error
    finally:
        raw.execute("PRAGMA foreign_keys = ON")
