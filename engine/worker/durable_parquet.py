"""A table as a Parquet file that other steps rely on."""

from __future__ import annotations

import io
import os
from pathlib import Path

import polars as pl


def write_durably(table: pl.DataFrame, path: Path) -> None:
    """Whole or not at all, and on the disk before anything speaks of it. The folder must be there.

    Raises:
        OSError: nothing was written.
    """
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd")
    partial = path.with_suffix(f".part{os.getpid()}")
    try:
        with partial.open("wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
