"""The hash of what a frame says: the same rows in the same order, whatever file they came from."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import polars as pl

_CHUNK_ROWS = 100_000


def content_sha256(frame: pl.DataFrame) -> str:
    """SHA-256 over columns (name, type), then cells in canonical form; -0.0 counts as 0.0, a null as itself.

    Independent of how the frame lies in memory and of the versions of Polars and Parquet.
    """
    digest = hashlib.sha256()
    head = {"format": 1, "rows": frame.height, "columns": [[name, str(kind)] for name, kind in frame.schema.items()]}
    digest.update(json.dumps(head, ensure_ascii=False).encode())
    for column in frame.iter_columns():
        for start in range(0, len(column), _CHUNK_ROWS):
            for part in _parts(column.slice(start, _CHUNK_ROWS)):
                digest.update(len(part).to_bytes(8, "little"))
                digest.update(part)
    return digest.hexdigest()


def _parts(cells: pl.Series) -> list[bytes]:
    nulls = np.packbits(cells.is_null().to_numpy()).tobytes()
    if cells.dtype == pl.String():
        filled = cells.fill_null("")
        lengths = filled.str.len_bytes().to_numpy().astype("<u4").tobytes()
        return [nulls, lengths, "".join(filled.to_list()).encode()]
    if cells.dtype == pl.Float64():
        return [nulls, (cells.fill_null(0.0).to_numpy() + 0.0).astype("<f8").tobytes()]
    if cells.dtype == pl.Boolean():
        return [nulls, np.packbits(cells.fill_null(value=False).to_numpy()).tobytes()]
    return [nulls, cells.cast(pl.Int64).fill_null(0).to_numpy().astype("<i8").tobytes()]
