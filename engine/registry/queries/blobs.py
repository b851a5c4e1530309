"""The stored files that the registry speaks of."""

from __future__ import annotations

from sqlalchemy import select

from engine.registry.core import BLOB
from engine.registry.reader import Source


def all_blobs(source: Source) -> list[str]:
    """Their hashes, sorted."""
    with source.connection() as connection:
        return list(connection.execute(select(BLOB.c.sha256).order_by(BLOB.c.sha256)).scalars())
