"""Captures are compacted when there is enough of them; folders and logs of jobs that are over go."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.core import ADA, Worked, add, claim, go_live, train

from engine.errors import Fenced
from engine.lifecycle.compact_captures import ENOUGH_BYTES, LONG_ENOUGH_S, compact_captures
from engine.lifecycle.deploy_version import deploy_version
from engine.lifecycle.keep_house import keep_house, remove_old_logs
from engine.lifecycle.parts import Parts
from engine.lifecycle.read_log import read_log
from engine.lifecycle.start_attempt import start_attempt
from engine.lifecycle.train_project import train_project
from engine.registry.queries.jobs import get_job, list_jobs
from engine.registry.queue import end_job, running_attempt
from engine.registry.tables import CaptureOffset, Deployment
from engine.registry.tx import Tx
from engine.wire.base import Failure
from engine.wire.endpoints import Deploy
from engine.wire.projects import TrainProject
from engine.wire.work import CompactOrder

RESULT = {
    "segment": 1,
    "byte": 10,
    "rows": 5,
    "requests": 2,
    "duplicates": 0,
    "damaged_lines": 0,
    "dropped": 1,
    "files": [],
}


@pytest.fixture
def captures(parts: Parts, tmp_path: Path) -> Path:
    """Where the one replica of a live deployment captures."""
    add(parts, tmp_path)
    train(parts)
    deployed = deploy_version(parts, ADA, "fraud", Deploy())
    go_live(parts, deployed.id)
    folder = parts.home.serve(deployed.id) / "r00" / "captures"
    folder.mkdir(parents=True)
    return folder


def capture(folder: Path, size_bytes: int, *, segment: int = 1, age_s: float = 0.0) -> None:
    path = folder / f"{segment:08}.jsonl"
    path.write_bytes(b"x" * size_bytes)
    os.utime(path, (time.time() - age_s,) * 2)


def test_few_and_fresh_captures_wait(parts: Parts, captures: Path) -> None:
    capture(captures, 100)
    assert compact_captures(parts) == []


@pytest.mark.parametrize(("size_bytes", "age_s"), [(ENOUGH_BYTES, 0.0), (1, LONG_ENOUGH_S + 1)])
def test_many_or_old_captures_are_compacted_by_one_job_at_a_time(
    parts: Parts, captures: Path, size_bytes: int, age_s: float
) -> None:
    capture(captures, size_bytes, age_s=age_s)
    (job_id,) = compact_captures(parts)
    assert compact_captures(parts) == []
    worked = claim(parts)
    order = CompactOrder.model_validate(start_attempt(parts, job_id, 1).args)
    assert (order.endpoint, order.captures_folder, order.segment, order.byte) == ("fraud", str(captures), 0, 0)
    assert (order.out_folder, order.retired) == (str(parts.home.captures / "fraud"), False)
    assert worked.post("compact", RESULT).job.status == "succeeded"


def test_a_replica_with_little_traffic_makes_a_file_an_hour(parts: Parts, captures: Path) -> None:
    def request(age_s: float) -> bytes:
        moment = datetime.fromtimestamp(time.time() - age_s, UTC).isoformat(timespec="microseconds")[:26]
        return b'{"v":1,"request_id":"a","received_at":"%bZ","rows":[]}\n' % moment.encode()

    path = captures / "00000001.jsonl"
    old, fresh = request(LONG_ENOUGH_S + 1), request(LONG_ENOUGH_S - 60)
    path.write_bytes(fresh * 2)
    assert compact_captures(parts) == []
    path.write_bytes(old + fresh)
    assert len(compact_captures(parts)) == 1
    claim(parts).post("compact", RESULT | {"byte": len(old)})
    assert compact_captures(parts) == []
    path.write_bytes(old * 2 + fresh)
    assert len(compact_captures(parts)) == 1


def test_what_a_retired_replica_left_is_compacted_at_once(parts: Parts, captures: Path) -> None:
    capture(captures, 100)
    assert compact_captures(parts) == []
    parts.writer.write_and_wait(stop_deployments)
    (job_id,) = compact_captures(parts)
    claim(parts)
    assert CompactOrder.model_validate(start_attempt(parts, job_id, 1).args).retired


def test_captures_are_compacted_well_before_their_limit(parts: Parts, captures: Path) -> None:
    tight = replace(
        parts,
        config=parts.config.model_copy(update={"capture": parts.config.capture.model_copy(update={"limit_mb": 8})}),
    )
    capture(captures, 3 * 1024 * 1024)
    assert compact_captures(parts) == []
    assert len(compact_captures(tight)) == 1


def test_compaction_goes_on_where_the_last_one_ended(parts: Parts, captures: Path) -> None:
    capture(captures, 10, age_s=LONG_ENOUGH_S + 1)
    compact_captures(parts)
    claim(parts).post("compact", RESULT)
    assert compact_captures(parts) == []
    capture(captures, 30, age_s=LONG_ENOUGH_S + 1)
    (job_id,) = compact_captures(parts)
    claim(parts)
    order = CompactOrder.model_validate(start_attempt(parts, job_id, 1).args)
    assert (order.segment, order.byte) == (1, 10)
    offset = parts.writer.write_and_wait(lambda tx: tx.get(CaptureOffset, (order.deployment, 0)))
    assert offset is not None
    assert (offset.rows, offset.dropped) == (5, 1)


def test_captures_that_another_job_compacted_are_not_counted_twice(parts: Parts, captures: Path) -> None:
    capture(captures, 10, age_s=LONG_ENOUGH_S + 1)
    compact_captures(parts)
    worked = claim(parts)

    def moved(tx: Tx) -> None:
        tx.add(CaptureOffset(deployment_id=1, replica=0, segment=1, byte=10))

    parts.writer.write_and_wait(moved)
    with pytest.raises(Fenced, match="by another job"):
        worked.post("compact", RESULT)


def test_after_a_failure_captures_are_left_alone_for_a_while(parts: Parts, captures: Path) -> None:
    capture(captures, 10, age_s=LONG_ENOUGH_S + 1)
    compact_captures(parts)
    failed(claim(parts))
    assert compact_captures(parts) == []


def test_other_things_below_the_serve_folder_are_no_captures(parts: Parts, captures: Path) -> None:
    for path in ("d-1/notes/captures/00000001.jsonl", "d-x/r00/captures/00000001.jsonl", "d-1/r00/captures/x.jsonl"):
        (parts.home.root / "serve" / path).parent.mkdir(parents=True, exist_ok=True)
        (parts.home.root / "serve" / path).write_bytes(b"x" * 10)
    (parts.home.root / "serve" / "d-77" / "r00" / "captures").mkdir(parents=True)
    capture(parts.home.root / "serve" / "d-77" / "r00" / "captures", ENOUGH_BYTES)
    assert compact_captures(parts, everything=True) == []


def failed(worked: Worked) -> None:
    def fail(tx: Tx) -> None:
        end_job(
            tx,
            ADA,
            running_attempt(tx, worked.job_id, worked.attempt),
            "failed",
            failure=Failure(code="x", message="y"),
        )

    worked.parts.writer.write_and_wait(fail)


def test_work_folders_go_with_their_jobs_and_stay_a_day_where_one_failed(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    train_project(parts, ADA, "fraud", TrainProject())
    second = claim(parts)
    failed(second)
    train_project(parts, ADA, "fraud", TrainProject())
    third = claim(parts)
    keep_house(parts)
    work = parts.home.root / "work"
    assert sorted(folder.name for folder in work.iterdir()) == [str(second.job_id), str(third.job_id)]
    assert (third.folder / "code" / "model.py").is_file()
    os.utime(work / str(second.job_id), (0, 0))
    keep_house(parts)
    assert [folder.name for folder in work.iterdir()] == [str(third.job_id)]


def test_the_folder_of_a_deployment_goes_once_it_is_over_and_its_captures_are_compacted(
    parts: Parts, captures: Path
) -> None:
    folder = captures.parent.parent
    old, newer = (parts.home.logs / "serve" / f"{folder.name}-r00.log{end}" for end in (".1", ""))
    for log in (old, newer):
        log.write_text("said")
    os.utime(old, (0, 0))
    keep_house(parts)
    assert (captures.is_dir(), old.is_file()) == (True, True)
    capture(captures, 100)
    parts.writer.write_and_wait(stop_deployments)
    keep_house(parts)
    assert (captures.is_dir(), old.is_file(), newer.is_file()) == (True, False, True)
    (captures / "00000001.jsonl").unlink()
    keep_house(parts)
    assert not folder.exists()


def stop_deployments(tx: Tx) -> None:
    for row in tx.all(Deployment):
        row.status, row.desired, row.weight = "stopped", "stopped", 0


def test_old_and_too_many_logs_go_oldest_first_but_none_of_a_job_that_is_not_over(tmp_path: Path) -> None:
    for job_id, age_s in ((1, 500.0), (2, 300.0), (3, 200.0), (4, 100.0)):
        path = tmp_path / f"{job_id}-1.log"
        path.write_bytes(b"x" * 10)
        os.utime(path, (1000.0 - age_s,) * 2)
    (tmp_path / "notes.txt").write_text("kept")
    remove_old_logs(list(tmp_path.iterdir()), {1: 1}, now_s=1000.0, kept_s=250.0, limit_bytes=25)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1-1.log", "4-1.log", "notes.txt"]


def test_the_logs_of_all_attempts_read_as_one(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    job = train_project(parts, ADA, "fraud", TrainProject()).job
    claim(parts)
    parts.home.job_log(job.id, 1).write_text("first ü\n", encoding="utf-8")
    page = read_log(parts, job.id)
    assert (page.text, page.next_offset, page.ended) == ("first ü\n", 9, False)
    text, offset = "", 0
    for _ in range(9):
        page = read_log(parts, job.id, offset=offset, limit=1)
        text, offset = text + page.text, page.next_offset
    assert text == "first ü\n"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_put_in_place_of_a_log_is_not_read(parts: Parts, tmp_path: Path, kind: str) -> None:
    add(parts, tmp_path)
    job = train_project(parts, ADA, "fraud", TrainProject()).job
    claim(parts)
    log = parts.home.job_log(job.id, 1)
    log.unlink(missing_ok=True)
    (tmp_path / "secret").write_text("a secret")
    {"link": lambda: log.symlink_to(tmp_path / "secret"), "pipe": lambda: os.mkfifo(log), "folder": log.mkdir}[kind]()
    page = read_log(parts, job.id)
    assert (page.text, page.next_offset) == ("", 0)


def test_a_log_has_ended_with_its_job(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    assert read_log(parts, 1).ended
    parts.home.job_log(1, 1).write_bytes(b"\xff\x1b[31m")
    page = read_log(parts, 1)
    assert (page.text, page.ended) == ("\ufffd\x1b[31m", True)
    assert not read_log(parts, 1, limit=4).ended
    assert get_job(parts.reader, 1).status == list_jobs(parts.reader).jobs[0].status == "succeeded"
