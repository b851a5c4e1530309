"""Files kept by the hash of their content: `ab/cdef…`, read-only, complete or not there.

A file is copied to a temporary one on the same filesystem while it is hashed, synced, renamed, and its folder synced;
the caller writes the row afterwards. So a row always speaks of durable bytes, and a kill leaves at most a temporary
file, which `start` clears away. Bytes are hashed again before they are used.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.blobs.safe_path import open_below, safe_parts
from engine.errors import DamagedBlob, DiskFull, InvalidInput, NotFound, Unavailable
from engine.failpoint import failpoint

TEMPORARY_AGE_S = 24 * 3600.0
"""A temporary file older than this belongs to nobody."""

_CHUNK_BYTES = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class Stored:
    """A file in the store."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Item:
    """One file of a tree to lay out: `path` is relative, with forward slashes."""

    path: str
    sha256: str
    executable: bool = False


@dataclass(frozen=True)
class Verified:
    """What `verify` found."""

    checked: int
    damaged: list[str]
    missing: list[str]


class Incoming:
    """A file that comes in pieces. For one thread at a time; `BlobStore.receive` makes it."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, piece: bytes) -> None:
        """One more piece.

        Raises:
            DiskFull, Unavailable: it cannot be written; nothing is stored.
        """
        with _told("stored"):
            self._target.write(piece)
        self._digest.update(piece)
        self.size_bytes += len(piece)

    @property
    def sha256(self) -> str:
        """Of what has come so far."""
        return self._digest.hexdigest()


class BlobStore:
    """The store in `folder`. All methods may be called from any thread, several at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._temporary = folder / "tmp"
        self._settling = threading.Lock()
        """Held while a file takes its place, or is removed: what comes anew is never taken for what lay there."""

    def start(self) -> None:
        """Make the folders, and clear away temporary files that a kill left behind."""
        with _told("prepared"):
            self._temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
            oldest = time.time() - TEMPORARY_AGE_S
            for left in self._temporary.iterdir():
                if left.lstat().st_mtime < oldest:
                    left.unlink(missing_ok=True)

    def path(self, sha256: str) -> Path:
        """Where a blob lies, or would lie. Its bytes are not looked at: see `check`.

        Raises:
            InvalidInput: not a SHA-256 in hexadecimal.
        """
        if not _SHA256.fullmatch(sha256):
            raise InvalidInput(f"{sha256[:80]!r} is no SHA-256.", "Use its 64 hexadecimal digits.")
        return self._folder / sha256[:2] / sha256[2:]

    def put(self, content: bytes) -> Stored:
        """Store bytes at hand.

        Raises:
            DiskFull, Unavailable: nothing was stored.
        """
        return self._store(io.BytesIO(content), None)

    @contextmanager
    def receive(self, stored: Callable[[Stored], None]) -> Iterator[Incoming]:
        """Store what is written within; `stored` hears of it once its bytes are durable. Raising stores nothing.

        Raises:
            DiskFull, Unavailable: nothing was stored.
        """
        temporary = self._temporary / secrets.token_hex(16)
        with _told("stored"):
            try:
                with temporary.open("xb") as copy:
                    incoming = Incoming(copy)
                    yield incoming
                    copy.flush()
                    os.fsync(copy.fileno())
                self._settle(temporary, incoming.sha256)
            finally:
                temporary.unlink(missing_ok=True)
        stored(Stored(incoming.sha256, incoming.size_bytes))

    def adopt(self, path: Path, sha256: str | None = None) -> Stored:
        """Store a copy of a file that the engine itself or an admin names; storing it twice is storing it once.

        Raises:
            DamagedBlob: its content is not `sha256`.
            NotFound: there is no such file.
            DiskFull, Unavailable: nothing was stored.
        """
        with _told("read"):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError as error:
                raise NotFound(f"There is no file {path}.", "Look at its name.") from error
        return self._adopt(descriptor, sha256)

    def adopt_below(self, root: Path, path: str, sha256: str | None = None) -> Stored:
        """Store a copy of the regular file `path` below `root`, where somebody else writes: links are refused.

        Raises:
            InvalidInput: the path leads out, over a link, or to no regular file.
            DamagedBlob: its content is not `sha256`.
            NotFound: there is no such file.
            DiskFull, Unavailable: nothing was stored.
        """
        with _told("read"):
            try:
                descriptor = open_below(root, path)
            except FileNotFoundError as error:
                raise NotFound(f"The file {path!r} is not there.", "It must lie where it was reported.") from error
        return self._adopt(descriptor, sha256)

    def has(self, sha256: str) -> bool:
        """There is a file of that hash; its bytes are not looked at."""
        return self.path(sha256).is_file()

    def check(self, sha256: str) -> Stored:
        """Hash a blob again.

        Raises:
            DamagedBlob: its bytes changed.
            NotFound: it is not there.
        """
        with self.open_checked(sha256) as source:
            return Stored(sha256, os.fstat(source.fileno()).st_size)

    @contextmanager
    def open_checked(self, sha256: str) -> Iterator[BinaryIO]:
        """A blob opened for reading from its start, after its hash has been found right.

        Raises:
            DamagedBlob: its bytes changed.
            NotFound: it is not there.
        """
        with self._open(sha256) as source:
            found, _ = _pour(source, None)
            if found != sha256:
                raise _damaged(sha256)
            source.seek(0)
            yield source

    def read(self, sha256: str) -> bytes:
        """The bytes of a small blob, their hash found right. Raises as `open_checked`."""
        with self._open(sha256) as source:
            content = source.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise _damaged(sha256)
        return content

    def verify(self, expected: Iterable[str], told: Callable[[int], None] | None = None) -> Verified:
        """Hash every blob of `expected` again; `told` hears how many are done."""
        damaged: list[str] = []
        missing: list[str] = []
        checked = 0
        for sha256 in expected:
            try:
                self.check(sha256)
            except NotFound:
                missing.append(sha256)
            except (DamagedBlob, Unavailable):
                damaged.append(sha256)
            checked += 1
            if told is not None:
                told(checked)
        return Verified(checked, damaged, missing)

    def copy_out(self, sha256: str, target: Path) -> int:
        """Write a blob to a new file, its hash found right on the way, and synced; gives its bytes.

        Raises:
            DamagedBlob: its bytes changed.
            NotFound: it is not there.
            DiskFull, Unavailable: it cannot be written. The new file may be there in part.
        """
        with self._open(sha256) as source, _told("copied"):
            with target.open("xb") as copy:
                found, size_bytes = _pour(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
            target.chmod(0o400)
        if found != sha256:
            raise _damaged(sha256)
        return size_bytes

    def files(self) -> dict[str, tuple[int, float]]:
        """(bytes, time it came last) of every file in the store, by hash."""
        found = {}
        with _told("listed"):
            for folder in self._folder.iterdir():
                if len(folder.name) != 2 or not folder.is_dir():
                    continue
                for path in folder.iterdir():
                    if _SHA256.fullmatch(sha256 := folder.name + path.name):
                        status = path.lstat()
                        found[sha256] = status.st_size, status.st_mtime
        return found

    def came_after(self, sha256: str, moment_s: float) -> bool:
        """The blob is there, and was stored, or stored again, after a moment (seconds since the epoch)."""
        try:
            return self.path(sha256).lstat().st_mtime > moment_s
        except FileNotFoundError:
            return False

    def remove(self, sha256: str, *, unless_after_s: float) -> bool:
        """Take a blob away that nothing speaks of, unless it came (again) after a moment; whether it went."""
        with self._settling, _told("removed"):
            if self.came_after(sha256, unless_after_s) or not self.has(sha256):
                return False
            self.path(sha256).unlink()
        return True

    def materialise(self, items: Iterable[Item], folder: Path) -> None:
        """Lay out files as `folder`, which is there whole afterwards or not at all; what was there is replaced.

        The files are copies, hashed on the way: a hard link would let whoever gets the folder alter the blob. They
        are read-only for everybody (0444, or 0555), because a container reads them as a user of its own.

        Raises:
            DamagedBlob: a blob's bytes changed.
            NotFound: a blob is missing.
            InvalidInput: a path leads out of the folder.
            DiskFull, Unavailable: it cannot be written.
        """
        begun = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
        with _told("laid out"):
            try:
                begun.mkdir(mode=0o755, parents=True)
                for item in items:
                    self._copy_out(item, begun)
                if folder.is_dir():
                    shutil.rmtree(folder)
                begun.rename(folder)
            finally:
                shutil.rmtree(begun, ignore_errors=True)

    def _copy_out(self, item: Item, folder: Path) -> None:
        target = folder.joinpath(*safe_parts(item.path))
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._open(item.sha256) as source, target.open("xb") as copy:
            found, _ = _pour(source, copy)
        if found != item.sha256:
            raise _damaged(item.sha256)
        target.chmod(0o555 if item.executable else 0o444)

    def _adopt(self, descriptor: int, sha256: str | None) -> Stored:
        with os.fdopen(descriptor, "rb") as source:
            return self._store(source, sha256)

    def _store(self, source: BinaryIO, claimed: str | None) -> Stored:
        temporary = self._temporary / secrets.token_hex(16)
        with _told("stored"):
            try:
                with temporary.open("xb") as copy:
                    found, size_bytes = _pour(source, copy)
                    failpoint("blob.copied")
                    copy.flush()
                    os.fsync(copy.fileno())
                if claimed is not None and found != claimed:
                    raise DamagedBlob(
                        "A file's content is not what was reported of it.",
                        "It was written to meanwhile; run it again.",
                        reported=claimed,
                        found=found,
                    )
                failpoint("blob.fsynced")
                self._settle(temporary, found)
            finally:
                temporary.unlink(missing_ok=True)
        failpoint("blob.durable")
        return Stored(found, size_bytes)

    def _settle(self, temporary: Path, sha256: str) -> None:
        target = self.path(sha256)
        temporary.chmod(0o400)
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            _sync(self._folder)
        # An equal blob that is there already is replaced by the same bytes, which also heals a damaged one.
        with self._settling:
            temporary.replace(target)
        failpoint("blob.renamed")
        _sync(target.parent)

    @contextmanager
    def _open(self, sha256: str) -> Iterator[BinaryIO]:
        path = self.path(sha256)
        with _told("read"):
            try:
                source = path.open("rb")
            except FileNotFoundError as error:
                raise NotFound(
                    f"The stored file {sha256[:12]} is missing.", "Run `mlops verify` and restore it.", sha256=sha256
                ) from error
        with source:
            yield source


def _pour(source: BinaryIO, target: BinaryIO | None) -> tuple[str, int]:
    """Read to the end, hash, and write on to `target`: (SHA-256, bytes)."""
    digest, size_bytes = hashlib.sha256(), 0
    while chunk := source.read(_CHUNK_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
        if target is not None:
            target.write(chunk)
    return digest.hexdigest(), size_bytes


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(sha256: str) -> DamagedBlob:
    return DamagedBlob(
        f"The stored file {sha256[:12]} is damaged: its bytes no longer match its hash.",
        "Run `mlops verify`, then restore it from a backup or train again.",
        sha256=sha256,
    )


@contextmanager
def _told(done: str) -> Iterator[None]:
    """The operating system's errors as ours."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(f"The disk is full: a file could not be {done}.", "Make room and ask again.") from error
        raise Unavailable(
            f"A stored file could not be {done}: {error.strerror or error}.", "Look at the home folder's disk."
        ) from error
