"""Have a worker turn captured predictions into Parquet, where enough of them lie there or have lain long enough.

Each time makes at least one file, and many tiny files are slow to read: a replica with little traffic makes at most
96 a day.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine.lifecycle.parts import Parts
from engine.registry.events import ENGINE
from engine.registry.queries.captures import compacted_until
from engine.registry.queue import active_jobs, enqueue
from engine.registry.tables import CaptureOffset, Deployment, Endpoint, Job, Project, now
from engine.registry.tx import Tx, col
from engine.wire.work import CompactOrder

ENOUGH_BYTES = 4 * 1024 * 1024
"""So much is compacted at once, however fresh; where captures may not grow so far, a quarter of their limit is."""
LONG_ENOUGH_S = 900.0
"""Captures are compacted however few they are, once the oldest of them is older than this or its replica is over."""
PAUSE_AFTER_FAILURE_S = 900.0

DEPLOYMENT_FOLDER = re.compile(r"d-(\d+)")
_REPLICA = re.compile(r"r(\d+)")
_SEGMENT = re.compile(r"(\d{8})\.jsonl")
_RECEIVED_AT = re.compile(rb'"received_at":"([0-9T:.+-]{10,30}Z)"')
_HEAD_BYTES = 4096
"""Of a line; the moment stands near its beginning."""


@dataclass(frozen=True)
class Waiting:
    """Captures of one replica."""

    deployment: int
    replica: int
    folder: Path
    segments: dict[int, tuple[int, float]]
    """(bytes, time of the last write) by number."""

    def beyond(self, segment: int, byte: int) -> tuple[int, float]:
        """(bytes, time of the oldest) of what lies after this place; no bytes: nothing does."""
        left = {
            number: length - (byte if number == segment else 0)
            for number, (length, _) in self.segments.items()
            if number >= segment
        }
        there = [number for number, length in sorted(left.items()) if length > 0]
        if not there:
            return 0, math.inf
        first = there[0]
        began_at = _received_at(self.folder / f"{first:08}.jsonl", byte if first == segment else 0)
        return sum(left[number] for number in there), min(began_at, self.segments[first][1])


def compact_captures(parts: Parts, *, everything: bool = False, only: int | None = None) -> list[int]:
    """Enqueue a job for each replica that has enough to compact; with `everything`, that has anything. Gives their ids.

    `only` names a project by its id; None: of all.

    A replica has one such job at a time; after one that failed it is left alone for a quarter of an hour.
    """
    limit_bytes = parts.config.capture.limit_mb << 20
    places = compacted_until(parts.reader)
    waiting = []
    for found in find_captures(parts.home.root / "serve"):
        # The files are looked into before the writer is asked, which is to wait for no disk.
        place = places.get((found.deployment, found.replica), (0, 0))
        size_bytes, oldest = found.beyond(*place)
        due = size_bytes >= min(ENOUGH_BYTES, limit_bytes // 4) or time.time() - oldest >= LONG_ENOUGH_S
        if size_bytes:
            waiting.append((found, place, due or everything))
    if not waiting:
        return []

    def enqueue_all(tx: Tx) -> list[int]:
        busy = {_place(job) for job in active_jobs(tx, "compact")}
        return [
            job_id
            for found, place, due in waiting
            if (found.deployment, found.replica) not in busy
            and (job_id := _enqueue(tx, parts, found, place, due=due, only=only)) is not None
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


def _received_at(segment: Path, byte: int) -> float:
    """When the request captured at this place came; infinite where that cannot be told.

    The model server writes there: a link is not followed, and a line that is none is nobody's.
    """
    try:
        descriptor = os.open(segment, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            head = os.pread(descriptor, _HEAD_BYTES, byte)
        finally:
            os.close(descriptor)
        moment = _RECEIVED_AT.search(head)
        return datetime.fromisoformat(moment[1].decode()).timestamp() if moment else math.inf
    except (OSError, ValueError):
        return math.inf


def _enqueue(
    tx: Tx, parts: Parts, found: Waiting, place: tuple[int, int], *, due: bool, only: int | None
) -> int | None:
    deployment = tx.get(Deployment, found.deployment)
    endpoint = tx.get(Endpoint, deployment.endpoint_id) if deployment else None
    project = tx.get(Project, endpoint.project_id) if endpoint else None
    if deployment is None or project is None or only not in (None, project.id):
        return None
    retired = deployment.status in ("stopped", "failed")
    if not (due or retired):
        return None
    offset = tx.get(CaptureOffset, (found.deployment, found.replica))
    if place != ((offset.segment, offset.byte) if offset else (0, 0)):
        # Compacted just now; the next round looks again.
        return None
    if _failed_lately(tx, project.id, found):
        return None
    order = CompactOrder(
        endpoint=project.name,
        deployment=found.deployment,
        captures_folder=str(found.folder),
        out_folder=str(parts.home.captures / project.name),
        segment=place[0],
        byte=place[1],
        retired=retired,
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
