"""A training job from the queue to a version: at least once to run, exactly once in effect."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fakes.core import ADA, CY, Worked, add, claim, go_live, sha256, train

from engine.errors import Conflict, DamagedBlob, Fenced, InvalidInput, NotFound
from engine.lifecycle.cancel_job import cancel_job
from engine.lifecycle.deploy_version import deploy_version
from engine.lifecycle.fail_attempt import fail_attempt
from engine.lifecycle.finish_step import _PREPARE
from engine.lifecycle.parts import Parts
from engine.lifecycle.report_progress import report_progress
from engine.lifecycle.start_attempt import start_attempt
from engine.lifecycle.steps.step import Apply, Posted
from engine.lifecycle.train_project import train_project
from engine.lifecycle.verify_registry import verify_registry
from engine.registry.queries.events import list_events
from engine.registry.queries.fleet import get_fleet
from engine.registry.queries.jobs import get_job, list_jobs
from engine.registry.queries.models import get_version, list_versions
from engine.registry.queries.runs import get_curves, get_run
from engine.registry.queries.snapshots import list_snapshots
from engine.registry.queue import retry_or_fail
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.wire.base import Failure
from engine.wire.endpoints import Deploy
from engine.wire.projects import TrainProject
from engine.wire.runs import CurvePoint
from engine.wire.work import TRAIN_STEPS, ReportFailure, ReportProgress


@pytest.fixture
def worked(parts: Parts, tmp_path: Path) -> Worked:
    add(parts, tmp_path)
    train_project(parts, ADA, "fraud", TrainProject(reason="first"))
    return claim(parts)


def die(worked: Worked) -> None:
    """The worker is gone without its result."""

    def gone(tx: Tx) -> None:
        job = tx.get(Job, worked.job_id)
        assert job is not None
        retry_or_fail(tx, job, Failure(code="worker_died", message="The worker was killed by SIGKILL."))

    worked.parts.writer.write_and_wait(gone)


def verbs(parts: Parts) -> list[str]:
    return [event.verb for event in list_events(parts.reader, limit=1000).events]


def test_a_run_becomes_a_version_with_its_lineage(worked: Worked) -> None:
    parts = worked.parts
    answer = worked.finish()
    assert (answer.job.status, answer.job.result) == ("succeeded", {"version": 1, "verdict": "pass"})
    version = get_version(parts.reader, "fraud", 1)
    assert (version.verdict.outcome, version.lineage.candidate, version.lineage.params) == ("pass", "trees", {"n": 9})
    assert (version.target, version.classes, version.threshold, version.id_column) == ("y", [0, 1], 0.4, "id")
    assert version.lineage.snapshot_sha256 == sha256(b"rows")
    assert (version.lineage.reason, version.lineage.by, version.metrics) == ("first", "ada", {"average_precision": 0.7})
    run = get_run(parts.reader, worked.run_id)
    assert (run.status, run.verdict, run.version) == ("succeeded", "pass", 1)
    assert run.metrics == {"roc_auc": 0.9, "test.average_precision": 0.7}
    assert [(candidate.name, candidate.best) for candidate in run.candidates] == [("linear", False), ("trees", True)]
    checked = verify_registry(parts, ADA)
    assert (checked.broken_event, checked.damaged, checked.missing) == (None, [], [])
    assert checked.blobs >= 6


@pytest.mark.parametrize(("judged", "outcome"), [({"lower": -0.1}, "insufficient"), ({"rows": 3}, "insufficient")])
def test_a_version_is_registered_whatever_the_verdict(worked: Worked, judged: dict[str, Any], outcome: str) -> None:
    assert worked.finish(**judged).job.result["verdict"] == outcome
    assert get_version(worked.parts.reader, "fraud", 1).verdict.outcome == outcome


def test_a_step_sent_twice_counts_once(worked: Worked) -> None:
    first = worked.finish()
    events = verbs(worked.parts)
    for step in ("snapshot", "fit", "package", "judge"):
        again = worked.post(step, {"anything": "at all"})
        assert again.finished and again.job == first.job
    assert verbs(worked.parts) == events
    assert len(list_versions(worked.parts.reader, "fraud").versions) == 1


@pytest.mark.parametrize("step", ["snapshot", "judge"])
def test_a_step_sent_again_while_the_first_is_still_at_work_counts_once(
    worked: Worked, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    for before in TRAIN_STEPS[: TRAIN_STEPS.index(step)]:
        worked.post(before, getattr(worked, before)())
    result = getattr(worked, step)()
    both_read = threading.Barrier(2)
    prepare = _PREPARE[step]

    def prepared_by_both(parts: Parts, posted: Posted) -> Apply:
        apply = prepare(parts, posted)
        both_read.wait(timeout=30)
        return apply

    monkeypatch.setitem(_PREPARE, step, prepared_by_both)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: worked.post(step, result), range(2)))
    assert answers[0] == answers[1]
    assert verbs(worked.parts).count("snapshot.taken" if step == "snapshot" else "version.registered") == 1


def test_steps_come_in_their_order(worked: Worked) -> None:
    with pytest.raises(Conflict, match="comes after snapshot"):
        worked.post("fit", worked.fit())
    with pytest.raises(InvalidInput, match="no step 'compact'"):
        worked.post("compact", {})


def test_a_late_worker_cannot_finish_a_step(worked: Worked) -> None:
    worked.post("snapshot", worked.snapshot())
    die(worked)
    late = worked.fit()
    with pytest.raises(Fenced):
        worked.post("fit", late)
    second = claim(worked.parts)
    assert second.attempt == 2
    for call in (
        lambda: worked.post("fit", late),
        lambda: worked.post("snapshot", {}),
        lambda: report_progress(worked.parts, worked.job_id, 1, ReportProgress(fraction=0.5)),
        lambda: start_attempt(worked.parts, worked.job_id, 1),
        lambda: fail_attempt(worked.parts, worked.job_id, 1, ReportFailure(failure=Failure(code="x", message="y"))),
    ):
        with pytest.raises(Fenced):
            call()
    assert get_job(worked.parts.reader, worked.job_id).status == "running"


def test_a_later_attempt_goes_on_after_the_last_finished_step(worked: Worked) -> None:
    snapshot = worked.snapshot()
    worked.post("snapshot", snapshot)
    die(worked)
    second = claim(worked.parts)
    order = start_attempt(worked.parts, second.job_id, second.attempt)
    assert order.finished == {"snapshot": snapshot}
    assert Path(order.code_folder, "model.py").is_file()
    for step in ("fit", "package", "judge"):
        second.post(step, getattr(second, step)())
    assert get_job(worked.parts.reader, worked.job_id).status == "succeeded"
    assert verbs(worked.parts).count("snapshot.taken") == 1


def test_a_worker_that_keeps_dying_is_given_up_with_the_reason(worked: Worked) -> None:
    for _ in range(2):
        die(worked)
        claim(worked.parts)
    die(worked)
    job = get_job(worked.parts.reader, worked.job_id)
    assert job.status == "failed"
    assert job.failure is not None
    assert job.failure.code == "worker_died"
    assert "SIGKILL. It was started 3 times." in job.failure.message
    assert get_run(worked.parts.reader, worked.run_id).failure == job.failure
    assert verbs(worked.parts).count("job.retried") == 2


def test_files_that_are_not_what_was_reported_are_refused_and_nothing_is_kept(worked: Worked) -> None:
    result = worked.snapshot()
    (worked.folder / "data.parquet").write_bytes(b"other")
    with pytest.raises(DamagedBlob):
        worked.post("snapshot", result)
    assert list_snapshots(worked.parts.reader).snapshots == []
    (worked.folder / "data.parquet").unlink()
    with pytest.raises(NotFound):
        worked.post("snapshot", result)
    (worked.folder / "data.parquet").symlink_to("/etc/passwd")
    with pytest.raises(InvalidInput):
        worked.post("snapshot", result)
    result["data"]["path"] = "../../../registry.db"
    with pytest.raises(InvalidInput, match="plain relative path"):
        worked.post("snapshot", result)


def test_a_result_that_is_not_one_is_told_by_its_first_wrong_field(worked: Worked) -> None:
    with pytest.raises(InvalidInput, match="rows"):
        worked.post("snapshot", worked.snapshot(rows="many"))


def test_expectations_that_are_not_met_fail_the_job_and_keep_the_snapshot(worked: Worked) -> None:
    broken = [{"column": "amount", "sentence": "amount: 3 rows of 100 below 0"}]
    answer = worked.post("snapshot", worked.snapshot(failures=broken))
    assert answer.job.status == "failed"
    assert answer.job.failure is not None
    assert answer.job.failure.code == "bad_data"
    assert "amount: 3 rows of 100 below 0" in answer.job.failure.message
    assert list_snapshots(worked.parts.reader).snapshots[0].failures == broken
    with pytest.raises(Fenced):
        worked.post("fit", worked.fit())


def test_another_runs_bundle_is_refused(worked: Worked) -> None:
    worked.post("snapshot", worked.snapshot())
    worked.post("fit", worked.fit())
    with pytest.raises(InvalidInput, match="bundle is of run 999"):
        worked.post("package", worked.package(lineage="999"))


def test_a_bundle_of_a_newer_program_tells_that_the_engine_is_old(worked: Worked) -> None:
    worked.post("snapshot", worked.snapshot())
    worked.post("fit", worked.fit())
    package = worked.package()
    known = json.loads((worked.folder / "bundle" / "manifest.json").read_bytes())
    content = json.dumps(known | {"of_tomorrow": 1}).encode()
    worked.leave("bundle/manifest.json", content)
    package["files"][0] |= {"sha256": sha256(content), "size_bytes": len(content)}
    with pytest.raises(Conflict, match="engine that runs is older than the installed program") as caught:
        worked.post("package", package)
    assert "of_tomorrow" in caught.value.message
    assert "`mlops down`, then `mlops up`" in caught.value.hint
    assert caught.value.exit_code == 1


def test_the_same_data_is_one_snapshot(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    train(parts)
    assert len(list_snapshots(parts.reader).snapshots) == 1
    assert [get_run(parts.reader, number).snapshot_id for number in (1, 2)] == [1, 1]


def test_runs_of_one_project_come_one_after_another(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path / "a")
    add(parts, tmp_path / "b", name="other")
    first = train_project(parts, ADA, "fraud", TrainProject()).job
    second = train_project(parts, ADA, "fraud", TrainProject()).job
    third = train_project(parts, CY, "other", TrainProject()).job
    assert claim(parts).job_id == first.id
    assert claim(parts).job_id == third.id
    assert get_job(parts.reader, second.id).waits_for == f"job {first.id} of the same project"
    with pytest.raises(AssertionError, match="no job may start"):
        claim(parts)


def test_the_same_key_asked_for_twice_is_the_same_job(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    first = train_project(parts, ADA, "fraud", TrainProject(key="nightly")).job
    assert train_project(parts, ADA, "fraud", TrainProject(key="nightly")).job == first
    assert train_project(parts, ADA, "fraud", TrainProject(key="other")).job.id != first.id
    assert len(list_jobs(parts.reader).jobs) == 2


def test_a_waiting_job_is_cancelled_at_once(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    job = train_project(parts, ADA, "fraud", TrainProject()).job
    assert cancel_job(parts, CY, job.id).status == "cancelled"
    assert get_run(parts.reader, job.run_id or 0).status == "cancelled"
    assert cancel_job(parts, CY, job.id).status == "cancelled"


def test_nothing_of_a_job_that_is_being_cancelled_counts(worked: Worked) -> None:
    result = worked.snapshot()
    assert cancel_job(worked.parts, CY, worked.job_id).status == "running"
    with pytest.raises(Fenced, match="being cancelled"):
        worked.post("snapshot", result)
    with pytest.raises(Fenced):
        start_attempt(worked.parts, worked.job_id, 1)


def test_a_job_that_is_over_cannot_be_cancelled(worked: Worked) -> None:
    worked.finish()
    with pytest.raises(Conflict, match="over already"):
        cancel_job(worked.parts, CY, worked.job_id)


def test_points_are_kept_and_a_point_told_twice_is_stored_once(worked: Worked) -> None:
    points = [CurvePoint(candidate="trees", key="loss", step=step, value=1.0 / step) for step in (1, 2, 3)]
    report = ReportProgress(step="fit", fraction=0.5, note="trees", points=points, params={"trees": {"n": 9}})
    for _ in range(2):
        report_progress(worked.parts, worked.job_id, 1, report)
    assert get_curves(worked.parts.reader, worked.run_id).points == points
    candidate = get_run(worked.parts.reader, worked.run_id).candidates[0]
    assert (candidate.status, candidate.params, candidate.metrics) == ("running", {"n": 9}, {"loss": 1.0 / 3})
    job = get_job(worked.parts.reader, worked.job_id)
    assert (job.step, job.fraction, job.note) == ("fit", 0.5, "trees")


def test_a_worker_that_gives_up_is_not_tried_again(worked: Worked) -> None:
    failure = Failure(code="project_code_failed", message="model.py: no.", hint="Mend it.")
    for _ in range(2):
        assert fail_attempt(worked.parts, worked.job_id, 1, ReportFailure(failure=failure)).status == "failed"
    assert get_run(worked.parts.reader, worked.run_id).failure == failure
    assert verbs(worked.parts).count("job.failed") == 1


def test_no_candidate_of_a_run_that_is_over_is_still_being_fitted(worked: Worked) -> None:
    report_progress(worked.parts, worked.job_id, 1, ReportProgress(step="fit", params={"trees": {"n": 9}}))
    fail_attempt(
        worked.parts, worked.job_id, 1, ReportFailure(failure=Failure(code="project_code_failed", message="no."))
    )
    candidate = get_run(worked.parts.reader, worked.run_id).candidates[0]
    assert (candidate.status, candidate.note) == ("failed", "It was given up before it was fitted.")


def test_a_challenger_judged_against_a_champion_that_has_changed_is_not_judged(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    go_live(parts, deploy_version(parts, ADA, "fraud", Deploy(version=1)).id)
    assert train(parts, champion="fraud@1").job.result["verdict"] == "pass"
    go_live(parts, deploy_version(parts, ADA, "fraud", Deploy(version=2)).id)
    assert train(parts, champion="fraud@1").job.result["verdict"] == "insufficient"
    assert "fraud@2" in get_version(parts.reader, "fraud", 3).verdict.reasons[0]


def test_the_gate_knows_how_often_the_test_rows_judged(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    for _ in range(3):
        train(parts)
    uses = [get_version(parts.reader, "fraud", number).verdict.evidence["test_uses"] for number in (1, 2, 3)]
    assert uses == [0, 1, 2]


def test_the_order_of_a_run_names_the_champion(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    go_live(parts, deploy_version(parts, ADA, "fraud", Deploy()).id)
    train_project(parts, ADA, "fraud", TrainProject(seed=11))
    worked = claim(parts)
    order = start_attempt(parts, worked.job_id, 1)
    assert order.champion is not None
    assert (order.champion.version, order.test_uses, order.seed) == (1, 1, 11)
    assert {file.path for file in order.champion.bundle} == {"manifest.json", "model.txt"}


def test_a_project_that_releases_by_itself_deploys_what_passed(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path, approval="auto")
    train(parts)
    version = get_version(parts.reader, "fraud", 1)
    assert version.approval is not None
    assert (version.approval.by, version.approval.automatic) == ("engine", True)
    assert get_fleet(parts.reader).rows[0].live_status == "starting"
    train(parts, rows=3)
    assert get_version(parts.reader, "fraud", 2).approval is None


def test_the_fleet_says_what_a_person_must_do(parts: Parts, tmp_path: Path) -> None:
    def needs() -> str:
        return get_fleet(parts.reader).rows[0].needs

    add(parts, tmp_path)
    assert needs() == "train it"
    train(parts)
    assert needs() == "approve version 1"
    go_live(parts, deploy_version(parts, ADA, "fraud", Deploy()).id)
    assert needs() == ""
    row = get_fleet(parts.reader).rows[0]
    assert (row.champion, row.gate, row.live_status, row.metric_history) == (1, "pass", "live", [0.7])
