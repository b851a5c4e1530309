"""A replica's bundle → the image it runs from, built only where it is not there."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.deployment.base_image import Base
from engine.deployment.container_body import IMAGE_OWNER
from engine.deployment.docker_runtime import DockerDaemon
from engine.deployment.image_context import (
    LIBRARIES,
    PACKAGES,
    PROGRAM,
    key_of,
    own_tags,
    runtime_dockerfile,
    runtime_tag,
    version_dockerfile,
    version_tag,
    write_context,
)
from engine.deployment.image_packages import Packages, Staged
from engine.deployment.runtime import ReplicaSpec
from engine.deployment.serve_folder import BUNDLE, SPEC
from engine.errors import NotFound, Unavailable
from engine.serving.manifest import MANIFEST_NAME, ServeSpec, load_manifest
from engine.settings import Home

log = logging.getLogger(__name__)

VERSION_LABEL, RUNTIME_LABEL, BUNDLE_LABEL, KEY_LABEL = "mlops.version", "mlops.runtime", "mlops.bundle", "mlops.key"
MEMORY_LIMIT_BYTES = 32 << 20
"""A larger context goes through a file."""


@dataclass(frozen=True)
class Image:
    """What a replica runs from."""

    tag: str
    key: str
    """Stands for its content."""


class ImageBuilder:
    """For any thread; one builds at a time, and who wants the same waits for it."""

    def __init__(self, home: Home, daemon: DockerDaemon, mark: str) -> None:
        self._home = home
        self._daemon = daemon
        self._mark = mark
        self._packages = Packages(home.images)
        self._building = threading.Lock()

    def ensure(self, replica: ReplicaSpec, base: Base) -> Image:
        """The image of the replica's bundle, which lies checked beside its folder.

        Raises:
            Unavailable: it cannot be built now, and why; DockerUnavailable among them.
        """
        bundle = replica.folder.parent / BUNDLE
        manifest = load_manifest(bundle)
        order = msgspec.json.decode((replica.folder / SPEC).read_bytes(), type=ServeSpec)
        with self._building:
            runtime = self._runtime(base, skops=manifest.model_format == "skops")
            # The manifest holds the hashes of all else in the bundle.
            key = key_of(runtime, _hash(bundle))
            tag = version_tag(self._mark, order.endpoint, order.version, key)
            labels = {
                VERSION_LABEL: f"{order.endpoint}@{order.version}", RUNTIME_LABEL: runtime,
                BUNDLE_LABEL: _hash(bundle), KEY_LABEL: key,
            }  # fmt: skip
            if not self._is_there(tag):
                self._build(tag, version_dockerfile(runtime), {"bundle": bundle}, labels)
        return Image(tag, key)

    def find(self, replica: ReplicaSpec) -> Image | None:
        """An image of the replica's bundle that was built once, whatever base it has."""
        bundle = _hash(replica.folder.parent / BUNDLE)
        for each in self._daemon.images(f"{BUNDLE_LABEL}={bundle}"):
            labels = each.get("Labels") or {}
            if labels.get(IMAGE_OWNER) == self._mark and own_tags(each, self._mark):
                return Image(each["Id"], labels.get(KEY_LABEL, ""))
        return None

    def _runtime(self, base: Base, *, skops: bool) -> str:
        """The tag of what every version of this kind builds on."""
        staged = {"plain": (self._packages.plain(), PACKAGES)}
        if skops:
            staged["skops"] = (self._packages.more_for_skops(), PACKAGES)
        libgomp = None if base.has_libgomp else self._packages.libgomp()
        if libgomp is not None:
            staged["lib"] = (_alone(self._home.images / "lib", libgomp, "libgomp.so.1"), LIBRARIES)
        staged["program"] = (self._packages.program(), PROGRAM)
        dockerfile = runtime_dockerfile(base.name, {name: place for name, (_, place) in staged.items()})
        tag = runtime_tag(self._mark, key_of(base.id, dockerfile, *(each.key for each, _ in staged.values())))
        if not self._is_there(tag):
            self._build(tag, dockerfile, {name: each.folder for name, (each, _) in staged.items()}, {})
        return tag

    def _is_there(self, tag: str) -> bool:
        try:
            self._daemon.image(tag)
        except NotFound:
            return False
        return True

    def _build(self, tag: str, dockerfile: str, folders: Mapping[str, Path], labels: dict[str, str]) -> None:
        began_at = time.monotonic()
        try:
            with tempfile.SpooledTemporaryFile(MEMORY_LIMIT_BYTES, dir=str(self._home.images)) as context:
                write_context(context, dockerfile, folders)
                size_bytes = context.tell()
                context.seek(0)
                self._daemon.build(context, tag, {IMAGE_OWNER: self._mark, **labels})
        except OSError as error:
            raise Unavailable(
                f"The image {tag} cannot be put together: {error.strerror}.", "Look at the disk."
            ) from error
        log.info("built %s: %.1f MB sent, %.2f s", tag, size_bytes / 1e6, time.monotonic() - began_at)


def _hash(bundle: Path) -> str:
    return hashlib.sha256((bundle / MANIFEST_NAME).read_bytes()).hexdigest()


def _alone(folder: Path, source: Path, name: str) -> Staged:
    """A folder with one file in it."""
    folder.mkdir(exist_ok=True)
    shutil.copyfile(source, folder / name)
    return Staged(folder, key_of(source.name))
