"""A fitted model → a bundle: the manifest and the model's file, the same bytes for the same model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from engine.data.schema import Schema
from engine.errors import JobFailed
from engine.packaging.golden import as_columns, golden_rows, typed_columns
from engine.packaging.parity import check_parity
from engine.packaging.tolerance import tolerated_inputs
from engine.project import Project
from engine.serving.manifest import MANIFEST_NAME, File, Golden, Manifest, dump_manifest
from engine.serving.model import load_bundle
from engine.serving.problems import BadBundle
from engine.serving.program import program_sha256
from engine.training.encoding import Columns, left_out
from engine.training.fit import Fitted


@dataclass(frozen=True)
class Packaged:
    """A bundle as it was just written."""

    manifest: Manifest
    files: tuple[File, ...]
    """All of the bundle, by path below its folder."""
    parity_rows: int
    parity_difference: float


def write_bundle(
    folder: Path, fitted: Fitted, project: Project, schema: Schema, columns: Columns, *, lineage: str
) -> Packaged:
    """Write a bundle into the new folder `folder`, load it as a model server does, and hold it against `fitted`.

    `columns` are raw rows, at least one, as the model will meet them. `lineage` is the id of the run.

    Raises:
        JobFailed: the bundle cannot be loaded, or answers otherwise than the fitted model.
    """
    folder.mkdir(parents=True)
    model_file = fitted.model.file()
    inputs = tolerated_inputs(fitted, columns)
    rows = golden_rows(inputs, columns)
    scores = fitted.scores(typed_columns(inputs, as_columns(inputs, rows)))
    manifest = Manifest(
        name=project.name,
        task=project.task,
        target=project.data.target,
        inputs=inputs,
        encoding=fitted.tables.encoding,
        model_format=model_file.format,
        model_file=_write(folder, model_file.name, model_file.content),
        golden=Golden(rows, tuple(tuple(row) for row in scores.tolist())),
        lineage=lineage,
        serving_sha256=program_sha256(),
        classes=fitted.classes,
        threshold=fitted.threshold,
        id=project.data.id,
        time=project.data.time,
        ignored=left_out(schema, project),
    )
    manifest_file = _write(folder, MANIFEST_NAME, dump_manifest(manifest))
    try:
        bundle = load_bundle(folder)
        bundle.check_golden()
    except BadBundle as error:
        raise JobFailed(f"The bundle cannot be served: {error.message}", error.hint) from error
    rows_checked, difference = check_parity(bundle, fitted, columns)
    return Packaged(manifest, (manifest_file, manifest.model_file), rows_checked, difference)


def _write(folder: Path, name: str, content: bytes) -> File:
    (folder / name).write_bytes(content)
    return File(name, hashlib.sha256(content).hexdigest(), len(content))
