"""What is tidied again and again: captures to compact, what grows past its limits, and what is left of jobs and
deployments that are over."""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Container, Iterable
from pathlib import Path

from engine.deployment.serve_folder import clear
from engine.errors import EngineError
from engine.lifecycle.advance_retrains import advance_retrains
from engine.lifecycle.compact_captures import DEPLOYMENT_FOLDER, compact_captures, numbered
from engine.lifecycle.parts import Parts
from engine.lifecycle.retain_captures import Removed, retain_captures
from engine.lifecycle.retain_checks import retain_checks
from engine.lifecycle.sync_schedules import sync_all_schedules
from engine.registry.events import ENGINE
from engine.registry.queries.rollouts import get_rollouts
from engine.registry.queries.unended import unended_jobs
from engine.registry.tables import now
from engine.registry.tx import Tx

log = logging.getLogger(__name__)

FAILED_WORK_KEPT_S = 24 * 3600.0
"""The work folder of a job that failed is kept this long, to look into."""

_JOB_LOG = re.compile(r"(\d+)-\d+\.log")
_SERVE_LOG = re.compile(r"d-(\d+)-r\d+\.log(?:\.1)?")


def keep_house(parts: Parts) -> None:
    """One round. What cannot be removed now is tried again in the next."""
    sync_all_schedules(parts)
    advance_retrains(parts)
    captures, checks = _retain(parts)
    compact_captures(parts)
    # Looked for before the registry is asked: a job that begins meanwhile has its folder in neither list.
    folders, logs = _folders(parts.home.root / "work"), list((parts.home.logs / "jobs").iterdir())
    unended = unended_jobs(parts.reader)
    for job_id in remove_work_folders(folders, unended.jobs, unended.failed, now_s=time.time()):
        parts.pulse.forget(job_id)
    removed = _remove_old_logs(parts, logs, unended.jobs)
    served = _tidy_after_deployments(parts)
    _record(parts, captures, checks, Removed(removed.count + served.count, removed.size_bytes + served.size_bytes))


def _retain(parts: Parts) -> tuple[Removed, Removed]:
    """Captures and figures of checks past their limits; in the next round where a backup copies them just now."""
    if not parts.removal.acquire(blocking=False):
        return Removed(), Removed()
    try:
        return retain_captures(parts, now()), retain_checks(parts, now())
    except (EngineError, OSError) as error:
        # The rest of the house is kept all the same: without compaction, captures would be dropped.
        log.error("what is old could not be removed: %s", error)
        return Removed(), Removed()
    finally:
        parts.removal.release()


def _record(parts: Parts, captures: Removed, checks: Removed, logs: Removed) -> None:
    """One event for a round that removed something."""
    removed = {"captures": captures, "checks": checks, "logs": logs}
    told = {what: {"count": one.count, "size_bytes": one.size_bytes} for what, one in removed.items() if one.count}
    if not told:
        return

    def record(tx: Tx) -> None:
        tx.event(ENGINE, "retention.applied", "home", None, **told)

    parts.writer.write_and_wait(record)


def _tidy_after_deployments(parts: Parts) -> Removed:
    """A deployment's folder goes once it is over and its captures are compacted."""
    # Listed before the registry is asked, as above.
    folders = [number for number, _ in numbered(parts.home.root / "serve", DEPLOYMENT_FOLDER)]
    logs = list((parts.home.logs / "serve").iterdir())
    there = {row.id for row in get_rollouts(parts.reader).deployments}
    for number in folders:
        if number not in there:
            clear(parts.home, number)
    return _remove_old_logs(parts, logs, there, named=_SERVE_LOG)


def _remove_old_logs(
    parts: Parts, logs: Iterable[Path], unended: Container[int], named: re.Pattern[str] = _JOB_LOG
) -> Removed:
    kept = parts.config.retention
    return remove_old_logs(
        logs,
        unended,
        now_s=time.time(),
        kept_s=kept.logs_days * 24 * 3600.0,
        limit_bytes=kept.logs_mb << 20,
        named=named,
    )


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
    unended: Container[int],
    *,
    now_s: float,
    kept_s: float,
    limit_bytes: int,
    named: re.Pattern[str] = _JOB_LOG,
) -> Removed:
    """Remove logs of what is over when they are old, and the oldest of them while all are too large; says how many.

    `named` has the number of the job, or of the deployment, as its first group.
    """
    found = []
    for path in logs:
        match = named.fullmatch(path.name)
        if match and not path.is_symlink():
            status = path.lstat()
            found.append((status.st_mtime, status.st_size, int(match[1]), path))
    total = sum(size_bytes for _, size_bytes, _, _ in found)
    gone = []
    for written_at, size_bytes, number, path in sorted(found):
        if number in unended:
            continue
        if now_s - written_at > kept_s or total > limit_bytes:
            path.unlink(missing_ok=True)
            total -= size_bytes
            gone.append(size_bytes)
    return Removed(len(gone), sum(gone))


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.isdecimal() and path.is_dir() and not path.is_symlink()]
