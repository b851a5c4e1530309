"""The folder of a deployment, `serve/d-ID/`: the bundle, and for each replica its order, socket and captures.

serve/d-7/bundle/            the version's files, checked against their hashes each time a replica starts
serve/d-7/r00/serve.json     what the replica is to do
serve/d-7/r00/s              its socket
serve/d-7/r00/captures/      what it answered, until it is compacted
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from pathlib import Path

import msgspec

from engine.blobs.store import BlobStore, Item
from engine.deployment.runtime import ReplicaSpec
from engine.errors import DiskFull, Unavailable
from engine.registry.queries.rollouts import RolloutRow
from engine.serving.manifest import MANIFEST_NAME, ServeSpec
from engine.settings import Home

BUNDLE = "bundle"
SPEC = "serve.json"
SOCKET = "s"


def replica_spec(home: Home, deployment: int, index: int) -> ReplicaSpec:
    """Where one replica's things lie."""
    folder = home.serve(deployment) / f"r{index:02d}"
    log = home.logs / "serve" / f"d-{deployment}-r{index:02d}.log"
    return ReplicaSpec(deployment, index, folder, folder / SOCKET, log)


def lay_out(
    home: Home,
    blobs: BlobStore,
    deployment: RolloutRow,
    index: int,
    capture_limit_bytes: int,
    *,
    container: bool = False,
) -> ReplicaSpec:
    """Have everything in place that a replica needs; what is there and right is left alone.

    A `container` runs as a user of its own, who must be able to write here: the deployment's folder, which nobody else
    may enter, is the protection. What lies in the replica's folder is then as hostile as what runs in the container,
    so nothing there is followed or written through.

    Raises:
        DamagedBlob: the version's stored files no longer match their hashes; nothing of them is served.
        NotFound: one of them is missing.
        DiskFull, Unavailable
    """
    replica = replica_spec(home, deployment.id, index)
    bundle = home.serve(deployment.id) / BUNDLE
    items = _items(deployment)
    try:
        home.serve(deployment.id).mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_right(bundle, items):
            blobs.materialise(items, bundle)
        _folders(replica.folder, 0o777 if container else 0o700)
        _write(replica.folder / SPEC, _order(deployment, index, capture_limit_bytes))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"The disk is full: deployment {deployment.id} cannot be laid out.", "Make room.") from error
        raise Unavailable(
            f"The folder of deployment {deployment.id} cannot be written: {error.strerror}.",
            "Look at the home folder's disk.",
        ) from error
    return replica


def clear(home: Home, deployment: int) -> None:
    """Take away what a stopped deployment needs no more.

    Captures stay until they are compacted, and with them what tells how to read them: orders and manifest.
    """
    folder = home.serve(deployment)
    replicas = list(folder.glob("r[0-9]*"))
    if not any(_holds_something(replica / "captures") for replica in replicas):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for replica in replicas:
        (replica / SOCKET).unlink(missing_ok=True)
    for begun in folder.glob(f".{BUNDLE}.*"):
        shutil.rmtree(begun, ignore_errors=True)
    with contextlib.suppress(OSError):
        for path in (folder / BUNDLE).iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != MANIFEST_NAME:
                path.unlink(missing_ok=True)


def _holds_something(captures: Path) -> bool:
    try:
        return any(captures.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return False


def _items(deployment: RolloutRow) -> list[Item]:
    items = [Item(file["path"], file["sha256"]) for file in deployment.bundle]
    if all(item.path != MANIFEST_NAME for item in items):
        items.append(Item(MANIFEST_NAME, deployment.manifest_sha256))
    return items


def _is_right(bundle: Path, items: list[Item]) -> bool:
    """Whether the folder holds exactly these bytes."""
    try:
        return all(_sha256(bundle / item.path) == item.sha256 for item in items)
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _order(deployment: RolloutRow, index: int, capture_limit_bytes: int) -> bytes:
    spec = ServeSpec(
        endpoint=deployment.endpoint,
        version=deployment.version,
        deployment=deployment.id,
        replica=index,
        bundle=f"../{BUNDLE}",
        socket=SOCKET,
        capture_limit_bytes=capture_limit_bytes,
    )
    return msgspec.json.encode(spec)


def _folders(replica: Path, mode: int) -> None:
    replica.mkdir(mode=0o700, parents=True, exist_ok=True)
    captures = replica / "captures"
    if captures.is_symlink():
        captures.unlink()
    captures.mkdir(mode=0o700, exist_ok=True)
    # Of its owner's folders only; `chmod` is not told of a mode that holds already.
    for folder in (captures, replica):
        if stat.S_IMODE(folder.lstat().st_mode) != mode:
            folder.chmod(mode)


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), 0o644)
    part.replace(path)
