"""What has to be tidied again and again: captures to compact, folders and logs of jobs that are long over."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from engine.lifecycle.compact_captures import compact_captures
from engine.lifecycle.parts import Parts
from engine.registry.queries.unended import unended_jobs

FAILED_WORK_KEPT_S = 24 * 3600.0
"""The work folder of a job that failed is kept this long, to look into."""
LOGS_KEPT_S = 30 * 24 * 3600.0
LOGS_BYTES = 512 * 1024 * 1024
"""Of all job logs; the oldest go first."""

_LOG = re.compile(r"(\d+)-(\d+)\.log")


def keep_house(parts: Parts) -> None:
    """One round. What cannot be removed now is tried again in the next."""
    compact_captures(parts)
    # Looked for before the registry is asked: a job that begins meanwhile has its folder in neither list.
    folders, logs = _folders(parts.home.root / "work"), list((parts.home.logs / "jobs").iterdir())
    unended = unended_jobs(parts.reader)
    for job_id in remove_work_folders(folders, unended.jobs, unended.failed, now_s=time.time()):
        parts.pulse.forget(job_id)
    remove_old_logs(logs, unended.jobs, now_s=time.time())


def remove_work_folders(
    folders: Iterable[Path], unended: dict[int, int], failed: set[int], *, now_s: float
) -> list[int]:
    """Remove folders of jobs that are over, and of earlier attempts; `unended` has the running attempt by job.

    A failed job's folder stays for a day. Gives the jobs of which nothing is left.
    """
    gone = []
    for folder in folders:
        job_id = int(folder.name)
        if job_id in unended:
            for attempt in _folders(folder):
                if int(attempt.name) < unended[job_id]:
                    shutil.rmtree(attempt, ignore_errors=True)
        elif job_id not in failed or now_s - folder.stat().st_mtime > FAILED_WORK_KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(job_id)
    return gone


def remove_old_logs(
    logs: Iterable[Path],
    unended: dict[int, int],
    *,
    now_s: float,
    kept_s: float = LOGS_KEPT_S,
    limit_bytes: int = LOGS_BYTES,
) -> None:
    """Remove logs of jobs that are over when they are old, and the oldest of them while all are too large."""
    found = []
    for path in logs:
        match = _LOG.fullmatch(path.name)
        if match and not path.is_symlink():
            status = path.lstat()
            found.append((status.st_mtime, status.st_size, int(match[1]), path))
    total = sum(size_bytes for _, size_bytes, _, _ in found)
    for written_at, size_bytes, job_id, path in sorted(found):
        if job_id in unended:
            continue
        if now_s - written_at > kept_s or total > limit_bytes:
            path.unlink(missing_ok=True)
            total -= size_bytes


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.isdecimal() and path.is_dir() and not path.is_symlink()]
