"""What nothing speaks of goes; what anything speaks of, or may soon, stays."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from fakes.core import ADA, add, claim, sha256, train

from engine.blobs.store import TEMPORARY_AGE_S
from engine.errors import Conflict
from engine.lifecycle import drop_blobs as dropping
from engine.lifecycle.collect_garbage import collect_garbage
from engine.lifecycle.drop_blobs import GRACE_S, drop_blobs
from engine.lifecycle.parts import Parts
from engine.lifecycle.stored_blobs import record_blobs
from engine.lifecycle.train_project import train_project
from engine.lifecycle.verify_registry import verify_registry
from engine.registry import tables
from engine.registry.queries.blobs import all_blobs
from engine.registry.queries.events import list_events
from engine.registry.queries.spoken import NO_TEXT, SILENT, spoken_hashes
from engine.registry.queue import enqueue
from engine.registry.tables import CaptureFile, Job, ModelCheck, now
from engine.registry.tx import Tx
from engine.wire.housekeeping import CollectGarbage, Garbage
from engine.wire.projects import TrainProject


def collect(parts: Parts, *, dry_run: bool = False) -> Garbage:
    return collect_garbage(parts, ADA, CollectGarbage(dry_run=dry_run))


def put(parts: Parts, content: bytes, *, age_s: float = GRACE_S + 60) -> str:
    """A stored file with a row of its own, as an upload leaves it."""
    stored = parts.blobs.put(content)
    parts.writer.write_and_wait(lambda tx: record_blobs(tx, [stored]))
    make_old(parts, stored.sha256, age_s)
    return stored.sha256


def make_old(parts: Parts, digest: str, age_s: float = GRACE_S + 60) -> None:
    os.utime(parts.blobs.path(digest), (time.time() - age_s,) * 2)


def gone(found: Garbage) -> dict[str, int]:
    return {line.what: line.count for line in found.gone}


def kept(found: Garbage) -> dict[str, int]:
    return {line.what: line.count for line in found.kept}


def test_a_file_that_no_row_speaks_of_goes_and_a_dry_run_only_tells(parts: Parts) -> None:
    digest = put(parts, b"nobody's")
    found = collect(parts, dry_run=True)
    assert (gone(found), found.freed_bytes, found.dry_run) == ({"stored files": 1}, 8, True)
    assert parts.blobs.has(digest)
    assert list_events(parts.reader, verb="garbage.collected").events == []
    assert gone(collect(parts)) == {"stored files": 1}
    assert (parts.blobs.has(digest), all_blobs(parts.reader)) == (False, [])
    (told,) = list_events(parts.reader, verb="garbage.collected").events
    assert (told.actor, told.evidence) == ("ada", {"removed": {"stored files": 1}, "freed_bytes": 8})
    assert gone(collect(parts)) == {}


def test_a_fresh_file_stays_for_somebody_may_be_about_to_speak_of_it(parts: Parts) -> None:
    digest = put(parts, b"fresh", age_s=GRACE_S - 60)
    found = collect(parts)
    assert (gone(found), kept(found), parts.blobs.has(digest)) == ({}, {"fresh files": 1}, True)


def test_all_that_a_version_was_made_of_stays_and_is_told(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    train(parts)
    before = all_blobs(parts.reader)
    for digest in before:
        make_old(parts, digest, 10 * 24 * 3600.0)
    found = collect(parts)
    assert "stored files" not in gone(found)
    assert {"data of versions", "code of projects", "bundles of models"} <= set(kept(found))
    assert all_blobs(parts.reader) == before
    verified = verify_registry(parts, ADA)
    assert (verified.damaged, verified.missing) == ([], [])


def test_what_a_job_left_stays_until_the_job_is_over(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train_project(parts, ADA, "fraud", TrainProject())
    worked = claim(parts)
    for step in ("snapshot", "fit", "package"):
        worked.post(step, getattr(worked, step)())
    for digest in parts.blobs.files():
        make_old(parts, digest)
    bundled = sha256(b"tree\n")
    collect(parts)
    assert parts.blobs.has(bundled)

    def fail(tx: Tx) -> None:
        job = tx.get(Job, worked.job_id)
        assert job is not None
        job.status = "failed"

    parts.writer.write_and_wait(fail)
    assert gone(collect(parts, dry_run=True))["stored files"] >= 1
    collect(parts)
    assert not parts.blobs.has(bundled)
    verified = verify_registry(parts, ADA)
    assert (verified.damaged, verified.missing) == ([], [])


def test_what_a_waiting_job_was_given_stays(parts: Parts) -> None:
    digest = put(parts, b"labels")

    def ask(tx: Tx) -> None:
        enqueue(tx, ADA, "look", args={"labels": {"sha256": digest}})

    parts.writer.write_and_wait(ask)
    found = collect(parts)
    assert (gone(found), kept(found)) == ({}, {"files of jobs": 1})


def test_a_file_that_is_spoken_of_between_the_look_and_the_removal_survives(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row comes in the last moment before the writer decides."""
    digest = put(parts, b"wanted after all")
    real = dropping._decide

    def decide(tx: Tx, **rest: Any) -> list[str]:
        enqueue(tx, ADA, "look", args={"sha256": digest})
        return real(tx, **rest)

    monkeypatch.setattr(dropping, "_decide", decide)
    assert drop_blobs(parts, [digest], now_s=time.time()) == []
    assert parts.blobs.has(digest)


@pytest.mark.parametrize("recorded", ["before", "after"])
def test_a_file_that_is_stored_again_in_that_moment_survives(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, recorded: str
) -> None:
    digest, now_s = put(parts, b"the same again"), time.time()
    real = dropping._decide

    def decide(tx: Tx, **rest: Any) -> list[str]:
        if recorded == "before":
            record_blobs(tx, [parts.blobs.put(b"the same again")])
            return real(tx, **rest)
        decided = real(tx, **rest)
        assert decided == [digest]
        parts.blobs.put(b"the same again")
        return decided

    monkeypatch.setattr(dropping, "_decide", decide)
    drop_blobs(parts, [digest], now_s=now_s)
    assert parts.blobs.read(digest) == b"the same again"
    assert (digest in all_blobs(parts.reader)) == (recorded == "before")


def test_a_row_whose_file_a_kill_took_goes_too(parts: Parts) -> None:
    digest = put(parts, b"half")
    parts.blobs.path(digest).unlink()
    assert verify_registry(parts, ADA).missing == [digest]
    collect(parts)
    assert verify_registry(parts, ADA).missing == []


def test_what_kills_left_half_written_goes_after_a_day(parts: Parts) -> None:
    old = [parts.home.blobs / "tmp" / "0abc", parts.home.captures / "fraud" / "x.part77"]
    young = [parts.home.blobs / "tmp" / "0abd", parts.home.captures / "fraud" / "y.part78"]
    for path in (*old, *young):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    for path in old:
        os.utime(path, (time.time() - TEMPORARY_AGE_S - 60,) * 2)
    assert gone(collect(parts)) == {"temporary files": 2}
    assert [path.exists() for path in (*old, *young)] == [False, False, True, True]


def test_captures_that_were_given_up_and_left_lying_go(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    folder = parts.home.captures / "fraud"
    folder.mkdir()

    def record(tx: Tx) -> None:
        for name, deleted_at in (("a.parquet", now()), ("b.parquet", None)):
            (folder / name).write_bytes(b"rows")
            tx.add(
                CaptureFile(
                    project_id=1, name=name, version=1, rows=1, size_bytes=4, created_at=now(), deleted_at=deleted_at
                )
            )

    parts.writer.write_and_wait(record)
    assert gone(collect(parts)) == {"captures": 1}
    assert [path.name for path in folder.iterdir()] == ["b.parquet"]


def test_work_folders_of_jobs_that_are_over_go_and_others_stay(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train_project(parts, ADA, "fraud", TrainProject())
    running = claim(parts)
    left = parts.home.work(77, 1)
    left.mkdir(parents=True)
    (left / "data.parquet").write_bytes(b"x" * 100)
    found = collect(parts)
    assert (gone(found), found.freed_bytes) == ({"work folders": 1}, 100)
    assert running.folder.is_dir()


def test_nothing_is_collected_while_a_backup_is_made_though_a_look_is_allowed(parts: Parts) -> None:
    put(parts, b"nobody's")
    with parts.removal:
        with pytest.raises(Conflict, match="backup"):
            collect(parts)
        assert gone(collect(parts, dry_run=True)) == {"stored files": 1}


def test_every_column_that_may_name_a_file_is_heard() -> None:
    """A table that is silent has no column for a hash but those that are known to name no file."""
    assert set(tables.Table.metadata.tables) >= SILENT
    named = {
        f"{table.name}.{column.name}"
        for table in tables.Table.metadata.sorted_tables
        if table.name in SILENT
        for column in table.columns
        if "sha256" in column.name
    }
    assert named == {"blob.sha256"}


def test_every_named_hash_of_a_table_that_speaks_is_searched() -> None:
    """Types of our own and of libraries are not all subclasses of what they are stored as."""
    missed = [
        f"{table.name}.{column.name}"
        for table in tables.Table.metadata.sorted_tables
        for column in table.columns
        if ("sha256" in column.name or column.type.python_type in (str, dict, list))
        and isinstance(column.type, NO_TEXT)
    ]
    assert missed == []


def test_a_hash_is_heard_wherever_it_stands(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    marks = {"figures_sha256": "a" * 64, "findings": [{"deep": ["b" * 64]}]}

    def record(tx: Tx) -> None:
        tx.add(
            ModelCheck(
                project_id=1, version_id=1, job_id=1, source="captures", outcome="quiet", rows=1, drifted=[],
                threshold={}, created_at=now(), created_by="ada", **marks,
            )
        )  # fmt: skip

    parts.writer.write_and_wait(record)
    assert {"a" * 64, "b" * 64} <= spoken_hashes(parts.reader)["model_check"]
