"""The schema: made, copied and migrated, or refused."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from engine.errors import DiskFull, Unavailable, VersionMismatch
from engine.registry import migrate
from engine.registry.migrate import MIGRATIONS, bring_up_to_date, head_revision, revisions


def schema(path: Path) -> dict[str, list[str]]:
    """By table or index: what it is made of. Constraints may come in any order."""
    plain = sqlite3.connect(path)
    rows = plain.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    plain.close()
    clean = {name: re.sub(r"\s+", " ", sql).replace('"', "").rstrip(" )") for name, sql in rows}
    return {name: sorted(part.rstrip(" )") for part in sql.split(", CONSTRAINT ")) for name, sql in clean.items()}


def migrated_from_nothing(path: Path) -> None:
    plain = migrate.open_for_writing(path)
    plain.execute(migrate._VERSION_TABLE)
    migrate._migrate(plain, head_revision(), path)
    plain.close()


def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    bring_up_to_date(tmp_path / "fresh.db")
    migrated_from_nothing(tmp_path / "migrated.db")
    assert schema(tmp_path / "migrated.db") == schema(tmp_path / "fresh.db")


def test_the_files_of_the_migrations_name_their_revisions() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [head_revision()]
    assert sorted(script.revision for script in scripts.walk_revisions()) == revisions()


def test_a_file_at_the_newest_revision_needs_no_alembic(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from engine.registry.migrate import bring_up_to_date;"
        "path = Path(sys.argv[1]); bring_up_to_date(path); bring_up_to_date(path);"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "registry.db")], check=True)


def test_a_newer_schema_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    bring_up_to_date(path)
    plain = sqlite3.connect(path)
    plain.execute("UPDATE alembic_version SET version_num = '9999'")
    plain.commit()
    plain.close()
    before = path.read_bytes()
    with pytest.raises(VersionMismatch, match="newer mlops \\(schema 9999\\)"):
        bring_up_to_date(path)
    assert path.read_bytes() == before


@pytest.fixture
def next_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Migrations with one more revision than there is: it adds a column to `project`."""
    folder = tmp_path / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text((MIGRATIONS / "env.py").read_text())
    (folder / "script.py.mako").write_text((MIGRATIONS / "script.py.mako").read_text())
    for found in (MIGRATIONS / "versions").glob("0*.py"):
        (folder / "versions" / found.name).write_text(found.read_text())
    last = head_revision()
    following = f"{int(last) + 1:04}"
    (folder / "versions" / f"{following}_next.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision = {following!r}\ndown_revision = {last!r}\n"
        "def upgrade():\n"
        "    with op.batch_alter_table('project', recreate='always') as table:\n"
        "        table.add_column(sa.Column('owner', sa.String(), nullable=True))\n"
    )
    monkeypatch.setattr(migrate, "MIGRATIONS", folder)
    return folder


def old_registry(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "MIGRATIONS", MIGRATIONS)
        bring_up_to_date(path)
    plain = sqlite3.connect(path)
    plain.execute(
        "INSERT INTO project (id, name, folder, task, metric, salt, added_at, added_by) "
        "VALUES (1, 'fraud', '/x', 'binary', 'f1', 's', '2026-01-01 00:00:00.000000', 'ada')"
    )
    plain.execute("INSERT INTO endpoint (id, project_id, created_at) VALUES (1, 1, '2026-01-01 00:00:00.000000')")
    plain.commit()
    plain.close()


def test_an_older_file_is_copied_and_then_migrated(
    tmp_path: Path, next_schema: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "registry.db"
    old_registry(path, monkeypatch)
    before = schema(path)
    assert bring_up_to_date(path) == revisions()[-1]
    plain = sqlite3.connect(path)
    assert plain.execute("SELECT name, owner FROM project").fetchall() == [("fraud", None)]
    assert plain.execute("SELECT count(*) FROM endpoint").fetchone() == (1,)
    plain.close()
    assert schema(tmp_path / f"registry.db.before-{head_revision_of(before)}") == before


def head_revision_of(_: object) -> str:
    return sorted(found.name.partition("_")[0] for found in (MIGRATIONS / "versions").glob("0*.py"))[-1]


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, next_schema: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "registry.db"
    old_registry(path, monkeypatch)
    before = schema(path)
    broken = next(next_schema.glob("versions/*_next.py"))
    broken.write_text(broken.read_text() + "    op.execute('SELECT * FROM nowhere')\n")
    with pytest.raises(Unavailable, match="could not be brought to schema"):
        bring_up_to_date(path)
    assert schema(path) == before
    plain = sqlite3.connect(path)
    assert plain.execute("SELECT version_num FROM alembic_version").fetchone() == (head_revision_of(before),)
    assert plain.execute("SELECT name FROM project").fetchall() == [("fraud",)]
    plain.close()


def test_a_disk_too_full_for_a_new_registry_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "registry.db"
    open_for_writing = migrate.open_for_writing

    def no_room(at: Path) -> sqlite3.Connection:
        connection = open_for_writing(at)
        connection.execute("PRAGMA max_page_count = 3")
        return connection

    monkeypatch.setattr(migrate, "open_for_writing", no_room)
    with pytest.raises(DiskFull):
        bring_up_to_date(path)
    monkeypatch.undo()
    assert bring_up_to_date(path) == head_revision()
