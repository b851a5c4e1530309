"""Copy everything that cannot be made again, while the engine runs: registry, stored files, captures, settings.

The registry is copied first, as it is at one moment; then each file that this copy speaks of. Stored files never
change, and none is removed meanwhile (`Parts.removal`), so the whole is of that moment. It is written under a
temporary name, every byte hashed and synced, and renamed at the end: a backup is complete or not there.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from engine.blobs.safe_path import open_below
from engine.errors import Conflict, DamagedBlob, DiskFull, EngineError, Forbidden, InvalidInput, NotFound, Unavailable
from engine.failpoint import failpoint
from engine.lifecycle.backup_folder import (
    BLOBS,
    CAPTURES,
    CONFIG,
    REGISTRY,
    BackupManifest,
    blob_path,
    copy_file,
    hash_file,
    newest_backup,
    sync_folder,
    sync_folders,
    write_manifest,
)
from engine.lifecycle.caller import Caller
from engine.lifecycle.flush_captures import flush_captures
from engine.lifecycle.parts import Parts
from engine.registry.copy_registry import copy_registry
from engine.registry.migrate import head_revision
from engine.registry.queries.holdings import Holdings, read_holdings
from engine.registry.reader import Reader
from engine.registry.tables import now
from engine.registry.tx import Tx
from engine.settings import Home
from engine.wire.base import FileEntry
from engine.wire.housekeeping import BackupMade, MakeBackup

LOCK = ".mlops-backups.lock"
_BEGUN = ".backup-begun-"
_PARTIAL = ".part"
_NAMED = 5
_SPARE_BYTES = 16 << 20
"""For the manifest, folders and what is captured meanwhile."""
FLUSH_WITHIN_S = 30.0
"""So long a backup waits for captures to be compacted; what is not by then, such as behind long jobs, is not in it."""
_WAIT_S = 10.0
"""Housekeeping removes what is old in less."""


def make_backup(parts: Parts, caller: Caller, ask: MakeBackup) -> BackupMade:
    """Make one, in a thread of the caller's: minutes where there is much.

    Raises:
        InvalidInput: the folder is no absolute path, or lies in the home.
        Conflict: another backup is being made there, or something is being removed here.
        DamagedBlob: stored files are damaged or missing; named. There is no backup then, unless they may be left out.
        DiskFull, Forbidden, Unavailable: it cannot be written.
    """
    folder = _checked_folder(parts.home, ask.folder)
    flush_captures(parts, FLUSH_WITHIN_S)
    if not parts.removal.acquire(timeout=_WAIT_S):
        raise Conflict("A backup is being made already, or garbage is being collected.", "Ask again when it is done.")
    try:
        with _told(folder), _only_one(folder):
            made = _make(parts, folder, ask)
    finally:
        parts.removal.release()
    parts.writer.write_and_wait(lambda tx: _record(tx, caller, made))
    return made


def _checked_folder(home: Home, given: str) -> Path:
    folder = Path(given)
    if not folder.is_absolute() or "\0" in given:
        raise InvalidInput(f"{given[:200]!r} is no absolute path.", "Name the folder for backups from the root on.")
    resolved, inside = folder.resolve(), home.root.resolve()
    if resolved.parent == resolved:
        raise InvalidInput(
            "Backups do not go into the root folder.", "Name a folder of their own, such as /srv/backups."
        )
    if resolved.is_relative_to(inside):
        raise InvalidInput(
            f"{folder} lies in the home folder, which a backup is to outlive.", "Name a folder elsewhere: another disk."
        )
    return resolved


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """One backup at a time in a folder; what others left half made is nobody's, and goes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"Another backup is being made in {folder}.", "Ask again when it is done.") from None
        for left in folder.glob(f"{_BEGUN}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(lock)


@dataclass
class _Begun:
    """A backup that is being written."""

    folder: Path
    files: list[FileEntry] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    shared: int = 0
    written_bytes: int = 0

    def add(self, path: str, entry: FileEntry, *, written: bool = True) -> None:
        self.files.append(entry.model_copy(update={"path": path}))
        self.written_bytes += entry.size_bytes if written else 0


def _make(parts: Parts, folder: Path, ask: MakeBackup) -> BackupMade:
    made_at = now()
    earlier = None if ask.full else newest_backup(folder)
    begun = _Begun(folder / f"{_BEGUN}{secrets.token_hex(4)}")
    begun.folder.mkdir(mode=0o700)
    try:
        unrecorded = _list_captures(parts.home)
        holdings = _copy_registry(parts, begun)
        failpoint("backup.registry")
        _check_room(folder, holdings, earlier)
        _copy_blobs(parts, begun, holdings, earlier)
        failpoint("backup.blobs")
        _copy_captures(parts, begun, holdings, unrecorded)
        _copy_config(parts, begun)
        if begun.left_out and not ask.allow_damaged:
            raise _damaged(begun.left_out)
        write_manifest(begun.folder, _manifest(parts, begun, holdings, made_at=made_at))
        sync_folders(begun.folder)
        failpoint("backup.synced")
        final = _free_name(folder, f"backup-{made_at:%Y%m%d-%H%M%S}")
        begun.folder.rename(final)
        sync_folder(folder)
    except BaseException:
        shutil.rmtree(begun.folder, ignore_errors=True)
        raise
    return BackupMade(
        folder=str(final),
        made_at=made_at,
        schema_revision=head_revision(),
        last_event=holdings.last_event,
        blobs=sum(file.path.startswith(f"{BLOBS}/") for file in begun.files),
        shared=begun.shared,
        captures=sum(file.path.startswith(f"{CAPTURES}/") for file in begun.files),
        size_bytes=sum(file.size_bytes for file in begun.files),
        written_bytes=begun.written_bytes,
        left_out=begun.left_out,
    )


def _copy_registry(parts: Parts, begun: _Begun) -> Holdings:
    target = begun.folder / REGISTRY
    copy_registry(parts.home.database, target)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    begun.add(REGISTRY, FileEntry(path=REGISTRY, sha256=digest, size_bytes=target.stat().st_size))
    reader = Reader(target)
    try:
        return read_holdings(reader)
    finally:
        reader.close()


def _check_room(folder: Path, holdings: Holdings, earlier: Path | None) -> None:
    """Before minutes of copying end in a full disk, which the home may lie on as well."""
    needed = _SPARE_BYTES + sum(
        size_bytes
        for sha256, size_bytes in holdings.blobs.items()
        if earlier is None or not (earlier / blob_path(sha256)).is_file()
    )
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(
            f"The backup needs {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free in {folder}.",
            "Make room there, or name a folder on another disk.",
        )


def _copy_blobs(parts: Parts, begun: _Begun, holdings: Holdings, earlier: Path | None) -> None:
    for sha256, size_bytes in holdings.blobs.items():
        path = blob_path(sha256)
        target = begun.folder / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        entry = FileEntry(path=path, sha256=sha256, size_bytes=size_bytes)
        if earlier is not None and _share(earlier, entry, target):
            begun.shared += 1
            begun.add(path, entry, written=False)
            continue
        try:
            copied = parts.blobs.copy_out(sha256, target)
        except (DamagedBlob, NotFound) as error:
            target.unlink(missing_ok=True)
            begun.left_out.append(f"{sha256} ({'missing' if isinstance(error, NotFound) else 'damaged'})")
            continue
        begun.add(path, entry.model_copy(update={"size_bytes": copied}))


def _share(earlier: Path, entry: FileEntry, target: Path) -> bool:
    """Link to the same file of an earlier backup, its hash found right; False: it has none that is right."""
    try:
        hash_file(earlier, entry)
        os.link(earlier / entry.path, target)
    except (EngineError, OSError):
        # Not there, damaged, or a file system without links: then it is copied.
        return False
    return True


def _list_captures(home: Home) -> set[str]:
    """Files that lie there before the registry is copied: those that no row speaks of are kept as well."""
    found = set()
    for at, _, names in os.walk(home.captures):
        for name in names:
            path = Path(at, name)
            if not path.is_symlink() and path.is_file() and not path.suffix.startswith(_PARTIAL):
                found.add(path.relative_to(home.captures).as_posix())
    return found


def _copy_captures(parts: Parts, begun: _Begun, holdings: Holdings, unrecorded: set[str]) -> None:
    recorded = set(holdings.captures)
    for path in sorted(recorded | unrecorded):
        try:
            source = open_below(parts.home.captures, path)
        except (FileNotFoundError, NotADirectoryError):
            if path in recorded:
                begun.left_out.append(f"{CAPTURES}/{path} (missing)")
            continue
        begun.add(f"{CAPTURES}/{path}", copy_file(source, begun.folder / CAPTURES / path))


def _copy_config(parts: Parts, begun: _Begun) -> None:
    try:
        source = os.open(parts.home.config, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    begun.add(CONFIG, copy_file(source, begun.folder / CONFIG))


def _manifest(parts: Parts, begun: _Begun, holdings: Holdings, *, made_at: object) -> BackupManifest:
    return BackupManifest.model_validate(
        {
            "program": version("mlops-tui"),
            "schema_revision": head_revision(),
            "made_at": made_at,
            "home": str(parts.home.root),
            "last_event": holdings.last_event,
            "last_hash": holdings.last_hash,
            "counts": holdings.counts,
            "files": begun.files,
            "left_out": begun.left_out,
        }
    )


def _free_name(folder: Path, name: str) -> Path:
    found, number = folder / name, 2
    while found.exists():
        found, number = folder / f"{name}-{number}", number + 1
    return found


def _damaged(left_out: list[str]) -> DamagedBlob:
    more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
    return DamagedBlob(
        f"No backup was made: stored files are damaged or missing: {', '.join(left_out[:_NAMED])}{more}.",
        "Restore them from an earlier backup, or leave them out with --allow-damaged.",
        files=left_out[:1000],
    )


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """The operating system's errors as ours."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"The disk of {folder} is full: no backup was made.", "Make room there.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise Forbidden(
                f"The engine may not write {folder}: {error.strerror}.",
                "The folder must belong to the engine's user; a service writes where `--writable` allowed it.",
            ) from error
        why = error.strerror or str(error)
        raise Unavailable(f"No backup could be made in {folder}: {why}.", "Look at its disk.") from error


def _record(tx: Tx, caller: Caller, made: BackupMade) -> None:
    told = made.model_dump(mode="json") | {"left_out": made.left_out[:100]}
    tx.event(caller, "registry.backed_up", "registry", **told)
