"""Take away the oldest compacted captures: those past their age, and the oldest while all are too large.

None goes that still waits for a check, on whose rows a retrain will be judged, or that a job reads just now. The row
stays, marked; the file goes after the mark is durable, so a kill leaves at most a file that `mlops gc` names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.failpoint import failpoint
from engine.lifecycle.parts import Parts
from engine.registry.core import CAPTURE_FILE
from engine.registry.queries.kept_captures import KeptFile, Needs, kept_bytes, oldest_captures, read_needs
from engine.registry.tx import Tx

ROUND = 500
"""Files looked at in one round of housekeeping, which comes each minute."""


@dataclass(frozen=True)
class Removed:
    """What one round took away."""

    count: int = 0
    size_bytes: int = 0


def retain_captures(parts: Parts, at: datetime) -> Removed:
    """One round, as of the moment `at`. The caller holds `parts.removal`."""
    kept = parts.config.retention
    oldest = oldest_captures(parts.reader, ROUND)
    limits = at - timedelta(days=kept.captures_days), kept_bytes(parts.reader) - (kept.captures_mb << 20)
    if not choose_captures(oldest, read_needs(parts.reader), *limits):
        return Removed()

    def mark(tx: Tx) -> list[KeptFile]:
        # Asked again here: a job that begins meanwhile has its files listed, or finds them marked.
        chosen = choose_captures(oldest, read_needs(tx), *limits)
        if chosen:
            ids = [file.id for file in chosen]
            tx.execute(CAPTURE_FILE.update().where(CAPTURE_FILE.c.id.in_(ids)).values(deleted_at=at))
        return chosen

    gone = parts.writer.write_and_wait(mark)
    failpoint("retention.marked")
    for file in gone:
        (parts.home.captures / file.project / file.name).unlink(missing_ok=True)
    return Removed(len(gone), sum(file.size_bytes for file in gone))


def choose_captures(
    oldest: Iterable[KeptFile], needs: Needs, not_before: datetime, too_many_bytes: int
) -> list[KeptFile]:
    """Those that may go, of files with the oldest first; `too_many_bytes` is how much all files are over the limit."""
    chosen = []
    for file in oldest:
        if file.newest_at >= not_before and too_many_bytes <= 0:
            break
        if is_needed(file, needs):
            continue
        chosen.append(file)
        too_many_bytes -= file.size_bytes
    return chosen


def is_needed(file: KeptFile, needs: Needs) -> bool:
    """Something that is under way, or that is sure to come, will read it."""
    unchecked_after = needs.unchecked_after.get(file.project_id)
    judged_after = needs.judged_after.get(file.project_id)
    return (
        file.project_id in needs.busy
        or (unchecked_after is not None and file.id > unchecked_after)
        or (judged_after is not None and (file.last_event_at or file.newest_at) >= judged_after)
    )
