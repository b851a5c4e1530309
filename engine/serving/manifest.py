"""Bundle manifest v1: what a packaged model is, in one file that the program inside a container reads.

A bundle is a folder: `manifest.json` and the model's file beside it. It names no version number and no
deployment: the same bytes are the same model wherever they run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

MANIFEST_NAME = "manifest.json"

Scalar = str | int | float | bool | None
"""A cell of a row as JSON carries it."""

Row = dict[str, Scalar]


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One raw column the model asks for, in the order it asks for them."""

    name: str
    type: Literal["number", "integer", "boolean", "category"]
    nullable: bool = True
    categories: tuple[str, ...] = ()
    """Known values of a `category`, most frequent first; anything else is answered as unseen. Their index is
    their code."""
    strict: bool = False
    """The project's own estimator fails where this column is missing: a row with a null or an unseen category there
    is refused. `nullable` goes on to decide the column's dtype, which is the same as when it was fitted."""

    @property
    def takes_null(self) -> bool:
        """A row may have a null here."""
        return self.nullable and not self.strict


class Encoding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one input becomes the model's numbers, in the order of the model's matrix.

    `number`: one float, null as NaN. `code`: the category's index, null and unseen as NaN. `standard`:
    `(x - mean) / scale`, null as `fill` before scaling. `onehot`: one 0/1 per category, all 0 for null and unseen.
    """

    input: str
    method: Literal["number", "standard", "code", "onehot"]
    fill: float = 0.0
    mean: float = 0.0
    scale: float = 1.0


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a bundle or a code tree, by its path below the folder (forward slashes)."""

    path: str
    sha256: str
    size_bytes: int


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows answered at packaging; a server that answers them otherwise is not ready.

    `scores` has the shape (rows, classes) for classification, (rows, 1) for regression.
    """

    rows: tuple[Row, ...]
    scores: tuple[tuple[float, ...], ...]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `manifest.json`."""

    name: str
    """The project's, model's and endpoint's name."""
    task: Literal["binary", "multiclass", "regression"]
    target: str
    inputs: tuple[Input, ...]
    encoding: tuple[Encoding, ...]
    """Empty for `skops`, whose estimator takes a pandas frame of the raw inputs."""
    model_format: Literal["lightgbm", "linear", "skops"]
    model_file: File
    golden: Golden
    lineage: str
    """Id of the run that made it."""
    serving_sha256: str
    """Hash of `engine/serving` as it was at packaging (`program_sha256`)."""
    classes: tuple[str | int | bool, ...] = ()
    """Labels by column of the scores; for `binary` (negative, positive). Empty for regression."""
    threshold: float = 0.5
    """`binary`: the positive label is answered from this probability on."""
    id: str | None = None
    """The row's key: accepted in a request and captured, though it is no feature."""
    time: str | None = None
    """The row's event time: likewise."""
    ignored: tuple[str, ...] = ()
    """Columns of the source that are no features: accepted in a request without a warning, not captured."""
    format: Literal[1] = 1


def load_manifest(bundle: Path) -> Manifest:
    """Read a bundle's manifest.

    Raises:
        msgspec.ValidationError: it is not a manifest of this version.
    """
    return msgspec.json.decode((bundle / MANIFEST_NAME).read_bytes(), type=Manifest)


def dump_manifest(manifest: Manifest) -> bytes:
    """Its bytes, the same for the same manifest."""
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1) + b"\n"


class ServeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`serve.json` in a replica's folder: what one process of one deployment is to do.

    Paths are relative to the replica's folder, so that they hold inside a container's mount as well.
    """

    endpoint: str
    version: int
    deployment: int
    replica: int
    bundle: str
    """Folder of the bundle."""
    socket: str = "s"
    captures: str = "captures"
    """Folder of capture segments."""
    capture_limit_bytes: int = 512 * 1024 * 1024
