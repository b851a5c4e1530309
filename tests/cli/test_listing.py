"""Verbs that only look."""

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine

from engine.wire.about import EngineStatus
from engine.wire.base import Failure
from engine.wire.jobs import JobList
from mlops_tui.view.clean import clean


def test_status_tells_of_jobs_and_of_the_gateway(mlops):
    ran = mlops("status")
    assert ran.code == 0
    assert "1 running · 3 waiting" in ran.out
    assert "http://127.0.0.1:18080" in ran.out


def test_status_as_json_is_the_wire_object(mlops):
    assert EngineStatus.model_validate(mlops("status", "--json").json) == made.status()


def test_jobs_say_why_they_wait_and_why_they_failed(mlops, fake: FakeEngine):
    broken = Failure(code="bad_data", message="Column amount holds infinity in row 17.")
    fake.jobs = {
        1: made.job(1, status="failed", failure=broken),
        2: made.job(2, status="queued", waits_for="a free slot", started_at=None, ended_at=None),
        3: made.running(3),
    }
    ran = mlops("jobs")
    assert ran.code == 0
    assert "waits: a free slot" in ran.out
    assert "Column amount holds infinity in row 17." in ran.out
    assert "40%" in ran.out
    assert ran.out.index("lightgbm, 120 trees") < ran.out.index("waits:")


def test_jobs_as_json_are_the_wire_list(mlops, fake: FakeEngine):
    fake.jobs = {1: made.job(1)}
    assert JobList.model_validate(mlops("jobs", "--json").json).jobs == [made.job(1)]


def test_nothing_is_cut_in_a_pipe(mlops, fake: FakeEngine):
    reason = "because " * 60
    fake.jobs = {1: made.job(1, reason=reason.strip())}
    assert reason.strip() in mlops("jobs").out


@pytest.mark.parametrize("verb", ["runs", "models", "endpoints", "jobs", "audit"])
def test_an_empty_list_says_so(mlops, verb: str):
    ran = mlops(verb)
    assert ran.code == 0
    assert "yet" in ran.out or "No " in ran.out


def test_a_version_is_shown_with_verdict_evidence_and_lineage(mlops, fake: FakeEngine):
    fake.versions["fraud", 3] = made.version(3)
    ran = mlops("show", "fraud@3")
    assert ran.code == 0
    for told in ("✓ pass", "reaches the 0.60", "evidence: margin", "snapshot 2", "transaction_id", "country"):
        assert told in ran.out


def test_a_model_is_shown_with_its_versions(mlops, fake: FakeEngine):
    fake.projects["fraud"] = made.project()
    fake.versions = {("fraud", at): made.version(at) for at in (1, 2)}
    ran = mlops("show", "fraud")
    assert "fraud@1" in ran.out
    assert "fraud@2" in ran.out
    assert mlops("show", "fraud", "--json").json["model"]["name"] == "fraud"


def test_a_run_is_shown_with_its_candidates(mlops, fake: FakeEngine):
    fake.runs[7] = made.run()
    ran = mlops("show", "run", "7")
    assert "★ best" in ran.out
    assert "0.7123" in ran.out


def test_endpoints_show_share_latency_and_errors(mlops, fake: FakeEngine):
    fake.endpoints["fraud"] = made.endpoint()
    ran = mlops("endpoints")
    for told in ("http://127.0.0.1:18080/predict/fraud", "● live", "100%", "2.1 ms", "★ champion", "64 MiB"):
        assert told in ran.out


def test_the_audit_is_filtered_by_who_what_and_model(mlops, fake: FakeEngine):
    fake.events = [made.event(1), made.event(2, actor="ben"), made.event(3, actor="ben", verb="alias.moved")]
    ran = mlops("audit", "--filter", "who:ben what:approved", "--json")
    assert [one["seq"] for one in ran.json["events"]] == [2]
    assert "Nothing of this kind" in mlops("audit", "--filter", "who:nobody").out


def test_the_audit_ends_with_the_newest(mlops, fake: FakeEngine):
    fake.events = [made.event(1, verb="project.added"), made.event(2, verb="run.finished")]
    ran = mlops("audit")
    assert ran.out.index("project.added") < ran.out.index("run.finished")


def test_verify_is_exit_code_1_when_a_file_is_damaged(mlops, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    from engine.wire.events import Verification

    monkeypatch.setattr(
        fake,
        "_route",
        lambda *asked: Verification(events=9, broken_event=4, blobs=2, damaged=[made.HASH], missing=[]),
    )
    ran = mlops("verify")
    assert ran.code == 1
    assert "event 4" in ran.out
    assert made.HASH in ran.out


def test_doctor_is_exit_code_1_when_something_is_wrong(mlops, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    found = [
        {"what": "disk", "ok": False, "detail": "only 12 MB are free", "hint": "Make room."},
        {"what": "sqlite", "ok": True, "detail": "fine", "hint": ""},
    ]
    monkeypatch.setattr(fake, "_route", lambda *asked: found)
    ran = mlops("doctor")
    assert ran.code == 1
    assert "✗ wrong" in ran.out
    assert "Make room." in ran.out


def test_logs_print_whole_clean_lines(mlops, fake: FakeEngine):
    fake.jobs[4] = made.job(4)
    fake.logs[4] = "10%\r20%\nred \x1b[31mink\nno end"
    ran = mlops("logs", "4")
    assert ran.out.splitlines() == ["20%", clean("red \x1b[31mink"), "no end"]


def test_following_logs_ends_with_the_job(mlops, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    from mlops_tui.cli import job_verbs

    fake.jobs[4] = made.running(4)
    fake.logs[4] = "one\n"

    def time_passes(_: float) -> None:
        fake.logs[4] += "two\n"
        fake.jobs[4] = made.job(4)

    monkeypatch.setattr(job_verbs.time, "sleep", time_passes)
    assert mlops("logs", "4", "-f").out.splitlines() == ["one", "two"]


def test_following_logs_outlasts_an_engine_that_restarts(mlops, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    from mlops_tui.cli import job_verbs, waiting

    fake.jobs[4] = made.running(4)
    fake.logs[4] = "one\n"

    def goes_down(_: float) -> None:
        fake.is_up = False
        monkeypatch.setattr(waiting.time, "sleep", comes_back)

    def comes_back(_: float) -> None:
        fake.is_up = True
        fake.logs[4] += "two\n"
        fake.jobs[4] = made.job(4)

    monkeypatch.setattr(job_verbs.time, "sleep", goes_down)
    ran = mlops("logs", "4", "-f")
    assert ran.out.splitlines() == ["one", "two"]
    assert "waiting for it to come back" in ran.err


def test_the_last_lines_of_a_job_that_ended_while_it_was_followed_are_printed(mlops, fake: FakeEngine):
    fake.jobs[4] = made.job(4)
    fake.logs[4] = "line\n" * 40_000
    assert mlops("logs", "4").out.count("line\n") == 40_000


def test_cancelling_a_job_that_runs_does_not_call_it_running(mlops, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    # The engine answers before the job's processes are gone.
    monkeypatch.setattr("fakes.fake_engine._cancel", lambda _, job_id: made.job(job_id, status="running"))
    assert mlops("cancel", "4").out == "Job 4 is being cancelled.\n"


def test_cancelling_a_job_that_is_over_says_so(mlops, fake: FakeEngine):
    fake.jobs[4] = made.job(4)
    ran = mlops("cancel", "4")
    assert ran.code == 1
    assert "Job 4 is over." in ran.err
