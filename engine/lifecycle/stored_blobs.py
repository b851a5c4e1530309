"""Rows of stored files. A row is written after its bytes are durable, so it never speaks of bytes that are not."""

from __future__ import annotations

from collections.abc import Iterable

from engine.blobs.store import Stored
from engine.registry.core import BLOB
from engine.registry.tables import now
from engine.registry.tx import Tx
from engine.registry.upsert import upsert


def record_blobs(tx: Tx, stored: Iterable[Stored]) -> None:
    """Write the rows that are not there yet."""
    at = now()
    rows = {file.sha256: {"sha256": file.sha256, "size_bytes": file.size_bytes, "created_at": at} for file in stored}
    if rows:
        tx.execute(_RECORD, list(rows.values()))


_RECORD = upsert(BLOB, keep=("size_bytes", "created_at"))
