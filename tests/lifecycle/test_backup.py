"""A backup holds all that its registry speaks of, and a home is made of it elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.core import ADA, add, claim, engine_core, go_live, train

from engine.blobs.store import BlobStore
from engine.errors import (
    Conflict,
    DamagedBlob,
    DiskFull,
    EngineRunning,
    Forbidden,
    InvalidInput,
    NotFound,
    VersionMismatch,
)
from engine.lifecycle import flush_captures
from engine.lifecycle import make_backup as making
from engine.lifecycle.deploy_version import deploy_version
from engine.lifecycle.make_backup import make_backup
from engine.lifecycle.parts import Parts
from engine.lifecycle.restore_backup import restore_backup
from engine.lifecycle.train_project import train_project
from engine.lifecycle.verify_registry import verify_registry
from engine.lock import take_lock
from engine.registry.core import BLOB, REPLICA
from engine.registry.queries.blobs import all_blobs
from engine.registry.queries.jobs import get_job
from engine.registry.tables import CaptureFile, CaptureOffset, GatewayState, Replica, now
from engine.registry.tx import Tx
from engine.serving.capture import CaptureLog
from engine.serving.manifest import ServeSpec
from engine.settings import Home
from engine.wire.endpoints import Deploy
from engine.wire.housekeeping import BackupMade, MakeBackup
from engine.wire.projects import TrainProject
from engine.worker.segments import Offset, read_stretches


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "backups"


@pytest.fixture
def other() -> Iterator[Home]:
    """A home that is not there yet."""
    root = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    yield Home(root / "h")
    shutil.rmtree(root)


@pytest.fixture
def trained(parts: Parts, tmp_path: Path) -> Parts:
    """With a version, a live deployment and captures."""
    add(parts, tmp_path / "project")
    train(parts)
    go_live(parts, deploy_version(parts, ADA, "fraud", Deploy()).id)
    (parts.home.captures / "fraud" / "labels").mkdir(parents=True)
    (parts.home.captures / "fraud" / "a.parquet").write_bytes(b"rows")
    (parts.home.captures / "fraud" / "labels" / "J9.parquet").write_bytes(b"labels")
    parts.writer.write_and_wait(captured)
    parts.home.config.write_text("[jobs]\nslots = 3\n")
    return parts


def captured(tx: Tx) -> None:
    tx.add(CaptureFile(project_id=1, name="a.parquet", version=1, rows=1, size_bytes=4, created_at=now()))


def back_up(parts: Parts, folder: Path, **options: bool) -> BackupMade:
    return make_backup(parts, ADA, MakeBackup(folder=str(folder), **options))


def blob_files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "blobs").glob("??/*") if len(path.name) == 62)


def a_blob(parts: Parts) -> Path:
    """The stored code of the project."""
    return parts.blobs.path(all_blobs(parts.reader)[0])


def test_a_backup_can_be_checked_without_this_program(trained: Parts, folder: Path) -> None:
    made = back_up(trained, folder)
    manifest = json.loads((Path(made.folder) / "manifest.json").read_text())
    sums = "".join(f"{file['sha256']}  {file['path']}\n" for file in manifest["files"])
    for given in ([str(Path(made.folder) / "manifest.sha256")], ["-"]):
        subprocess.run(["sha256sum", "--strict", "-c", *given], cwd=made.folder, input=sums, text=True, check=True)
    listed = {file["path"] for file in manifest["files"]} | {"manifest.json", "manifest.sha256"}
    there = {path.relative_to(made.folder).as_posix() for path in Path(made.folder).rglob("*") if path.is_file()}
    assert listed == there
    assert {"registry.db", "config.toml", "captures/fraud/a.parquet", "captures/fraud/labels/J9.parquet"} <= there


def test_a_backup_restores_elsewhere_with_everything(trained: Parts, folder: Path, other: Home) -> None:
    made = back_up(trained, folder)
    restored = restore_backup(Path(made.folder), other, "ada")
    assert (restored.blobs, restored.captures, restored.left_out) == (made.blobs, 2, [])
    with engine_core(other.root) as again:
        found = verify_registry(again, ADA)
        assert (found.broken_event, found.damaged, found.missing, found.blobs) == (None, [], [], made.blobs)
        assert all_blobs(again.reader) == all_blobs(trained.reader)
    assert (other.captures / "fraud" / "labels" / "J9.parquet").read_bytes() == b"labels"
    assert "slots = 3" in other.config.read_text()
    assert not other.restoring_mark.exists()
    for path in (other.root, *other.root.rglob("*")):
        assert path.lstat().st_mode & 0o027 == 0 or path == other.run, f"{path} is open to others"


def test_what_is_written_after_the_registry_was_copied_is_in_the_next_backup(
    trained: Parts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = making._copy_blobs
    before = len(all_blobs(trained.reader))

    def meanwhile(*arguments: object) -> None:
        train(trained)
        real(*arguments)

    monkeypatch.setattr(making, "_copy_blobs", meanwhile)
    made = back_up(trained, folder)
    monkeypatch.undo()
    assert made.blobs == before
    assert made.last_event < back_up(trained, folder).last_event


def test_processes_of_the_home_that_was_copied_are_none_of_the_restored_ones(
    trained: Parts, folder: Path, other: Home
) -> None:
    def run(tx: Tx) -> None:
        tx.add(Replica(deployment_id=1, index=0, runtime="process", pid=os.getpid(), pid_created_at=1.0, healthy=True))
        state = tx.get(GatewayState, 1)
        assert state is not None
        state.pid = os.getpid()

    trained.writer.write_and_wait(run)
    restore_backup(Path(back_up(trained, folder).folder), other, "ada")
    with engine_core(other.root) as again:
        with again.reader.connection() as connection:
            row = connection.execute(REPLICA.select()).one()
        assert (row.pid, row.pid_created_at, row.healthy) == (None, None, False)
        state = again.writer.write_and_wait(lambda tx: tx.get(GatewayState, 1))
        assert state is not None and state.pid is None


@pytest.mark.parametrize(("place", "next_segment"), [((5, 1000), 6), ((5, 0), 5), ((1, 7), 2), ((0, 0), 1)])
def test_captures_go_on_where_they_were_compacted_to(
    trained: Parts, folder: Path, other: Home, place: tuple[int, int], next_segment: int
) -> None:
    """A number that was compacted must not come again, and the first line after it must not be missed."""
    trained.writer.write_and_wait(
        lambda tx: str(tx.add(CaptureOffset(deployment_id=1, replica=0, segment=place[0], byte=place[1])))
    )
    restore_backup(Path(back_up(trained, folder).folder), other, "ada")
    captures = other.serve(1) / "r00" / "captures"
    spec = ServeSpec(
        endpoint="fraud", version=1, deployment=1, replica=0, bundle="", socket="", capture_limit_bytes=1 << 20
    )
    log = CaptureLog(captures, spec, ["amount"]) if captures.is_dir() else None
    if log is None:
        captures.mkdir(parents=True)
        log = CaptureLog(captures, spec, ["amount"])
    assert log.append("r1", 1.0, 0.1, [[1.0]], [[0.5]], [1], [])
    log.close()
    assert max(path.name for path in captures.iterdir()) == f"{next_segment:08}.jsonl"
    lines = [line for stretch in read_stretches(captures, Offset(*place), retired=True) for line in stretch.lines]
    assert [b'"r1"' in line for line in lines if line] == [True]


def test_jobs_that_ran_wait_again(trained: Parts, folder: Path, other: Home) -> None:
    train_project(trained, ADA, "fraud", TrainProject())
    running = claim(trained)
    restored = restore_backup(Path(back_up(trained, folder).folder), other, "ada")
    assert restored.retried_jobs == [running.job_id]
    with engine_core(other.root) as again:
        job = get_job(again.reader, running.job_id)
        assert (job.status, job.attempt) == ("queued", 1)
        assert claim(again).attempt == 2


def test_a_second_backup_shares_what_has_not_changed_and_copies_what_was_damaged_there(
    trained: Parts, folder: Path
) -> None:
    first = back_up(trained, folder)
    assert first.shared == 0
    damaged = blob_files(Path(first.folder))[0]
    damaged.chmod(0o600)
    damaged.write_bytes(b"flipped")
    second = back_up(trained, folder)
    assert (second.shared, second.blobs) == (first.blobs - 1, first.blobs)
    one, two = blob_files(Path(first.folder)), blob_files(Path(second.folder))
    assert [a.samefile(b) for a, b in zip(one, two, strict=True)].count(False) == 1
    shutil.rmtree(first.folder)
    assert restore_sees_no_damage(Path(second.folder))
    assert back_up(trained, folder, full=True).shared == 0


def restore_sees_no_damage(backup: Path) -> bool:
    from engine.lifecycle.backup_folder import check_files, read_manifest

    check_files(backup, read_manifest(backup))
    return True


@pytest.mark.parametrize("harm", ["damaged", "missing"])
def test_a_damaged_stored_file_is_named_and_left_out_only_when_that_is_asked(
    trained: Parts, folder: Path, other: Home, harm: str
) -> None:
    path = a_blob(trained)
    sha256 = path.parent.name + path.name
    path.chmod(0o600)
    path.write_bytes(b"flipped") if harm == "damaged" else path.unlink()
    with pytest.raises(DamagedBlob, match=rf"{sha256} \({harm}\)"):
        back_up(trained, folder)
    assert [left.name for left in folder.iterdir()] == [making.LOCK]
    made = back_up(trained, folder, allow_damaged=True)
    assert made.left_out == [f"{sha256} ({harm})"]
    assert restore_backup(Path(made.folder), other, "ada").left_out == made.left_out
    with engine_core(other.root) as again:
        assert verify_registry(again, ADA).missing == [sha256]


def test_captures_that_are_gone_are_named(trained: Parts, folder: Path) -> None:
    (trained.home.captures / "fraud" / "a.parquet").unlink()
    with pytest.raises(DamagedBlob, match=r"captures/fraud/a\.parquet \(missing\)"):
        back_up(trained, folder)


def test_a_folder_in_the_home_is_refused_also_over_a_link(trained: Parts, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(trained.home.root)
    for given in (trained.home.root, trained.home.root / "b", tmp_path / "link" / "b"):
        with pytest.raises(InvalidInput, match="lies in the home folder"):
            back_up(trained, given)
    with pytest.raises(InvalidInput, match="root folder"):
        back_up(trained, Path("//"))
    with pytest.raises(InvalidInput, match="no absolute path"):
        make_backup(trained, ADA, MakeBackup(folder="backups"))


def test_a_folder_that_cannot_be_written_is_told(trained: Parts) -> None:
    with pytest.raises((Forbidden, making.Unavailable), match="/proc/nothing"):
        back_up(trained, Path("/proc/nothing"))


def test_too_little_room_is_told_before_anything_is_copied(
    trained: Parts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(making.shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(DiskFull, match="are free in"):
        back_up(trained, folder)
    assert [left.name for left in folder.iterdir()] == [making.LOCK]


def test_what_a_killed_backup_left_goes_with_the_next(trained: Parts, folder: Path) -> None:
    (folder / ".backup-begun-0000").mkdir(parents=True)
    (folder / ".backup-begun-0000" / "registry.db").write_bytes(b"half")
    made = back_up(trained, folder)
    assert sorted(left.name for left in folder.iterdir()) == [making.LOCK, Path(made.folder).name]


def test_nothing_is_removed_while_a_backup_is_made_and_no_two_are_made_at_once(
    trained: Parts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "_WAIT_S", 0.0)
    with trained.removal, pytest.raises(Conflict, match="already"):
        back_up(trained, folder)
    assert back_up(trained, folder).blobs
    with making._only_one(folder), pytest.raises(Conflict, match="Another backup"):
        back_up(trained, folder)


@pytest.mark.parametrize("place", ["registry.db", "config.toml", "captures/fraud/a.parquet", "manifest.json", "blob"])
@pytest.mark.parametrize("harm", ["flip", "remove", "link"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    trained: Parts, folder: Path, other: Home, tmp_path: Path, place: str, harm: str
) -> None:
    backup = Path(back_up(trained, folder).folder)
    path = blob_files(backup)[0] if place == "blob" else backup / place
    content = path.read_bytes()
    path.unlink()
    if harm == "flip":
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    elif harm == "link":
        (tmp_path / "same").write_bytes(content)
        path.symlink_to(tmp_path / "same")
    with pytest.raises((DamagedBlob, NotFound, InvalidInput), match=str(folder)):
        restore_backup(backup, other, "ada")
    assert not other.root.exists()


def rewrite(backup: Path, **changed: object) -> None:
    """Somebody edits the manifest, and its hash too."""
    import hashlib

    manifest = json.loads((backup / "manifest.json").read_text()) | changed
    content = json.dumps(manifest).encode()
    (backup / "manifest.json").write_bytes(content)
    (backup / "manifest.sha256").write_text(hashlib.sha256(content).hexdigest() + "  manifest.json\n")


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "blobs/../../outside", "engine.lock", "serve/d-1/x"])
def test_a_manifest_leads_nowhere_else(trained: Parts, folder: Path, other: Home, path: str) -> None:
    backup = Path(back_up(trained, folder).folder)
    files = json.loads((backup / "manifest.json").read_text())["files"]
    (backup / "serve" / "d-1").mkdir(parents=True)
    for name in ("engine.lock", "serve/d-1/x"):
        (backup / name).write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    rewrite(backup, files=[*files, {"path": path, "sha256": empty, "size_bytes": 0}])
    with pytest.raises((InvalidInput, DamagedBlob)):
        restore_backup(backup, other, "ada")
    assert not other.root.exists()


def test_a_list_that_leaves_out_a_stored_file_is_refused(trained: Parts, folder: Path, other: Home) -> None:
    backup = Path(back_up(trained, folder).folder)
    files = json.loads((backup / "manifest.json").read_text())["files"]
    rewrite(backup, files=[file for file in files if not file["path"].startswith("blobs/")])
    with pytest.raises(InvalidInput, match="lacks"):
        restore_backup(backup, other, "ada")


@pytest.mark.parametrize("changed", [{"format": 2, "new": 1}, {"format": 2}, {"schema_revision": "9999"}])
def test_a_backup_of_a_newer_program_is_refused(
    trained: Parts, folder: Path, other: Home, changed: dict[str, object]
) -> None:
    backup = Path(back_up(trained, folder).folder)
    rewrite(backup, **changed)
    with pytest.raises(VersionMismatch, match="newer"):
        restore_backup(backup, other, "ada")


def test_a_folder_of_backups_is_no_backup_and_the_newest_is_named(trained: Parts, folder: Path, other: Home) -> None:
    made = back_up(trained, folder)
    with pytest.raises(NotFound, match="is no backup") as refused:
        restore_backup(folder, other, "ada")
    assert made.folder in refused.value.hint


def test_a_home_that_holds_something_is_left_alone(trained: Parts, folder: Path) -> None:
    made = back_up(trained, folder)
    with engine_core() as busy:
        busy.blobs.put(b"precious")
        with pytest.raises(Conflict, match="holds something"):
            restore_backup(Path(made.folder), busy.home, "ada")


def test_a_home_with_an_engine_is_left_alone(trained: Parts, folder: Path, other: Home) -> None:
    made = back_up(trained, folder)
    other.prepare()
    lock = take_lock(other)
    with pytest.raises(EngineRunning):
        restore_backup(Path(made.folder), other, "ada")
    os.close(lock)


def test_settings_that_wait_in_the_home_stay(trained: Parts, folder: Path, other: Home) -> None:
    made = back_up(trained, folder)
    other.root.mkdir(mode=0o710)
    other.config.write_text("[jobs]\nslots = 1\n")
    restore_backup(Path(made.folder), other, "ada")
    assert "slots = 1" in other.config.read_text()


def test_a_restore_that_was_cut_off_is_begun_again_from_nothing(
    trained: Parts, folder: Path, other: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = Path(back_up(trained, folder).folder)
    real, left = BlobStore.adopt_below, [2]

    def cut_off(*arguments: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(BlobStore, "adopt_below", cut_off)
    with pytest.raises(KeyboardInterrupt):
        restore_backup(backup, other, "ada")
    monkeypatch.undo()
    assert other.restoring_mark.exists()
    assert not other.database.exists()
    (other.blobs / "ab").mkdir(exist_ok=True)
    restore_backup(backup, other, "ada")
    with engine_core(other.root) as again:
        found = verify_registry(again, ADA)
        assert (found.damaged, found.missing) == ([], [])


def test_a_backup_is_told_in_the_audit_chain(trained: Parts, folder: Path, other: Home) -> None:
    from engine.registry.queries.events import list_events

    made = back_up(trained, folder)
    (told,) = list_events(trained.reader, verb="registry.backed_up").events
    assert (told.actor, told.evidence["folder"], told.evidence["blobs"]) == ("ada", made.folder, made.blobs)
    restore_backup(Path(made.folder), other, "cy")
    with engine_core(other.root) as again:
        (restored,) = list_events(again.reader, verb="registry.restored").events
        assert (restored.actor, restored.evidence["from_home"]) == ("cy", str(trained.home.root))
        with again.reader.connection() as connection:
            assert len(connection.execute(BLOB.select()).all()) == made.blobs


def test_what_was_captured_so_far_is_compacted_first(
    trained: Parts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures = trained.home.serve(1) / "r00" / "captures"
    captures.mkdir(parents=True)
    (captures / "00000001.jsonl").write_bytes(b"{}\n")
    waited: list[float] = []

    def work(_: float) -> None:
        """A worker takes its time, and compacts."""
        waited.append(1.0)
        result = {"segment": 1, "byte": 3, "rows": 0, "requests": 0, "duplicates": 0, "damaged_lines": 0, "dropped": 0}
        claim(trained).post("compact", result | {"files": []})

    monkeypatch.setattr(flush_captures.time, "sleep", work)
    assert back_up(trained, folder).blobs
    assert waited == [1.0]


def test_a_backup_does_not_wait_for_ever_for_captures(
    trained: Parts, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captures = trained.home.serve(1) / "r00" / "captures"
    captures.mkdir(parents=True)
    (captures / "00000001.jsonl").write_bytes(b"{}\n")
    monkeypatch.setattr(making, "FLUSH_WITHIN_S", 0.0)
    assert back_up(trained, folder).blobs
