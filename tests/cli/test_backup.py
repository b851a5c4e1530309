"""`backup`, `restore` and `gc` as they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import fake_engine
from fakes.core import ADA, add, engine_core
from fakes.fake_engine import FakeEngine

from engine.errors import DamagedBlob
from engine.lifecycle.make_backup import make_backup
from engine.settings import Home
from engine.wire.housekeeping import BackupMade, Garbage, GarbageLine, MakeBackup

Mlops = Callable[..., Any]

MADE = BackupMade.model_validate(
    {
        "folder": "/srv/b/backup-20260131-020000", "made_at": "2026-01-31T02:00:00Z", "schema_revision": "0002",
        "last_event": 9, "blobs": 4, "shared": 3, "captures": 1, "size_bytes": 4096, "written_bytes": 1024,
        "left_out": [],
    }
)  # fmt: skip
GONE = GarbageLine(what="stored files", count=2, size_bytes=1536, why="no row of the registry speaks of them")
KEPT = GarbageLine(what="data of versions", count=1, size_bytes=10, why="a version was made of it: its lineage")


@pytest.fixture(autouse=True)
def routes(monkeypatch: pytest.MonkeyPatch) -> None:
    def collect(body: dict[str, Any]) -> Garbage:
        return Garbage(dry_run=body["dry_run"], gone=[GONE], kept=[KEPT], freed_bytes=1536)

    more = [("/backups", "POST", lambda e, g, p, b: MADE), ("/gc", "POST", lambda e, g, p, b: collect(b))]
    monkeypatch.setattr(fake_engine, "_ROUTES", [*fake_engine._ROUTES, *more])


def test_a_backup_says_where_it_is_and_how_it_is_restored(mlops: Mlops, fake: FakeEngine, here: Path) -> None:
    ran = mlops("backup", "b")
    assert ran.code == 0
    assert "4 stored files, 3 of them shared with the backup before, 1 file of captures" in ran.out
    assert f"mlops restore {MADE.folder}" in ran.out
    (asked,) = fake.asked("POST", "/backups")
    assert asked["folder"] == str(here / "b"), "the engine stands elsewhere"
    assert mlops("backup", "/b", "--json", "--full").json == MADE.model_dump(mode="json")
    assert fake.asked("POST", "/backups")[1]["full"] is True


def test_a_damaged_file_is_told_with_the_way_on(mlops: Mlops, fake: FakeEngine) -> None:
    fake.refusals["/backups"] = DamagedBlob("No backup was made: abc.", "Leave it out with --allow-damaged.")
    ran = mlops("backup", "/b")
    assert (ran.code, "--allow-damaged" in ran.err, ran.out) == (1, True, "")


def test_what_goes_and_what_is_kept_is_told_with_its_reason(mlops: Mlops, fake: FakeEngine) -> None:
    ran = mlops("gc", "--dry-run")
    assert ran.code == 0
    assert "Would go: 1.5 KiB" in ran.out
    for line in (GONE, KEPT):
        assert line.what in ran.out
        assert line.why in ran.out
    assert fake.asked("POST", "/gc") == [{"dry_run": True}]
    assert "Gone: 1.5 KiB" in mlops("gc").out


def test_a_home_is_made_of_a_backup_and_told(mlops: Mlops, tmp_path: Path, home: Home) -> None:
    with engine_core() as parts:
        add(parts, tmp_path / "project")
        made = make_backup(parts, ADA, MakeBackup(folder=str(tmp_path / "b")))
    target = home.root / "h"
    ran = mlops("restore", made.folder, "--home", str(target))
    assert ran.code == 0, ran.err
    assert f"mlops --home {target} up" in ran.out
    again = mlops("restore", made.folder, "--home", str(target), "--json")
    assert (again.code, json.loads(again.out)["error"]["code"]) == (1, "conflict")
    assert "holds something already" in again.err


def test_what_is_no_backup_is_told(mlops: Mlops, tmp_path: Path, home: Home) -> None:
    ran = mlops("restore", str(tmp_path), "--home", str(home.root / "h"))
    assert (ran.code, "is no backup" in ran.err, (home.root / "h").exists()) == (1, True, False)
