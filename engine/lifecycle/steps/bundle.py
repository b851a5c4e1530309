"""A bundle's manifest as the engine reads it: checked against what the bundle was made for, never run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from engine.errors import Conflict, InvalidInput
from engine.lifecycle.parts import Parts
from engine.serving.manifest import MANIFEST_NAME, Manifest
from engine.wire.base import FileEntry


def manifest_entry(files: Sequence[FileEntry]) -> FileEntry:
    """The manifest among a bundle's files. Raises `InvalidInput` where there is none."""
    found = next((file for file in files if file.path == MANIFEST_NAME), None)
    if found is None:
        raise InvalidInput(f"The bundle has no {MANIFEST_NAME}.", "It was not packaged whole: train again.")
    return found


def read_manifest(parts: Parts, files: Sequence[FileEntry]) -> Manifest:
    """Read a stored bundle's manifest, its hash found right.

    Raises:
        Conflict: a newer program than this engine wrote it.
        InvalidInput: it is no manifest, or speaks of a model file that the bundle has not.
        DamagedBlob, NotFound: its bytes are not what was stored.
    """
    try:
        manifest = msgspec.json.decode(parts.blobs.read(manifest_entry(files).sha256), type=Manifest)
    except msgspec.MsgspecError as error:
        # A worker runs the program as it is installed now, the engine as it was when it started.
        if "contains unknown field" in str(error):
            raise Conflict(
                f"The engine that runs is older than the installed program, whose worker wrote a {MANIFEST_NAME} that"
                f" the engine cannot read: {error}.",
                "End the engine with `mlops down`, then `mlops up`, and train again.",
            ) from error
        raise InvalidInput(f"The bundle's {MANIFEST_NAME} cannot be read: {error}.", "Train again.") from error
    model = manifest.model_file
    if not any((file.path, file.sha256) == (model.path, model.sha256) for file in files):
        raise InvalidInput(f"The bundle's {MANIFEST_NAME} speaks of a {model.path} that it has not.", "Train again.")
    return manifest


def signature(manifest: Manifest) -> dict[str, Any]:
    """What people ask of a version: target, classes, threshold, inputs, id, time."""
    return {
        "target": manifest.target,
        "classes": list(manifest.classes),
        "threshold": manifest.threshold if manifest.task == "binary" else None,
        "inputs": [msgspec.to_builtins(column) for column in manifest.inputs],
        "id": manifest.id,
        "time": manifest.time,
    }
