"""Remove stored files that no row speaks of, without ever taking one that somebody is about to speak of.

A file is stored first, and its row is written afterwards. So one that came, or came again, within the last hour stays.
Whether a file is spoken of is decided inside a transaction of the writer, where no row can come in between; one that is
stored again after that is fresh, and the store does not let it go. Everybody who writes waits for that transaction, so
the longest tables are asked before it: their rows come with files that are fresh.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from engine.failpoint import failpoint
from engine.lifecycle.parts import Parts
from engine.registry.core import BLOB
from engine.registry.queries.spoken import APPENDED, spoken_hashes
from engine.registry.tx import Tx

GRACE_S = 3600.0
_AT_ONCE = 5000
"""Files in one transaction, for which everybody who writes waits."""


def drop_blobs(parts: Parts, candidates: Sequence[str], *, now_s: float) -> list[str]:
    """Remove those of them that may go; gives their hashes. The caller holds `parts.removal`."""
    gone = []
    spoken = set().union(*spoken_hashes(parts.reader).values())
    for some in _portions([sha256 for sha256 in candidates if sha256 not in spoken]):
        decided = parts.writer.write_and_wait(partial(_decide, parts=parts, candidates=some, oldest_s=now_s - GRACE_S))
        failpoint("gc.decided")
        for sha256 in decided:
            parts.blobs.remove(sha256, unless_after_s=now_s - GRACE_S)
        gone += decided
    return gone


def _decide(tx: Tx, parts: Parts, candidates: Sequence[str], oldest_s: float) -> list[str]:
    spoken = set().union(*spoken_hashes(tx, without=APPENDED).values())
    gone = [sha256 for sha256 in candidates if sha256 not in spoken and not parts.blobs.came_after(sha256, oldest_s)]
    if gone:
        tx.execute(BLOB.delete().where(BLOB.c.sha256.in_(gone)))
    return gone


def _portions(candidates: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(candidates), _AT_ONCE):
        yield candidates[start : start + _AT_ONCE]
