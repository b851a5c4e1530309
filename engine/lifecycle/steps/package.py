"""Step `package` of a training job: the bundle's files."""

from __future__ import annotations

from engine.errors import InvalidInput
from engine.lifecycle.parts import Parts
from engine.lifecycle.steps.bundle import manifest_entry, read_manifest
from engine.lifecycle.steps.step import Apply, Posted, adopt, checked
from engine.lifecycle.stored_blobs import record_blobs
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.wire.work import PackageResult

BUNDLE_FOLDER = "bundle"
"""Where in the work folder it lies."""


def prepare(parts: Parts, posted: Posted) -> Apply:
    """Adopt the bundle's files, and check that it is this run's bundle."""
    result = checked(posted, PackageResult)
    manifest_entry(result.files)
    folder = posted.folder / BUNDLE_FOLDER
    if folder.is_symlink():
        raise InvalidInput("The bundle's folder is a link.", "Leave plain files, no links.")
    stored = [adopt(parts, folder, file) for file in result.files]
    manifest = read_manifest(parts, result.files)
    if (manifest.name, manifest.lineage) != (posted.project, str(posted.run_id)):
        raise InvalidInput(
            f"The bundle is of run {manifest.lineage} of {manifest.name}, and this is run {posted.run_id} of "
            f"{posted.project}.",
            "Train again.",
        )

    def apply(tx: Tx, job: Job) -> None:
        record_blobs(tx, stored)

    return apply
