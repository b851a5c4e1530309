"""A bundle on disk → something that answers rows."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from engine.serving.manifest import MANIFEST_NAME, Golden, Manifest, Scalar, load_manifest
from engine.serving.problems import BadBundle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Values = Sequence[Scalar]
"""A row as its values in the order of the manifest's inputs; what follows them is not looked at."""

TOLERANCE = {"lightgbm": 1e-12, "linear": 1e-9, "skops": 1e-9}
"""Relative difference at which a golden row is answered otherwise. Trees compare with thresholds, so a wrong turn
shows at once; what remains is the last bit of the C library's `exp`, which differs between processors."""


class Model(Protocol):
    """What one model format gives. Scores have the shape (rows, classes), (rows, 1) for regression."""

    def score_values(self, values: Values) -> list[float]:
        """One row."""
        ...

    def score_rows(self, rows: Sequence[Values]) -> list[list[float]]:
        """The rows of one request."""
        ...

    def score_columns(self, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        """Whole columns by name, as `encode_columns` reads them."""
        ...


class Bundle:
    """A packaged model, loaded. Safe to share between threads."""

    def __init__(self, manifest: Manifest, model: Model) -> None:
        self.manifest = manifest
        self.model = model
        self._names = tuple(column.name for column in manifest.inputs)

    def score_columns(self, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        """Scores of whole columns by name, shape (rows, classes); (rows, 1) for regression.

        Raises:
            KeyError: a column is missing.
        """
        return self.model.score_columns(columns)

    def score_row(self, row: Mapping[str, Scalar]) -> list[float]:
        """Scores of one row by name, shape (classes,); (1,) for regression.

        Raises:
            KeyError: a column is missing.
        """
        return self.model.score_values([row[name] for name in self._names])

    def check_golden(self) -> None:
        """Answer the manifest's golden rows again, one by one and all at once.

        Raises:
            BadBundle: an answer differs from the one at packaging.
        """
        golden = self.manifest.golden
        if not golden.rows:
            raise BadBundle(
                "The bundle holds no golden rows, so nothing shows that it answers as it was judged.",
                "Package it again.",
            )
        rows = [[row.get(name) for name in self._names] for row in golden.rows]
        self._compare(golden, [self.model.score_values(row) for row in rows], "alone")
        self._compare(golden, self.model.score_rows(rows), "in a batch")

    def _compare(self, golden: Golden, scores: Sequence[Sequence[float]], how: str) -> None:
        tolerance = TOLERANCE[self.manifest.model_format]
        if len(golden.scores) != len(scores):
            raise BadBundle(f"The bundle has {len(scores)} golden rows and {len(golden.scores)} golden answers.")
        for index, (expected, found) in enumerate(zip(golden.scores, scores, strict=True)):
            same = len(expected) == len(found) and all(
                math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-300) for a, b in zip(expected, found, strict=True)
            )
            if not same:
                raise BadBundle(
                    f"Golden row {index} is answered {how} with {list(found)}, and was answered with {list(expected)} "
                    "when the bundle was packaged.",
                    "The libraries here differ from those at packaging; package the model again for this environment.",
                )


def load_bundle(folder: Path, *, threads: int = 1) -> Bundle:
    """Read the bundle in `folder`; its model file is checked against the manifest's hash first.

    `threads` is how many a batch may use; one row always takes one.

    Raises:
        BadBundle: it is incomplete, damaged, unsafe, or of a format this program does not know.
    """
    try:
        manifest = load_manifest(folder)
    except OSError as error:
        raise BadBundle(f"The bundle has no {MANIFEST_NAME} that can be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise BadBundle(f"{MANIFEST_NAME} is not a bundle manifest of version 1: {error}.") from error
    _check_manifest(manifest)
    return Bundle(manifest, _load_model(manifest, _read_model_file(folder, manifest), threads))


def _load_model(manifest: Manifest, content: bytes, threads: int) -> Model:
    if manifest.model_format == "lightgbm":
        from engine.serving.lightgbm_model import LightgbmModel

        return LightgbmModel(manifest, content, threads)
    if manifest.model_format == "linear":
        from engine.serving.linear_model import LinearModel

        return LinearModel(manifest, content)
    from engine.serving.skops_model import SkopsModel

    return SkopsModel(manifest, content)


def _read_model_file(folder: Path, manifest: Manifest) -> bytes:
    """The model file's bytes, checked. What is loaded are these bytes, not the file a second time."""
    file = manifest.model_file
    path = folder / file.path
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadBundle(f"The model file {file.path!r} lies outside of its bundle.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadBundle(f"The bundle's model file {file.path!r} cannot be read: {error.strerror}.") from error
    if len(content) != file.size_bytes or hashlib.sha256(content).hexdigest() != file.sha256:
        raise BadBundle(
            f"The bundle's model file {file.path!r} is damaged: its bytes are not those of the manifest.",
            "Deploy the version again; it is copied anew from the store.",
        )
    return content


def _check_manifest(manifest: Manifest) -> None:
    """What the types alone do not say."""
    names = [column.name for column in manifest.inputs]
    if not names or len(set(names)) != len(names):
        raise BadBundle("The manifest's inputs must be at least one, each with a name of its own.")
    strangers = sorted({step.input for step in manifest.encoding} - set(names))
    if strangers:
        raise BadBundle(f"The manifest encodes {strangers[0]!r}, which is none of its inputs.")
    expected = {"binary": len(manifest.classes) == 2, "multiclass": len(manifest.classes) >= 2}
    if not expected.get(manifest.task, not manifest.classes):
        raise BadBundle(f"{len(manifest.classes)} classes do not fit the task {manifest.task}.")
    if any(step.scale == 0 for step in manifest.encoding):
        raise BadBundle("The manifest scales a column by 0.")
