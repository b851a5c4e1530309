"""Have compacted what model servers have captured so far, for whoever copies captures next."""

from __future__ import annotations

import time

from engine.lifecycle.compact_captures import compact_captures
from engine.lifecycle.parts import Parts
from engine.registry.queries.jobs import list_jobs

_LOOK_EVERY_S = 0.2


def flush_captures(parts: Parts, within_s: float) -> bool:
    """Compact everything and wait for it; False: something still waits after `within_s`, for a worker's slot perhaps.

    It stays with its replica, and is compacted when its turn comes.
    """
    wanted = set(compact_captures(parts, everything=True))
    until = time.monotonic() + within_s
    while wanted := wanted & _unended(parts):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _unended(parts: Parts) -> set[int]:
    found = [job for status in ("queued", "running") for job in list_jobs(parts.reader, status=status, limit=1000).jobs]
    return {job.id for job in found}
