"""Captures or labels on the disk that can no longer be read: which file it is, and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from engine.errors import BadData
from engine.wire.work import FreshRows


@contextmanager
def naming_damage(files: Iterable[Path]) -> Iterator[None]:
    """Within it, Parquet that cannot be read is told by the name of its file; `files` are what is read.

    Raises:
        BadData: one of them is damaged.
    """
    try:
        yield
    except pl.exceptions.ComputeError as error:
        for path in files:
            if path.is_file() and not _is_parquet(path):
                raise BadData(
                    f"The file {path.name} in {path.parent} is damaged: it is no whole Parquet.",
                    "Bring it back from a backup, or move it away: rows that are gone are passed over.",
                    file=path.name,
                ) from error
        raise


def fresh_files(fresh: FreshRows) -> list[Path]:
    """All that is read of captures and their labels."""
    folder = Path(fresh.captures_folder)
    return [folder / name for name in fresh.capture_files] + [folder / "labels" / name for name in fresh.label_files]


def _is_parquet(path: Path) -> bool:
    try:
        pl.read_parquet(path, glob=False)
    except pl.exceptions.ComputeError:
        return False
    return True
