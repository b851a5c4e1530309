"""A backup as it lies on a disk: a plain folder, complete or not there, that `sha256sum` can check as well.

backup-20260131-020000/manifest.json       every file with its hash, and what the registry was
backup-20260131-020000/manifest.sha256     the manifest's own hash, as `sha256sum` writes it
backup-20260131-020000/registry.db
backup-20260131-020000/config.toml         where there is one
backup-20260131-020000/blobs/ab/cdef…
backup-20260131-020000/captures/ENDPOINT/…
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from pydantic import AwareDatetime, ValidationError

from engine.blobs.safe_path import open_below, safe_parts
from engine.errors import DamagedBlob, EngineError, InvalidInput, NotFound, VersionMismatch
from engine.wire.base import FileEntry, StrictBody

FORMAT = 1
MANIFEST, MANIFEST_HASH = "manifest.json", "manifest.sha256"
REGISTRY, CONFIG = "registry.db", "config.toml"
BLOBS, CAPTURES = "blobs", "captures"
NAME = re.compile(r"backup-\d{8}-\d{6}(?:-\d+)?")

_MANIFEST_LIMIT_BYTES = 1 << 30
_CHUNK_BYTES = 1 << 20
_NAMED = 5


class BackupManifest(StrictBody):
    """What a backup holds."""

    format: int = FORMAT
    program: str
    """Version of mlops that made it."""
    schema_revision: str
    made_at: AwareDatetime
    home: str
    last_event: int
    last_hash: str
    """Of the audit chain's end."""
    counts: dict[str, int]
    files: list[FileEntry]
    left_out: list[str]
    """Stored files the registry speaks of that were damaged or missing already."""


def blob_path(sha256: str) -> str:
    """Where a stored file lies in a backup."""
    return f"{BLOBS}/{sha256[:2]}/{sha256[2:]}"


def write_manifest(folder: Path, manifest: BackupManifest) -> None:
    """The last two files of a backup, synced."""
    content = manifest.model_dump_json(indent=1).encode()
    digest = hashlib.sha256(content).hexdigest()
    for name, text in ((MANIFEST, content), (MANIFEST_HASH, f"{digest}  {MANIFEST}\n".encode())):
        with (folder / name).open("xb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: Path) -> BackupManifest:
    """The manifest of a complete backup, its own hash found right.

    Raises:
        NotFound: it is no backup.
        DamagedBlob, InvalidInput: the manifest is not what was written.
        VersionMismatch: a newer program made it.
    """
    try:
        content, told = (_read(folder, name) for name in (MANIFEST, MANIFEST_HASH))
    except FileNotFoundError as error:
        raise NotFound(f"{folder} is no backup: it has no {error.args[0]}.", _nearest(folder)) from None
    except InvalidInput as error:
        raise NotFound(f"{folder} is no backup: {error.message}", error.hint) from error
    if hashlib.sha256(content).hexdigest() != told[:64].decode(errors="replace"):
        raise DamagedBlob(f"The {MANIFEST} of {folder} is damaged.", "Use another backup.")
    try:
        manifest = BackupManifest.model_validate_json(content)
    except ValidationError as error:
        if (found := re.match(rb'\{\s*"format": ?(\d+)', content)) and int(found[1]) > FORMAT:
            raise VersionMismatch(f"A newer mlops made {folder}.", "Restore it with that one.") from error
        raise InvalidInput(f"The {MANIFEST} of {folder} cannot be read.", "Use another backup.") from error
    if manifest.format > FORMAT:
        raise VersionMismatch(f"A newer mlops made {folder}.", "Restore it with that one.")
    for file in manifest.files:
        try:
            safe_parts(file.path)
        except InvalidInput as error:
            raise InvalidInput(
                f"The {MANIFEST} of {folder} leads elsewhere: {error.message}", "Use another backup."
            ) from error
    return manifest


def _read(folder: Path, name: str) -> bytes:
    try:
        descriptor = open_below(folder, name)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(name) from None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(_MANIFEST_LIMIT_BYTES)


def _nearest(folder: Path) -> str:
    """What was perhaps meant: the newest backup in a folder of backups."""
    newest = newest_backup(folder)
    return f"Name one of the backups in it, such as {newest}." if newest else "Name the folder that `backup` printed."


def newest_backup(folder: Path) -> Path | None:
    """The newest complete backup in a folder of backups. None: there is none."""
    try:
        found = [path for path in folder.iterdir() if NAME.fullmatch(path.name) and (path / MANIFEST).is_file()]
    except OSError:
        return None
    return max(found, key=lambda path: path.name, default=None)


def check_files(folder: Path, manifest: BackupManifest, told: Callable[[int], None] | None = None) -> None:
    """Hash every file of a backup. Links and anything that is no plain file are refused.

    Raises:
        DamagedBlob: naming those that are damaged or missing.
    """
    wrong = []
    for done, file in enumerate(manifest.files, 1):
        try:
            hash_file(folder, file)
        except EngineError as error:
            wrong.append(f"{file.path} ({error.message})")
        if told is not None:
            told(done)
    if wrong:
        more = f"; and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        raise DamagedBlob(
            f"The backup {folder} is damaged: {'; '.join(wrong[:_NAMED])}{more}.",
            "Nothing was restored. Use another backup.",
            files=[one.partition(" ")[0] for one in wrong][:1000],
        )


def hash_file(folder: Path, file: FileEntry) -> None:
    """Raises `DamagedBlob`, `NotFound` or `InvalidInput` where a file is not what its entry says."""
    try:
        descriptor = open_below(folder, file.path)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound("it is missing") from None
    with os.fdopen(descriptor, "rb", buffering=0) as source:
        digest = hashlib.sha256()
        try:
            while chunk := source.read(_CHUNK_BYTES):
                digest.update(chunk)
        except OSError as error:
            raise DamagedBlob(f"it cannot be read: {error.strerror}") from error
    if digest.hexdigest() != file.sha256:
        raise DamagedBlob("its bytes changed")


def copy_file(source: int, target: Path) -> FileEntry:
    """Copy an open file to a new one, synced and hashed on the way; `source` is closed. The entry has no path."""
    digest, size_bytes = hashlib.sha256(), 0
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(source, "rb", buffering=0) as reading, target.open("xb") as writing:
        while chunk := reading.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    target.chmod(0o600)
    return FileEntry(path="", sha256=digest.hexdigest(), size_bytes=size_bytes)


def sync_folders(folder: Path) -> None:
    """Make the names below `folder` durable, and its own."""
    for at, _, _ in os.walk(folder, topdown=False):
        sync_folder(Path(at))
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in one folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
