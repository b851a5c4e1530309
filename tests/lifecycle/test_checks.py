"""What a check looks at, what it stores, and that it counts once."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.core import ADA, BEN, claim, train
from fakes.looked import NOON, alarms, begin, capture, figures, look, release, result, rewrite, serve, verbs

from engine.errors import Conflict, Fenced, Forbidden, InvalidInput, NotFound
from engine.lifecycle.caller import Caller
from engine.lifecycle.check_model import check_model
from engine.lifecycle.parts import Parts
from engine.lifecycle.read_drift import read_drift
from engine.lifecycle.start_attempt import start_attempt
from engine.registry.queries.checks import checked_until, get_check, list_checks, waiting_rows
from engine.registry.queries.jobs import get_job
from engine.registry.queue import enqueue, retry_or_fail
from engine.registry.tables import CaptureFile, CaptureOffset, Job, Project
from engine.registry.tx import Tx
from engine.wire.base import Failure
from engine.wire.monitoring import AskCheck
from engine.wire.work import CheckOrder


@pytest.fixture
def project(parts: Parts, tmp_path: Path) -> int:
    """A live model; its project's id."""
    serve(parts, tmp_path)
    found = parts.writer.write_and_wait(lambda tx: tx.first(Project, Project.name == "fraud"))
    assert found is not None and found.id is not None
    return found.id


def order(parts: Parts) -> CheckOrder:
    _, work = begin(parts)
    return CheckOrder.model_validate(work.args)


def test_a_check_looks_at_what_came_after_the_one_before(parts: Parts, project: int) -> None:
    first = capture(parts, 600)
    assert look(parts, rows=700).rows == 700
    last = capture(parts, 800)
    check_model(parts, ADA, "fraud", AskCheck())
    told = order(parts)
    assert (told.after_file, told.until_file) == (first + 1, last)
    assert told.capture_files == [f"d1-r00-{last - 1:08d}-0-to-{last:08d}-0.parquet"]
    assert (told.version, told.source, told.alarms_per_year) == (1, "captures", 1.0)


def test_too_few_rows_wait_for_more(parts: Parts, project: int) -> None:
    check = look(parts, rows=200)
    assert (check.outcome, check.threshold, check.figures) == ("insufficient", None, [])
    assert (checked_until(parts.reader, project), waiting_rows(parts.reader, project)) == (0, 200)
    assert verbs(parts, "alarm.") == []


def test_a_check_stores_what_it_measured_and_what_it_took(parts: Parts, project: int) -> None:
    check = look(parts, ["b"])
    assert (check.outcome, check.drifted, [one.column for one in check.figures]) == ("alarm", ["b"], ["b", "a", "c"])
    assert check.threshold is not None and check.threshold.smallest_distance is not None
    assert check.threshold.checks_per_year == 365 * 24 * 4
    drift = read_drift(parts, "fraud", {})
    assert drift.check == check and drift.distributions[0].current == [0.1, 0.9]
    assert drift.history == {"a": [0.02], "b": [0.4], "c": [0.02]}


def test_a_check_that_is_over_keeps_no_list_of_what_it_read(parts: Parts, project: int) -> None:
    kept = parts.writer.write_and_wait(lambda tx: tx.get(Job, check.job_id)) if (check := look(parts)) else None
    assert kept is not None
    assert kept.args["until_file"] == kept.args["after_file"] + 1
    assert {"capture_files", "bundle", "labels", "predictions"}.isdisjoint(kept.args)


def test_captures_of_other_versions_are_passed_over(parts: Parts, project: int) -> None:
    capture(parts, 600, version=2)
    ours, theirs = capture(parts, 600), capture(parts, 600, version=2)
    check_model(parts, ADA, "fraud", AskCheck())
    told = order(parts)
    assert (len(told.capture_files), told.until_file) == (1, theirs)
    assert told.capture_files[0].startswith(f"d1-r00-{ours - 1:08d}")
    assert waiting_rows(parts.reader, project) == 600


def test_captures_that_retention_removed_are_not_asked_for(parts: Parts, project: int) -> None:
    gone = capture(parts, 600)
    there = capture(parts, 600)

    def remove(tx: Tx) -> None:
        row = tx.get(CaptureFile, gone)
        assert row is not None
        row.deleted_at = NOON

    parts.writer.write_and_wait(remove)
    check_model(parts, ADA, "fraud", AskCheck())
    told = order(parts)
    assert (len(told.capture_files), told.until_file) == (1, there)


def test_an_attempt_after_a_crash_does_the_same_work(parts: Parts, project: int) -> None:
    capture(parts, 600)
    job = check_model(parts, ADA, "fraud", AskCheck())
    first = order(parts)
    capture(parts, 600)

    def die(tx: Tx) -> None:
        row = tx.get(Job, job.id)
        assert row is not None
        retry_or_fail(tx, row, Failure(code="worker_died", message="It was killed."))

    parts.writer.write_and_wait(die)
    assert order(parts) == first


def test_the_same_result_sent_twice_is_one_check(parts: Parts, project: int) -> None:
    capture(parts, 1000)
    check_model(parts, ADA, "fraud", AskCheck())
    worked, _ = begin(parts)
    told = result(worked, ["a"])
    assert worked.post("check", told).job.result == worked.post("check", told).job.result
    assert len(list_checks(parts.reader, "fraud").checks) == 1
    assert verbs(parts, "alarm.") == ["alarm.opened"]


def test_a_late_worker_opens_no_alarm(parts: Parts, project: int) -> None:
    capture(parts, 1000)
    check_model(parts, ADA, "fraud", AskCheck())
    worked, _ = begin(parts)

    def die(tx: Tx) -> None:
        row = tx.get(Job, worked.job_id)
        assert row is not None
        retry_or_fail(tx, row, Failure(code="worker_died", message="It was killed."))

    parts.writer.write_and_wait(die)
    begin(parts)
    with pytest.raises(Fenced):
        worked.post("check", result(worked, ["a"]), attempt=1)
    assert alarms(parts) == []


def test_who_asks_while_one_waits_is_answered_with_that_one(parts: Parts, project: int) -> None:
    first = check_model(parts, ADA, "fraud", AskCheck())
    assert check_model(parts, BEN, "fraud", AskCheck()).id == first.id
    begin(parts)
    # The one that runs has settled what it looks at; what came since is for the next.
    assert check_model(parts, ADA, "fraud", AskCheck()).id != first.id


def test_a_model_that_never_served_is_not_looked_at(parts: Parts, tmp_path: Path) -> None:
    from fakes.core import add

    add(parts, tmp_path)
    train(parts)
    with pytest.raises(Conflict, match="Nothing of fraud serves yet"):
        check_model(parts, ADA, "fraud", AskCheck())
    with pytest.raises(NotFound, match="no project"):
        check_model(parts, ADA, "nobody", AskCheck())
    with pytest.raises(Forbidden):
        check_model(parts, Caller("eve", 1, "viewer"), "fraud", AskCheck())
    assert "serves yet" in read_drift(parts, "fraud", {}).note


def test_a_check_whose_project_file_is_gone_wrong_fails_with_the_reason(parts: Parts, project: int) -> None:
    job = check_model(parts, ADA, "fraud", AskCheck())

    def unmake(tx: Tx) -> None:
        row = tx.get(Project, project)
        assert row is not None
        row.revision_id = None

    parts.writer.write_and_wait(unmake)
    worked = claim(parts)
    with pytest.raises(Fenced, match="not stored"):
        start_attempt(parts, worked.job_id, worked.attempt)
    ended = get_job(parts.reader, job.id)
    assert ended.status == "failed" and ended.failure is not None and "not stored" in ended.failure.message


def test_a_file_that_somebody_gave_raises_no_alarm_and_moves_no_offset(parts: Parts, project: int) -> None:
    sha256 = parts.blobs.put(b"a,b,c\n").sha256

    def known(tx: Tx) -> None:
        from engine.blobs.store import Stored
        from engine.lifecycle.stored_blobs import record_blobs

        record_blobs(tx, [Stored(sha256, 6)])

    with pytest.raises(NotFound, match="not uploaded"):
        check_model(parts, ADA, "fraud", AskCheck(data_sha256=sha256, data_name="rows.csv"))
    parts.writer.write_and_wait(known)
    capture(parts, 600)
    check_model(parts, ADA, "fraud", AskCheck(data_sha256=sha256, data_name="rows.csv"))
    worked, work = begin(parts)
    told = CheckOrder.model_validate(work.args)
    assert (told.source, told.data_sha256, told.data_name, told.capture_files) == ("data", sha256, "rows.csv", [])
    done = worked.post("check", result(worked, ["a"])).job
    assert get_check(parts.reader, "fraud", done.result["check"]).outcome == "alarm"
    assert (alarms(parts), checked_until(parts.reader, project)) == ([], 0)
    assert read_drift(parts, "fraud", {}).check is None


def test_a_check_of_a_version_that_no_longer_reigns_raises_no_alarm(parts: Parts, project: int) -> None:
    capture(parts, 1000)
    check_model(parts, ADA, "fraud", AskCheck())
    worked, _ = begin(parts)
    train(parts, champion="fraud@1")
    release(parts)
    done = worked.post("check", result(worked, ["a"])).job
    assert done.result["outcome"] == "alarm" and alarms(parts) == []


def test_an_answer_called_as_a_column_is_has_figures_of_its_own(parts: Parts, project: int) -> None:
    capture(parts, 1000)
    check_model(parts, ADA, "fraud", AskCheck())
    worked, _ = begin(parts)
    told = result(worked)
    told["columns"].append(figures("a", kind="prediction"))
    done = worked.post("check", told).job
    found = get_check(parts.reader, "fraud", done.result["check"])
    assert {one.column: one.kind for one in found.figures}["answer a"] == "prediction"


def test_a_result_that_is_none_is_refused(parts: Parts, project: int) -> None:
    check_model(parts, ADA, "fraud", AskCheck())
    worked, _ = begin(parts)
    with pytest.raises(InvalidInput, match="step check"):
        worked.post("check", {"rows": "many"})


def test_looks_by_hand_share_the_budget_of_daily_ones_at_least(parts: Parts, tmp_path: Path) -> None:
    serve(parts, tmp_path, extra='[watch]\nevery = "7d"\nalarms_per_year = 3\n')
    check_model(parts, ADA, "fraud", AskCheck())
    told = order(parts)
    assert (told.alarms_per_year, told.checks_per_year) == (3.0, 365.0)


def test_labels_that_came_are_looked_at_with_the_captures(parts: Parts, project: int) -> None:
    from engine.registry.tables import LabelFile

    def label(tx: Tx) -> None:
        job = enqueue(tx, ADA, "label", project_id=project)
        job.status = "succeeded"
        tx.add(
            LabelFile(
                project_id=project, job_id=job.id, name="J1.parquet", rows=1, counts={}, created_at=NOON,
                created_by="ada",
            )
        )  # fmt: skip

    check_model(parts, ADA, "fraud", AskCheck())
    assert order(parts).labels is None
    parts.writer.write_and_wait(label)
    check_model(parts, ADA, "fraud", AskCheck())
    parts.writer.write_and_wait(lambda tx: setattr(tx.first(Job, Job.status == "running"), "status", "cancelled"))
    told = order(parts).labels
    assert told is not None and told.fresh.label_files == ["J1.parquet"]
    assert set(told.promised) == {"1"}


def test_the_project_file_is_the_newest_one(parts: Parts, tmp_path: Path) -> None:
    serve(parts, tmp_path)
    rewrite(parts, tmp_path, "[watch]\nalarms_per_year = 12\n")
    check_model(parts, ADA, "fraud", AskCheck())
    assert order(parts).alarms_per_year == 12.0


def test_pages_of_checks_follow_one_another(parts: Parts, project: int) -> None:
    ids = [look(parts).id for _ in range(3)]
    first = list_checks(parts.reader, "fraud", limit=2)
    assert [check.id for check in first.checks] == ids[:0:-1] and first.next_before == ids[1]
    assert [check.id for check in list_checks(parts.reader, "fraud", before=ids[1]).checks] == ids[:1]
    with pytest.raises(NotFound):
        get_check(parts.reader, "fraud", 99)


def test_answers_that_could_not_be_captured_are_told_to_the_next_check_once(parts: Parts, project: int) -> None:
    def drop(tx: Tx, number: int) -> None:
        row = tx.get(CaptureOffset, (1, 0)) or tx.add(CaptureOffset(deployment_id=1, replica=0))
        row.dropped += number

    parts.writer.write_and_wait(lambda tx: drop(tx, 5))
    look(parts)
    parts.writer.write_and_wait(lambda tx: drop(tx, 7))
    check_model(parts, ADA, "fraud", AskCheck())
    assert order(parts).dropped == 7


def test_a_fault_of_no_column_is_named_by_itself(parts: Parts, project: int) -> None:
    told = {"fault": "dropped", "column": "", "message": "900 answers of 1,900 could not be captured.", "share": 0.47}
    look(parts, (), [told])
    assert [alarm.subject for alarm in alarms(parts)] == ["dropped"]
