"""`train` waits, and leaves with the verdict."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine

from engine.wire.base import Failure
from engine.wire.jobs import JobView
from engine.wire.models import ApprovalView
from mlops_tui.cli import waiting


def _passes_through(fake: FakeEngine, *states: JobView) -> None:
    """Each question finds the job one state further."""
    ahead: Iterator[JobView] = iter(states)
    fake.on_job_asked = lambda job: next(ahead, job)


def _judged(fake: FakeEngine, outcome: str) -> None:
    fake.projects["fraud"] = made.project()
    fake.versions["fraud", 3] = made.version(3, verdict=made.verdict(outcome, "The deciding sentence."))
    done = made.job(1, result={"version": 3, "verdict": outcome})
    _passes_through(fake, made.running(1), made.running(1, step="judge", note="on 4,000 test rows"), done)


@pytest.mark.parametrize(("outcome", "code"), [("pass", 0), ("fail", 3), ("insufficient", 4)])
def test_the_exit_code_is_the_verdict(mlops, fake: FakeEngine, outcome: str, code: int):
    _judged(fake, outcome)
    ran = mlops("train", "fraud")
    assert ran.code == code
    assert "The deciding sentence." in ran.out
    assert "fraud@3" in ran.out


def test_progress_is_told_in_plain_lines_where_there_is_no_terminal(mlops, fake: FakeEngine):
    _judged(fake, "pass")
    ran = mlops("train", "fraud")
    assert "40%  job 1 · fit · lightgbm, 120 trees" in ran.err
    assert "judge · on 4,000 test rows" in ran.err
    assert "\x1b" not in ran.err + ran.out
    assert "\r" not in ran.err + ran.out


def test_it_says_what_to_type_next(mlops, fake: FakeEngine):
    _judged(fake, "pass")
    assert "→ mlops deploy fraud@3" in mlops("train", "fraud").out


def test_what_the_gate_releases_itself_is_not_asked_to_be_deployed(mlops, fake: FakeEngine):
    _judged(fake, "pass")
    approval = ApprovalView(by="engine", at=made.NOW, override=None, automatic=True)
    fake.versions["fraud", 3] = fake.versions["fraud", 3].model_copy(update={"approval": approval})
    out = mlops("train", "fraud").out
    assert "→ mlops endpoints" in out
    assert "mlops deploy" not in out


def test_json_is_the_job_and_its_version(mlops, fake: FakeEngine):
    _judged(fake, "fail")
    ran = mlops("train", "fraud", "--json")
    assert ran.code == 3
    assert ran.json["job"]["result"]["version"] == 3
    assert ran.json["version"]["verdict"]["outcome"] == "fail"


def test_no_wait_comes_back_with_the_job(mlops, fake: FakeEngine):
    fake.projects["fraud"] = made.project()
    ran = mlops("train", "fraud", "--no-wait", "--json", "--reason", "new rows")
    assert ran.code == 0
    assert ran.json["job"]["status"] == "queued"
    assert fake.asked("POST", "/projects/fraud/train")[0]["reason"] == "new rows"


def test_a_failed_job_is_told_in_its_own_words(mlops, fake: FakeEngine):
    fake.projects["fraud"] = made.project()
    broken = Failure(code="project_code_failed", message="model.py, line 4: ValueError: no.", hint="")
    _passes_through(fake, made.job(1, status="failed", failure=broken))
    ran = mlops("train", "fraud")
    assert ran.code == 1
    assert "model.py, line 4: ValueError: no." in ran.err
    assert "mlops logs 1" in ran.err


def test_a_cancelled_job_is_no_success(mlops, fake: FakeEngine):
    fake.projects["fraud"] = made.project()
    _passes_through(fake, made.job(1, status="cancelled"))
    ran = mlops("train", "fraud")
    assert ran.code == 1
    assert "Job 1 was cancelled." in ran.err


def test_ctrl_c_detaches_and_says_how_to_follow(mlops, fake: FakeEngine):
    fake.projects["fraud"] = made.project()

    def interrupted(job: JobView) -> JobView:
        raise KeyboardInterrupt

    fake.on_job_asked = interrupted
    ran = mlops("train", "fraud")
    assert ran.code == 130
    assert "mlops logs 1 -f" in ran.err
    assert fake.jobs[1].status == "queued"


def test_a_wait_outlasts_an_engine_that_restarts(mlops, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    _judged(fake, "pass")
    naps: list[float] = []

    def time_passes(nap_s: float) -> None:
        naps.append(nap_s)
        fake.is_up = len(naps) not in (1, 2)

    monkeypatch.setattr(waiting.time, "sleep", time_passes)
    ran = mlops("train", "fraud")
    assert ran.code == 0
    assert "waiting for it to come back" in ran.err


def test_without_a_name_the_project_of_this_folder_is_trained(mlops, fake: FakeEngine, here: Path):
    (here / "mlops.toml").write_text('[project]\nname = "fraud"\n')
    _judged(fake, "pass")
    assert mlops("train").code == 0


def test_without_a_name_and_a_project_it_asks_for_one(mlops, here: Path):
    ran = mlops("train")
    assert ran.code == 2
    assert "mlops train NAME" in ran.err


def test_a_project_of_this_folder_that_is_not_registered_is_to_be_added_first(mlops, here: Path):
    (here / "mlops.toml").write_text('[project]\nname = "fraud"\n')
    ran = mlops("train", "fraud")
    assert ran.code == 1
    assert "`mlops add .`" in ran.err


def test_the_order_of_runs_puts_the_least_loss_first(mlops, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch):
    asked: list[dict[str, str]] = []
    answer = fake._route

    def look(method: str, path: str, params: dict[str, str], body: object) -> object:
        asked.append(params)
        return answer(method, path, params, body)

    monkeypatch.setattr(fake, "_route", look)
    mlops("runs", "--by", "rmse")
    mlops("runs", "--by", "roc_auc")
    assert [one["descending"] for one in asked] == ["false", "true"]
