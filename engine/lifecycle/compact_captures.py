"""Have a worker turn captured predictions into Parquet, where enough of them lie there or have lain long enough."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.lifecycle.parts import Parts
from engine.registry.events import ENGINE
from engine.registry.queue import active_jobs, enqueue
from engine.registry.tables import CaptureOffset, Deployment, Endpoint, Job, Project, now
from engine.registry.tx import Tx, col
from engine.wire.work import CompactOrder

ENOUGH_BYTES = 4 * 1024 * 1024
LONG_ENOUGH_S = 300.0
"""Captures older than this are compacted however few they are."""
PAUSE_AFTER_FAILURE_S = 900.0

DEPLOYMENT_FOLDER = re.compile(r"d-(\d+)")
_REPLICA = re.compile(r"r(\d+)")
_SEGMENT = re.compile(r"(\d+)\.jsonl")


@dataclass(frozen=True)
class Waiting:
    """Captures of one replica."""

    deployment: int
    replica: int
    folder: Path
    segments: dict[int, tuple[int, float]]
    """(bytes, time of the last write) by number."""

    def beyond(self, segment: int, byte: int) -> tuple[int, float | None]:
        """(bytes, oldest write) of what lies after this place; None: nothing does."""
        size_bytes, oldest = 0, None
        for number, (length, written_at) in self.segments.items():
            left = length - byte if number == segment else length if number > segment else 0
            if left > 0:
                size_bytes += left
                oldest = written_at if oldest is None else min(oldest, written_at)
        return size_bytes, oldest


def compact_captures(parts: Parts, *, everything: bool = False) -> list[int]:
    """Enqueue a job for each replica that has enough to compact; with `everything`, that has anything. Gives their ids.

    A replica has one such job at a time; after one that failed it is left alone for a quarter of an hour.
    """
    waiting = list(find_captures(parts.home.root / "serve"))
    if not waiting:
        return []

    def enqueue_all(tx: Tx) -> list[int]:
        busy = {_place(job) for job in active_jobs(tx, "compact")}
        return [
            job_id
            for found in waiting
            if (found.deployment, found.replica) not in busy
            and (job_id := _enqueue(tx, parts, found, everything)) is not None
        ]

    jobs = parts.writer.write_and_wait(enqueue_all)
    if jobs:
        parts.poke_jobs()
    return jobs


def find_captures(serve: Path) -> Iterator[Waiting]:
    """Every replica's capture segments below `serve/`."""
    for deployment, folder in numbered(serve, DEPLOYMENT_FOLDER):
        for replica, inner in numbered(folder, _REPLICA):
            segments = {}
            for number, path in numbered(inner / "captures", _SEGMENT):
                try:
                    found = path.lstat()
                except OSError:
                    continue
                segments[number] = (found.st_size, found.st_mtime)
            if segments:
                yield Waiting(deployment, replica, inner / "captures", segments)


def numbered(folder: Path, pattern: re.Pattern[str]) -> list[tuple[int, Path]]:
    """What in a folder is named by `pattern`, whose one group is a number, without links; by name."""
    try:
        names = sorted(path for path in folder.iterdir() if not path.is_symlink())
    except OSError:
        return []
    return [(int(match[1]), path) for path in names if (match := pattern.fullmatch(path.name))]


def _enqueue(tx: Tx, parts: Parts, found: Waiting, everything: bool) -> int | None:
    deployment = tx.get(Deployment, found.deployment)
    endpoint = tx.get(Endpoint, deployment.endpoint_id) if deployment else None
    project = tx.get(Project, endpoint.project_id) if endpoint else None
    if deployment is None or project is None:
        return None
    offset = tx.get(CaptureOffset, (found.deployment, found.replica))
    segment, byte = (offset.segment, offset.byte) if offset else (0, 0)
    size_bytes, oldest = found.beyond(segment, byte)
    if oldest is None or not (everything or size_bytes >= ENOUGH_BYTES or time.time() - oldest >= LONG_ENOUGH_S):
        return None
    if _failed_lately(tx, project.id, found):
        return None
    order = CompactOrder(
        endpoint=project.name,
        deployment=found.deployment,
        captures_folder=str(found.folder),
        out_folder=str(parts.home.captures / project.name),
        segment=segment,
        byte=byte,
        retired=deployment.status in ("stopped", "failed"),
    )
    job = enqueue(
        tx, ENGINE, "compact",
        project_id=project.id, args=order.model_dump() | {"replica": found.replica}, reason="captures wait",
    )  # fmt: skip
    return job.id


def _failed_lately(tx: Tx, project_id: int | None, found: Waiting) -> bool:
    since = now() - timedelta(seconds=PAUSE_AFTER_FAILURE_S)
    failed = tx.all(
        Job, Job.project_id == project_id, Job.kind == "compact", Job.status == "failed", col(Job.ended_at) >= since
    )
    return (found.deployment, found.replica) in {_place(job) for job in failed}


def _place(job: Job) -> tuple[Any, Any]:
    return job.args.get("deployment"), job.args.get("replica")
