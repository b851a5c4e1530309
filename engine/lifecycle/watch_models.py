"""What the schedule of a model does: a check where enough has come in, and an alarm where nothing comes any more.

A worker is started only where it will find enough rows. The clock's transaction records the nominal time, this acts
after it; the job's key holds the nominal time, so that an engine that died in between looks again when it is back, and
never twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from functools import partial

from engine.failpoint import failpoint
from engine.lifecycle.check_model import waiting_check
from engine.lifecycle.compact_captures import Waiting, compact_captures, find_captures
from engine.lifecycle.orders.check import reference
from engine.lifecycle.parts import Parts
from engine.lifecycle.raise_silence import look_for_silence
from engine.registry.events import ENGINE
from engine.registry.queries.captures import champion_deployments, compacted_until
from engine.registry.queries.checks import waiting_rows
from engine.registry.queries.schedules import ScheduleRow, read_schedules
from engine.registry.queue import enqueue
from engine.registry.tables import Alias, Job, Project, now
from engine.registry.tx import Tx

ENOUGH_ROWS = 500
"""Below it population stability is noise and nothing is judged."""

_SAMPLE_BYTES = 256 * 1024
_LEAST_ROW_BYTES = 20


def watch(parts: Parts, tx: Tx, row: ScheduleRow, nominal_at: datetime) -> Callable[[], None] | None:
    """The clock's action of kind `check`: nothing within the transaction, a look after it."""
    if row.project_id is None:
        return None
    return partial(watch_model, parts, row.project_id, key_of(row.id, nominal_at))


def watch_again(parts: Parts) -> None:
    """Once after a start: act for the newest nominal time of each schedule, in case the engine died before it had."""
    for row in read_schedules(parts.reader, until=now()):
        if row.kind == "check" and row.enabled and row.project_id is not None and row.last_nominal_at is not None:
            watch_model(parts, row.project_id, key_of(row.id, row.last_nominal_at))


def key_of(schedule_id: int, nominal_at: datetime) -> str:
    """Of the one check for a nominal time."""
    return f"check:{schedule_id}:{nominal_at:%Y-%m-%dT%H:%M:%SZ}"


def watch_model(parts: Parts, project_id: int, key: str) -> None:
    """Enqueue a check if 500 new rows are there or likely, and see whether the endpoint has fallen silent."""
    failpoint("watch.begin")
    captured = find_project_captures(parts, project_id)
    likely = sum(likely_rows(found, place) for found, place in captured)
    if waiting_rows(parts.reader, project_id) + likely >= ENOUGH_ROWS:
        if likely:
            compact_captures(parts, everything=True, only=project_id)
        parts.writer.write_and_wait(partial(_enqueue, project_id=project_id, key=key))
        failpoint("watch.enqueued")
        parts.poke_jobs()
    look_for_silence(parts, project_id, [found for found, _ in captured])


def find_project_captures(parts: Parts, project_id: int) -> list[tuple[Waiting, tuple[int, int]]]:
    """Capture segments of the champion's replicas, each with the place from which they are not compacted."""
    deployments = champion_deployments(parts.reader, project_id)
    places = compacted_until(parts.reader)
    return [
        (found, places.get((found.deployment, found.replica), (0, 0)))
        for found in find_captures(parts.home.root / "serve")
        if found.deployment in deployments
    ]


def likely_rows(found: Waiting, place: tuple[int, int]) -> float:
    """How many rows lie after a place, as the first quarter of a megabyte of them tells."""
    size_bytes, _ = found.beyond(*place)
    if not size_bytes:
        return 0.0
    segment = min((number for number in found.segments if number >= place[0]), default=place[0])
    rows, read = _count(found, segment, place[1] if segment == place[0] else 0)
    return size_bytes * rows / read if read else size_bytes / _LEAST_ROW_BYTES


def _count(found: Waiting, segment: int, byte: int) -> tuple[int, int]:
    """(rows, bytes) of the whole lines at a place; the model server writes there, so nothing in it is trusted."""
    try:
        descriptor = os.open(
            found.folder / f"{segment:08}.jsonl", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
        try:
            content = os.pread(descriptor, _SAMPLE_BYTES, byte)
        finally:
            os.close(descriptor)
    except OSError:
        return 0, 0
    lines = content.split(b"\n")[:-1]
    return sum(_rows(line) for line in lines), sum(len(line) + 1 for line in lines)


def _rows(line: bytes) -> int:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return 0
    rows = told.get("rows") if isinstance(told, dict) else None
    return len(rows) if isinstance(rows, list) else 0


def _enqueue(tx: Tx, *, project_id: int, key: str) -> None:
    project = tx.get(Project, project_id)
    if project is None or tx.get(Alias, (project_id, "champion")) is None:
        return
    if tx.first(Job, Job.key == key) is None and waiting_check(tx, project_id) is not None:
        return
    enqueue(
        tx, ENGINE, "check",
        project_id=project_id, revision_id=reference(tx, project).revision_id, key=key, args={"scheduled": True},
        reason="scheduled",
    )  # fmt: skip
