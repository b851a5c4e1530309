"""A migration killed at any step leaves the old schema or the new one, and nothing between."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from engine.registry import migrate
from engine.registry.migrate import MIGRATIONS, bring_up_to_date, head_revision

PROGRAM = """
import sys
from pathlib import Path
from engine.registry import migrate
migrate.MIGRATIONS = Path(sys.argv[2])
migrate.bring_up_to_date(Path(sys.argv[1]))
"""

NEXT = """
import sqlalchemy as sa
from alembic import op
from engine.failpoint import failpoint

revision = {following!r}
down_revision = {last!r}


def upgrade():
    failpoint("migration.begun")
    with op.batch_alter_table("project", recreate="always") as table:
        table.add_column(sa.Column("owner", sa.String(), nullable=True))
    failpoint("migration.half")
    op.execute("UPDATE project SET owner = added_by")
"""

OTHERS = ("migration.copied", "migration.begun", "migration.migrated")


@pytest.fixture
def next_schema(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    last = head_revision()
    following = f"{int(last) + 1:04}"
    (folder / "versions" / f"{following}_next.py").write_text(NEXT.format(last=last, following=following))
    return folder


def old_registry(path: Path) -> None:
    bring_up_to_date(path)
    plain = sqlite3.connect(path)
    plain.execute(
        "INSERT INTO project (id, name, folder, task, metric, salt, added_at, added_by) "
        "VALUES (1, 'fraud', '/x', 'binary', 'f1', 's', '2026-01-01 00:00:00.000000', 'ada')"
    )
    plain.commit()
    plain.close()


def columns(path: Path) -> tuple[str, bool, list[tuple[str]]]:
    plain = sqlite3.connect(path)
    revision = plain.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    has_owner = "owner" in {row[1] for row in plain.execute("PRAGMA table_info(project)")}
    names = plain.execute("SELECT name FROM project").fetchall()
    plain.close()
    return revision, has_owner, names


@pytest.mark.parametrize("point", ["migration.half", *(pytest.param(one, marks=pytest.mark.slow) for one in OTHERS)])
def test_a_killed_migration_leaves_the_old_schema_or_the_new(tmp_path: Path, next_schema: Path, point: str) -> None:
    path = tmp_path / "registry.db"
    old_registry(path)
    last, following = head_revision(), f"{int(head_revision()) + 1:04}"
    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path), str(next_schema)],
        env=os.environ | {"MLOPS_FAILPOINT": point},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert columns(path) in [(last, False, [("fraud",)]), (following, True, [("fraud",)])]
    subprocess.run([sys.executable, "-c", PROGRAM, str(path), str(next_schema)], check=True)
    assert columns(path) == (following, True, [("fraud",)])
    assert columns(migrate_copy(path, last)) == (last, False, [("fraud",)])


def migrate_copy(path: Path, revision: str) -> Path:
    return path.with_name(f"{path.name}.before-{revision}")


@pytest.mark.slow
def test_a_first_start_killed_at_any_moment_is_begun_anew(tmp_path: Path) -> None:
    for number in range(100):
        path = tmp_path / f"{number}.db"
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(path), str(MIGRATIONS)])
        try:
            process.wait(timeout=0.4 + number * 0.01)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert bring_up_to_date(path) == migrate.head_revision()
