"""What grows by itself is kept by age and size, the oldest goes first, and nothing goes that is still needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.core import ADA, add, sha256, train

from engine.lifecycle.keep_house import keep_house
from engine.lifecycle.parts import Parts
from engine.lifecycle.retain_captures import Removed, retain_captures
from engine.lifecycle.retain_checks import retain_checks
from engine.lifecycle.stored_blobs import record_blobs
from engine.lifecycle.verify_registry import verify_registry
from engine.registry.queries.events import list_events
from engine.registry.queue import enqueue
from engine.registry.tables import Alarm, CaptureFile, CheckFigure, Job, ModelCheck, Retrain, Schedule, now
from engine.registry.tx import Tx, col
from engine.settings import Config, Retention

MB = 1 << 20
AT = now()


def days_ago(days: float) -> datetime:
    return AT - timedelta(days=days)


def keeping(parts: Parts, **limits: int) -> Parts:
    """The same with other limits."""
    return replace(parts, config=Config(retention=Retention(**limits)))


@pytest.fixture
def fraud(parts: Parts, tmp_path: Path) -> Parts:
    """With a project that has a version."""
    add(parts, tmp_path)
    train(parts)
    (parts.home.captures / "fraud").mkdir()
    return parts


def capture(parts: Parts, name: str, age_days: float, size_bytes: int = 4, **other: Any) -> None:
    """A compacted file whose newest row is so old."""
    (parts.home.captures / "fraud" / name).write_bytes(b"rows")

    def record(tx: Tx) -> None:
        tx.add(
            CaptureFile(
                project_id=1, name=name, version=1, rows=1, size_bytes=size_bytes, created_at=AT,
                last_received_at=days_ago(age_days), **other,
            )
        )  # fmt: skip

    parts.writer.write_and_wait(record)


def left(parts: Parts) -> list[str]:
    """Files on the disk, which are those whose rows are not marked."""
    there = sorted(path.name for path in (parts.home.captures / "fraud").iterdir())
    rows = parts.writer.write_and_wait(lambda tx: tx.all(CaptureFile, col(CaptureFile.deleted_at).is_(None)))
    assert sorted(row.name for row in rows) == there
    return there


def write(parts: Parts, *rows: Any) -> None:
    def record(tx: Tx) -> None:
        for row in rows:
            tx.add(row)

    parts.writer.write_and_wait(record)


def check(number: int, age_days: float = 0.0, **other: Any) -> ModelCheck:
    told: dict[str, Any] = {"source": "captures", "outcome": "quiet", "rows": 1, "drifted": [], "findings": []}
    return ModelCheck(
        project_id=1, version_id=1, job_id=number, threshold={}, created_at=days_ago(age_days), created_by="engine",
        **(told | other),
    )  # fmt: skip


def test_captures_past_their_age_go_and_their_rows_stay(fraud: Parts) -> None:
    capture(fraud, "a", 100)
    capture(fraud, "b", 91)
    capture(fraud, "c", 89)
    assert retain_captures(fraud, AT) == Removed(2, 8)
    assert left(fraud) == ["c"]
    rows = fraud.writer.write_and_wait(lambda tx: tx.all(CaptureFile, oldest=col(CaptureFile.id)))
    assert [row.deleted_at is not None for row in rows] == [True, True, False]
    assert retain_captures(fraud, AT) == Removed()


def test_the_oldest_go_while_all_are_too_large(fraud: Parts) -> None:
    for name, age_days in (("young", 1), ("old", 3), ("older", 4), ("middle", 2)):
        capture(fraud, name, age_days, 3 * MB)
    assert retain_captures(keeping(fraud, captures_mb=7), AT).count == 2
    assert left(fraud) == ["middle", "young"]


def watched(tx: Tx) -> None:
    tx.add(Schedule(name="check:fraud", kind="check", project_id=1, every="15m", created_at=AT))


def test_captures_that_wait_for_a_check_stay_however_old_and_many(fraud: Parts) -> None:
    for name in ("a", "b", "c"):
        capture(fraud, name, 200, 5 * MB)
    fraud.writer.write_and_wait(watched)
    tight = keeping(fraud, captures_mb=1)
    assert retain_captures(tight, AT) == Removed()
    write(fraud, check(7, after_file=0, until_file=2), check(8, source="data"))
    retain_captures(tight, AT)
    assert left(fraud) == ["c"]


def test_captures_of_a_model_that_nobody_watches_wait_for_nothing(fraud: Parts) -> None:
    capture(fraud, "a", 200)
    fraud.writer.write_and_wait(watched)

    def switch_off(tx: Tx) -> None:
        for row in tx.all(Schedule, Schedule.kind == "check"):
            row.enabled = False

    fraud.writer.write_and_wait(switch_off)
    assert retain_captures(fraud, AT).count == 1


@pytest.mark.parametrize(("status", "kept"), [("waiting", ["b"]), ("blocked", ["b"]), ("done", [])])
def test_rows_on_which_a_retrain_will_be_judged_stay(fraud: Parts, status: str, kept: list[str]) -> None:
    capture(fraud, "a", 120, last_event_at=days_ago(130))
    capture(fraud, "b", 100, last_event_at=days_ago(110))
    write(
        fraud,
        Retrain(
            project_id=1, cause_key="alarm:1", trigger="drift", status=status, reason="", judge_after=days_ago(120),
            created_at=AT, created_by="engine",
        ),
    )  # fmt: skip
    retain_captures(fraud, AT)
    assert left(fraud) == kept


@pytest.mark.parametrize(
    ("kind", "status", "stays"),
    [
        ("label", "queued", True),
        ("check", "running", True),
        ("train", "queued", True),
        ("compact", "running", True),
        ("compact", "queued", False),
        ("label", "succeeded", False),
    ],
)
def test_nothing_goes_from_under_a_job_that_reads_it(fraud: Parts, kind: Any, status: str, stays: bool) -> None:
    capture(fraud, "a", 100)

    def begin(tx: Tx) -> None:
        job = enqueue(tx, ADA, kind, project_id=1)
        job.status = status

    fraud.writer.write_and_wait(begin)
    retain_captures(fraud, AT)
    assert (left(fraud) == ["a"]) is stays


def with_figures(parts: Parts, number: int, age_days: float, content: bytes) -> None:
    stored = parts.blobs.put(content)
    parts.writer.write_and_wait(lambda tx: record_blobs(tx, [stored]))
    write(parts, check(number, age_days, figures_sha256=stored.sha256))
    figure = CheckFigure(check_id=number, column="amount", kind="number", drifted=False)
    write(parts, figure)
    import os

    os.utime(parts.blobs.path(stored.sha256), (days_ago(age_days).timestamp(),) * 2)


def figures(parts: Parts) -> dict[int, tuple[bool, int]]:
    """Whether a check has its distributions, and how many columns."""

    def read(tx: Tx) -> dict[int, tuple[bool, int]]:
        return {
            row.id or 0: (row.figures_sha256 is not None, tx.count(CheckFigure, CheckFigure.check_id == row.id))
            for row in tx.all(ModelCheck)
        }

    return parts.writer.write_and_wait(read)


def test_figures_of_old_checks_go_with_their_files_and_the_checks_stay(fraud: Parts) -> None:
    for number, age_days in ((1, 400), (2, 380), (3, 10)):
        with_figures(fraud, number, age_days, b"figures %d" % number)
    assert retain_checks(fraud, AT) == Removed(2, 18)
    assert figures(fraud) == {1: (False, 0), 2: (False, 0), 3: (True, 1)}
    assert not fraud.blobs.has(sha256(b"figures 1"))
    assert fraud.blobs.has(sha256(b"figures 3"))
    assert verify_registry(fraud, ADA).missing == []


def test_the_newest_check_and_one_whose_alarm_is_open_keep_their_figures(fraud: Parts) -> None:
    for number in (1, 2, 3):
        with_figures(fraud, number, 500 - number, b"figures %d" % number)
    write(
        fraud,
        Alarm(
            project_id=1, kind="drift", status="open", version=1, subject="amount", message="", hint="", evidence={},
            check_id=1, opened_at=AT, last_seen_at=AT,
        ),
    )  # fmt: skip
    retain_checks(fraud, AT)
    assert {number: has for number, (has, _) in figures(fraud).items()} == {1: True, 2: False, 3: True}


def test_the_oldest_figures_go_while_all_are_too_large(fraud: Parts) -> None:
    for number in (1, 2, 3):
        with_figures(fraud, number, 10 - number, b"%d" % number * MB)
    assert retain_checks(keeping(fraud, checks_mb=2), AT).count == 1
    assert {number: has for number, (has, _) in figures(fraud).items()} == {1: False, 2: True, 3: True}


def test_figures_that_another_check_shares_keep_their_file(fraud: Parts) -> None:
    for number, age_days in ((1, 400), (2, 10)):
        with_figures(fraud, number, age_days, b"the same")
    retain_checks(fraud, AT)
    assert fraud.blobs.has(sha256(b"the same"))


def test_a_round_of_housekeeping_tells_once_what_it_removed(fraud: Parts) -> None:
    capture(fraud, "a", 100)
    log = fraud.home.job_log(1, 1)
    log.write_text("said")
    import os

    os.utime(log, (0, 0))
    keep_house(fraud)
    keep_house(fraud)
    (told,) = list_events(fraud.reader, verb="retention.applied").events
    assert told.evidence == {
        "captures": {"count": 1, "size_bytes": 4},
        "logs": {"count": 1, "size_bytes": 4},
    }
    assert (left(fraud), log.exists()) == ([], False)


def test_nothing_old_goes_while_a_backup_copies_it(fraud: Parts) -> None:
    capture(fraud, "a", 100)
    with fraud.removal:
        keep_house(fraud)
        assert left(fraud) == ["a"]
    keep_house(fraud)
    assert left(fraud) == []


def test_logs_are_kept_as_the_settings_say(fraud: Parts) -> None:
    log = fraud.home.job_log(1, 1)
    log.write_bytes(b"x" * 2 * MB)
    keep_house(fraud)
    assert log.exists()
    keep_house(keeping(fraud, logs_mb=1))
    assert not log.exists()


def test_a_job_that_is_over_needs_nothing(fraud: Parts) -> None:
    capture(fraud, "a", 100)
    jobs = fraud.writer.write_and_wait(lambda tx: tx.all(Job))
    assert {job.status for job in jobs} == {"succeeded"}
    assert retain_captures(fraud, AT).count == 1
