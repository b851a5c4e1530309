"""Make a home of a backup, with no engine running there.

Every hash is checked before anything is written. A mark stands in the home until all of it is durable, and while it
stands no engine starts there; a restore that was killed is begun again from nothing. The registry is then settled:
processes that it remembers belong to the home it was copied from, and are none of this one's.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.blobs.safe_path import open_below
from engine.blobs.store import BlobStore
from engine.errors import Conflict, DiskFull, InvalidInput, Unavailable, VersionMismatch
from engine.failpoint import failpoint
from engine.lifecycle.backup_folder import (
    BLOBS,
    CAPTURES,
    CONFIG,
    REGISTRY,
    BackupManifest,
    blob_path,
    check_files,
    copy_file,
    read_manifest,
    sync_folder,
    sync_folders,
)
from engine.lock import take_lock
from engine.registry.events import Actor, Named
from engine.registry.migrate import bring_up_to_date, revisions
from engine.registry.queries.holdings import read_holdings
from engine.registry.queue import end_job, retry_or_fail
from engine.registry.reader import Reader
from engine.registry.tables import GatewayState, Job, Replica
from engine.registry.tx import Tx, col
from engine.registry.writer import Writer
from engine.settings import Home
from engine.wire.base import Failure
from engine.wire.housekeeping import BackupRestored

_FILLED = (BLOBS, CAPTURES)


def restore_backup(folder: Path, home: Home, user: str) -> BackupRestored:
    """Restore the backup in `folder` into a new or empty home; minutes where there is much.

    A `config.toml` that lies there already stays.

    Raises:
        NotFound, DamagedBlob, InvalidInput: it is no backup, or not what was written: nothing was restored.
        VersionMismatch: a newer program made it.
        EngineRunning, Conflict, Forbidden: the home is in use, holds something, or belongs to somebody else.
        DiskFull, Unavailable: it cannot be written; a further restore begins anew.
    """
    folder = folder.resolve()
    manifest = read_manifest(folder)
    if manifest.schema_revision not in revisions():
        raise VersionMismatch(
            f"The backup was made by a newer mlops ({manifest.program}, schema {manifest.schema_revision}).",
            "Restore it with that one.",
        )
    check_files(folder, manifest)
    _check_whole(folder, manifest)
    home.prepare()
    lock = take_lock(home)
    try:
        with _told(home):
            _check_empty(home)
            _begin(home)
            offsets = _write(folder, manifest, home)
            failpoint("restore.written")
            retried = _settle(home, Named(user, "admin"), folder, manifest)
            _go_on_capturing(home, offsets)
            sync_folders(home.root)
            failpoint("restore.settled")
            home.restoring_mark.unlink()
            sync_folder(home.root)
    finally:
        os.close(lock)
    return BackupRestored(
        backup=str(folder),
        home=str(home.root),
        made_at=manifest.made_at,
        last_event=manifest.last_event,
        blobs=sum(file.path.startswith(f"{BLOBS}/") for file in manifest.files),
        captures=sum(file.path.startswith(f"{CAPTURES}/") for file in manifest.files),
        size_bytes=sum(file.size_bytes for file in manifest.files),
        retried_jobs=retried,
        left_out=manifest.left_out,
    )


def _check_whole(folder: Path, manifest: BackupManifest) -> None:
    """The list of files names all that its registry speaks of."""
    listed = {file.path for file in manifest.files}
    if REGISTRY not in listed:
        raise InvalidInput(f"The backup {folder} has no {REGISTRY}.", "Use another backup.")
    for file in manifest.files:
        top, _, _ = file.path.partition("/")
        if top not in (REGISTRY, CONFIG, *_FILLED):
            raise InvalidInput(f"The backup {folder} holds {file.path[:200]!r}, which is no part of one.", "")
        if top == BLOBS and file.path != blob_path(file.sha256):
            raise InvalidInput(f"The backup {folder} has {file.path[:200]!r} in a wrong place.", "Use another backup.")
    reader = Reader(folder / REGISTRY)
    try:
        holdings = read_holdings(reader)
    finally:
        reader.close()
    known = listed | {blob_path(told[:64]) for told in manifest.left_out}
    missing = [sha256 for sha256 in holdings.blobs if blob_path(sha256) not in known]
    if missing:
        raise InvalidInput(
            f"The backup {folder} lacks {len(missing)} stored files that its registry speaks of, such as "
            f"{missing[0][:12]}.",
            "Use another backup.",
        )


def _check_empty(home: Home) -> None:
    if home.restoring_mark.exists():
        return
    full = home.database.exists() or any(
        path.is_file() for name in (*_FILLED, "serve") for path in (home.root / name).rglob("*")
    )
    if full:
        raise Conflict(
            f"{home.root} holds something already; a backup is restored into a new or empty home only.",
            "Name a new folder with --home, or move this one away.",
        )


def _begin(home: Home) -> None:
    """Mark it, and clear away what a restore that was killed had written."""
    home.restoring_mark.touch(mode=0o600)
    sync_folder(home.root)
    for path in home.root.glob(f"{REGISTRY}*"):
        path.unlink()
    for name in (*_FILLED, "serve"):
        shutil.rmtree(home.root / name)
    home.prepare()


def _write(folder: Path, manifest: BackupManifest, home: Home) -> dict[tuple[int, int], tuple[int, int]]:
    """All files, the registry last; where captures go on, by (deployment, replica)."""
    blobs = BlobStore(home.blobs)
    blobs.start()
    for file in manifest.files:
        if file.path.startswith(f"{BLOBS}/"):
            blobs.adopt_below(folder, file.path, file.sha256)
        elif file.path.startswith(f"{CAPTURES}/") or (file.path == CONFIG and not home.config.exists()):
            _copy(folder, file.path, file.sha256, home.root / file.path)
    failpoint("restore.copied")
    registry = next(file for file in manifest.files if file.path == REGISTRY)
    _copy(folder, REGISTRY, registry.sha256, home.database)
    bring_up_to_date(home.database)
    reader = Reader(home.database)
    try:
        return read_holdings(reader).offsets
    finally:
        reader.close()


def _copy(folder: Path, path: str, sha256: str, target: Path) -> None:
    found = copy_file(open_below(folder, path), target)
    if found.sha256 != sha256:
        raise Unavailable(f"{path} of the backup changed while it was read.", "Restore it again.")


def _settle(home: Home, by: Actor, folder: Path, manifest: BackupManifest) -> list[int]:
    """Forget the processes of the home that was copied, and have its running jobs wait again; their ids."""
    writer = Writer(home.database)
    writer.start()

    def settle(tx: Tx) -> list[int]:
        for replica in tx.all(Replica):
            replica.pid = replica.pid_created_at = replica.container = None
            replica.healthy = False
        gateway = tx.get(GatewayState, 1)
        if gateway is not None:
            gateway.pid = gateway.pid_created_at = None
        jobs = tx.all(Job, Job.status == "running", oldest=col(Job.id))
        for job in jobs:
            _run_again(tx, by, job)
        tx.event(
            by, "registry.restored", "registry",
            backup=folder.name, made_at=manifest.made_at.isoformat(), from_home=manifest.home,
            last_event=manifest.last_event, jobs=[job.id for job in jobs], left_out=manifest.left_out[:100],
        )  # fmt: skip
        return [job.id or 0 for job in jobs if job.status == "queued"]

    try:
        return writer.write_and_wait(settle)
    finally:
        writer.stop()


def _run_again(tx: Tx, by: Actor, job: Job) -> None:
    if job.cancel_asked:
        end_job(tx, by, job, "cancelled")
        return
    # That its process is gone says nothing against it.
    job.max_attempts += 1
    retry_or_fail(tx, job, Failure(code="worker_died", message="The registry was restored from a backup."))


def _go_on_capturing(home: Home, offsets: dict[tuple[int, int], tuple[int, int]]) -> None:
    """A segment that is done with, where each replica's captures go on: the model server opens the next one.

    In an empty folder it would begin at 1 again, which compaction has read long ago. An empty segment would be taken up
    again, which a container's user may not; so this one holds an empty line, before the place compaction goes on from.
    """
    for (deployment, replica), (segment, byte) in offsets.items():
        last = segment if byte else segment - 1
        if last > 0:
            captures = home.serve(deployment) / f"r{replica:02d}" / "captures"
            captures.mkdir(mode=0o700, parents=True, exist_ok=True)
            (captures / f"{last:08}.jsonl").write_bytes(b"\n")


@contextmanager
def _told(home: Home) -> Iterator[None]:
    """The operating system's errors as ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"The disk of {home.root} is full.", "Make room, and restore again.") from error
        why = error.strerror or str(error)
        raise Unavailable(f"The backup could not be restored into {home.root}: {why}.", "Look at its disk.") from error
