"""What the clock does for a model in production: when it looks, and when nobody sends anything any more."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes.core import ADA, claim
from fakes.looked import NOON, alarms, begin, capture, look, release, result, rewrite, serve, verbs

from engine.lifecycle.answer_alarm import close
from engine.lifecycle.fail_attempt import fail_attempt
from engine.lifecycle.keep_house import keep_house
from engine.lifecycle.parts import Parts
from engine.lifecycle.raise_silence import is_silent
from engine.lifecycle.sync_schedules import sync_all_schedules
from engine.lifecycle.watch_models import key_of, watch, watch_again, watch_model
from engine.registry.queries.fleet import get_fleet
from engine.registry.queries.jobs import list_jobs
from engine.registry.queries.schedules import ScheduleRow, read_schedules
from engine.registry.tables import CaptureFile, Deployment, Job, ScheduleRun, now
from engine.registry.tx import Tx
from engine.wire.base import Failure
from engine.wire.monitoring import AnswerAlarm
from engine.wire.work import ReportFailure

LINE = json.dumps({"v": 1, "request_id": "x", "columns": ["a"], "rows": [[1.0], [2.0]], "labels": [0, 1]}) + "\n"


@pytest.fixture
def deployment(parts: Parts, tmp_path: Path) -> int:
    made = serve(parts, tmp_path)
    sync_all_schedules(parts)
    return made


def schedule(parts: Parts) -> ScheduleRow:
    (row,) = [row for row in read_schedules(parts.reader) if row.kind == "check"]
    return row


def ring(parts: Parts, nominal_at: datetime = NOON) -> None:
    """What the clock does at a nominal time, and after its commit."""
    row = schedule(parts)

    def act(tx: Tx) -> object:
        tx.add(ScheduleRun(schedule_id=row.id, nominal_at=nominal_at, ran_at=now()))
        return watch(parts, tx, row, nominal_at)

    afterwards = parts.writer.write_and_wait(act)
    assert callable(afterwards)
    afterwards()


def jobs(parts: Parts) -> list[str]:
    """Kinds of the jobs that wait, oldest first."""
    return [job.kind for job in reversed(list_jobs(parts.reader, status="queued").jobs)]


def write_segment(parts: Parts, deployment: int, lines: int, *, age_s: float = 0.0) -> None:
    folder = parts.home.serve(deployment) / "r00" / "captures"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "00000001.jsonl").write_text(LINE * lines)
    at = datetime.now(UTC).timestamp() - age_s
    os.utime(folder / "00000001.jsonl", (at, at))


def test_a_model_is_watched_from_its_release_on_as_often_as_its_file_says(parts: Parts, tmp_path: Path) -> None:
    from fakes.core import add, train

    add(parts, tmp_path)
    sync_all_schedules(parts)
    assert [row.kind for row in read_schedules(parts.reader)] == []
    train(parts)
    release(parts)
    sync_all_schedules(parts)
    row = schedule(parts)
    assert (row.name, row.every, row.enabled) == ("check:fraud", "15m", True)
    sync_all_schedules(parts)
    assert verbs(parts, "schedule.") == ["schedule.changed"]
    rewrite(parts, tmp_path, '[watch]\nevery = "6h"\n')
    sync_all_schedules(parts)
    assert schedule(parts).every == "6h"
    text = (tmp_path / "mlops.toml").read_text()
    (tmp_path / "mlops.toml").write_text(text.replace('"6h"', '"never"'))
    rewrite(parts, tmp_path, "\n")
    sync_all_schedules(parts)
    assert not schedule(parts).enabled


def test_a_model_that_no_longer_serves_is_not_watched(parts: Parts, deployment: int) -> None:
    def end(tx: Tx) -> None:
        row = tx.get(Deployment, deployment)
        assert row is not None
        row.status = "stopped"

    parts.writer.write_and_wait(end)
    keep_house(parts)
    assert not schedule(parts).enabled


def test_no_worker_is_started_for_too_few_rows(parts: Parts, deployment: int) -> None:
    capture(parts, 499)
    ring(parts)
    assert jobs(parts) == []


def test_enough_rows_are_looked_at_once_for_a_nominal_time(parts: Parts, deployment: int) -> None:
    capture(parts, 500)
    ring(parts)
    assert jobs(parts) == ["check"]
    watch_again(parts)
    assert jobs(parts) == ["check"]
    worked, work = begin(parts)
    assert work.args["checks_per_year"] == 365 * 24 * 4
    ring(parts, NOON + timedelta(minutes=15))
    # The one that runs has settled what it looks at.
    assert jobs(parts) == ["check"] and worked.job_id != list_jobs(parts.reader).jobs[0].id


def test_a_check_that_waits_is_not_joined_by_another(parts: Parts, deployment: int) -> None:
    capture(parts, 500)
    ring(parts)
    ring(parts, NOON + timedelta(minutes=15))
    assert jobs(parts) == ["check"]


def test_an_engine_that_died_after_the_nominal_time_was_written_looks_when_it_is_back(
    parts: Parts, deployment: int
) -> None:
    capture(parts, 500)
    row = schedule(parts)
    parts.writer.write_and_wait(lambda tx: tx.add(ScheduleRun(schedule_id=row.id, nominal_at=NOON, ran_at=now())))
    watch_again(parts)
    watch_again(parts)
    keys = parts.writer.write_and_wait(lambda tx: [job.key for job in tx.all(Job, Job.kind == "check")])
    assert keys == [key_of(row.id, NOON)]


def test_rows_that_are_not_compacted_count_and_are_compacted_first(parts: Parts, deployment: int) -> None:
    capture(parts, 300)
    write_segment(parts, deployment, 99)
    ring(parts)
    assert jobs(parts) == []
    write_segment(parts, deployment, 100)
    ring(parts, NOON + timedelta(minutes=15))
    assert jobs(parts) == ["compact", "check"]
    assert claim(parts).job_id == list_jobs(parts.reader).jobs[1].id
    # Whatever reads captures waits until those before it are compacted.
    assert jobs(parts) == ["check"]
    with pytest.raises(AssertionError, match="no job may start"):
        claim(parts)


def test_a_damaged_segment_is_guessed_at_by_its_size(parts: Parts, deployment: int) -> None:
    write_segment(parts, deployment, 0)
    path = parts.home.serve(deployment) / "r00" / "captures" / "00000001.jsonl"
    path.write_bytes(b"[" * 9_999)
    ring(parts)
    assert jobs(parts) == []
    path.write_bytes(b"[" * 10_000)
    ring(parts, NOON + timedelta(minutes=15))
    assert jobs(parts) == ["compact", "check"]


def test_an_endpoint_that_falls_silent_is_told_of_until_traffic_is_back(parts: Parts, deployment: int) -> None:
    long_ago = now() - timedelta(hours=30)
    capture(parts, 100, at=long_ago - timedelta(hours=5))
    capture(parts, 100, at=long_ago)
    for number in range(2):
        ring(parts, NOON + timedelta(minutes=15 * number))
    (alarm,) = alarms(parts)
    assert (alarm.kind, alarm.status, alarm.times_seen) == ("silence", "open", 2)
    assert "for 30 hours" in alarm.message and "was 5 hours" in alarm.message
    write_segment(parts, deployment, 1)
    ring(parts, NOON + timedelta(hours=1))
    (alarm,) = alarms(parts)
    assert (alarm.status, alarm.note) == ("closed", "traffic is back")


def test_an_endpoint_that_sleeps_at_weekends_is_not_silent(parts: Parts, deployment: int) -> None:
    last = now() - timedelta(hours=40)
    capture(parts, 100, at=last - timedelta(hours=60))
    capture(parts, 100, at=last)
    ring(parts)
    assert alarms(parts) == []
    assert is_silent(200 * 3600.0, 86_400.0, 60 * 3600.0)


def test_an_endpoint_that_never_had_traffic_is_not_silent(parts: Parts, deployment: int) -> None:
    ring(parts)
    assert alarms(parts) == []


def test_a_silence_that_is_expected_is_told_once(parts: Parts, deployment: int) -> None:
    capture(parts, 100, at=now() - timedelta(hours=30))
    ring(parts)
    close(parts, ADA, 1, AnswerAlarm(note="the shop is closed"))
    ring(parts, NOON + timedelta(minutes=15))
    assert [alarm.status for alarm in alarms(parts)] == ["closed"]


def test_captures_that_are_compacted_end_a_silence_at_once(parts: Parts, deployment: int) -> None:
    capture(parts, 100, at=now() - timedelta(hours=30))
    ring(parts)
    write_segment(parts, deployment, 5)
    watch_model(parts, 1, "by hand")
    assert alarms(parts)[0].status == "closed"


def test_files_that_a_compaction_wrote_are_known_with_their_version(parts: Parts, deployment: int) -> None:
    from engine.errors import InvalidInput
    from engine.lifecycle.compact_captures import compact_captures

    write_segment(parts, deployment, 5)
    compact_captures(parts, everything=True)
    worked = claim(parts)
    written = {
        "name": f"d{deployment}-r00-00000000-0-to-00000002-0.parquet", "version": 77, "rows": 10, "size_bytes": 99,
        "first_received_at": NOON.isoformat(), "last_received_at": NOON.isoformat(), "first_event_at": None,
        "last_event_at": None,
    }  # fmt: skip
    told = {
        "segment": 2, "byte": 0, "rows": 10, "requests": 5, "duplicates": 0, "damaged_lines": 0, "dropped": 0,
        "files": [written["name"]], "written": [written | {"name": "../d1-r00-1-0-to-2-0.parquet"}],
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="no file of these captures"):
        worked.post("compact", told)
    worked.post("compact", told | {"written": [written]})
    (row,) = parts.writer.write_and_wait(lambda tx: tx.all(CaptureFile))
    assert (row.version, row.rows, row.name, row.last_received_at) == (1, 10, written["name"], NOON)


def test_a_scheduled_check_is_poked_awake(parts: Parts, deployment: int) -> None:
    poked: list[str] = []
    watched = replace(parts, poke_jobs=lambda: poked.append("jobs"))
    capture(watched, 500)
    ring(watched)
    assert poked == ["jobs"]
    assert look(parts, rows=10).outcome == "insufficient"


def test_a_check_says_that_it_waits_for_captures_to_be_compacted(parts: Parts, deployment: int) -> None:
    write_segment(parts, deployment, 300)
    ring(parts)
    check, compact = list_jobs(parts.reader, status="queued").jobs
    assert check.waits_for == f"job {compact.id}, which compacts captures"


def test_a_watch_that_fails_calls_for_somebody(parts: Parts, deployment: int) -> None:
    capture(parts, 500, at=now())
    ring(parts)
    worked, _ = begin(parts)
    why = Failure(code="bad_data", message="The profile cannot be read.")
    fail_attempt(parts, worked.job_id, worked.attempt, ReportFailure(failure=why))
    assert get_fleet(parts.reader).rows[0].needs == "check failed: The profile cannot be read."
    ring(parts, NOON + timedelta(minutes=15))
    worked, _ = begin(parts)
    worked.post("check", result(worked))
    assert get_fleet(parts.reader).rows[0].needs == ""
