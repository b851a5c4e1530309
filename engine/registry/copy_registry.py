"""A copy of the registry as it is at one moment, taken while others write to it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from engine.errors import Unavailable
from engine.registry.connect import open_for_reading
from engine.registry.translate import translate


def copy_registry(source: Path, target: Path) -> None:
    """Make the new file `target`, synced: one plain file without a journal beside it.

    All pages are read in one transaction, so that they are of one moment; writers go on meanwhile, and their log grows
    until the copy is done. The reader that copies never checkpoints.

    Raises:
        DiskFull, Unavailable: the source cannot be read, or is damaged; `target` may be there in part.
    """
    try:
        _copy(source, target)
        _settle(target)
    except sqlite3.Error as error:
        raise translate(error) from error
    target.chmod(0o600)
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: Path, target: Path) -> None:
    reading = open_for_reading(source)
    try:
        writing = sqlite3.connect(target, isolation_level=None)
        try:
            reading.backup(writing)
        finally:
            writing.close()
    finally:
        reading.close()


def _settle(target: Path) -> None:
    """Out of WAL mode, which would leave two more files beside it whenever it is looked into; and whole."""
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        copy.execute("PRAGMA journal_mode = DELETE")
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    finally:
        copy.close()
    if found != "ok":
        raise Unavailable(
            f"The registry's file is damaged: {str(found)[:200]}.", "Stop the engine and restore the newest backup."
        )
