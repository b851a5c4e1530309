"""`check`, `drift`, `alarms`, `acknowledge` and `close`."""

from pathlib import Path

import pytest
from fakes import watched_objects as watched
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine

from engine.errors import Conflict

FILE = {"sha256": "a" * 64, "size_bytes": 12}


def checked(fake: FakeEngine, outcome: str, **changes: object) -> None:
    """A check that ends so."""
    fake.jobs[9] = made.job(9, kind="check", result={"check": 4, "outcome": outcome})
    fake.answers["POST", "/models/fraud/checks"] = made.job(9, kind="check", status="queued", ended_at=None)
    fake.answers["GET", "/models/fraud/checks/4"] = watched.check(outcome, **changes)


@pytest.mark.parametrize(("outcome", "code"), [("quiet", 0), ("alarm", 1), ("insufficient", 4)])
def test_a_check_exits_by_what_it_found(mlops, fake: FakeEngine, outcome: str, code: int):
    checked(fake, outcome, rows=212 if outcome == "insufficient" else 7012)
    ran = mlops("check", "fraud")
    assert ran.code == code
    assert f"{outcome}: " in ran.out


def test_a_check_says_what_moved_and_what_an_alarm_would_have_needed(mlops, fake: FakeEngine):
    checked(fake, "alarm")
    ran = mlops("check", "fraud")
    assert "! alarm: amount no longer looks like what fraud@2 was trained on, in 7,012 rows" in ran.out
    assert "An alarm needs p ≤ 3.4e-05 and a distance ≥ 0.1; 7,012 rows would have shown a shift of 0.09 σ" in ran.out
    assert "at most 1 false alarm a year is expected" in ran.out
    assert "→ mlops drift fraud" in ran.out


def test_a_check_of_a_file_uploads_it_first(mlops, fake: FakeEngine, here: Path):
    checked(fake, "quiet", source="data")
    fake.answers["POST", "/uploads"] = FILE
    (here / "may.csv").write_text("[1,2]")
    assert mlops("check", "fraud", "--data", "may.csv").code == 0
    assert fake.asked("POST", "/models/fraud/checks") == [{"data_sha256": "a" * 64, "data_name": "may.csv"}]


def test_a_check_that_fails_says_why(mlops, fake: FakeEngine):
    checked(fake, "quiet")
    failure = {"code": "conflict", "message": "Nothing of fraud serves yet.", "hint": ""}
    fake.jobs[9] = made.job(9, kind="check", status="failed", failure=failure, result={})
    ran = mlops("check", "fraud")
    assert ran.code == 1 and "Nothing of fraud serves yet." in ran.err


def test_json_holds_the_job_and_the_check(mlops, fake: FakeEngine):
    checked(fake, "alarm")
    ran = mlops("check", "fraud", "--json")
    assert (ran.code, ran.json["check"]["drifted"], ran.json["job"]["id"]) == (1, ["amount"], 9)
    assert mlops("check", "fraud", "--no-wait", "--json").json["status"] == "queued"


def test_drift_shows_the_columns_over_each_other(mlops, fake: FakeEngine):
    fake.answers["GET", "/models/fraud/drift"] = watched.drift()
    fake.answers["GET", "/alarms"] = {"alarms": [watched.alarm(), watched.alarm(1, status="closed")], "next_before": 1}
    ran = mlops("drift", "fraud")
    assert ran.code == 0
    assert "! Alarm 3 (drift, open): first amount on 2026-05-07 12:00, then hour." in ran.out
    assert "Alarm 1" not in ran.out
    line = next(line for line in ran.out.splitlines() if line.startswith("amount"))
    assert "! drift" in line and "KS 0.310" in line and "▅▄▃▁" in line and "▁▁▃█" in line
    assert "de 80%" in ran.out and "de 70%" in ran.out


def test_drift_without_a_check_says_what_it_waits_for(mlops, fake: FakeEngine):
    note = "There is no check yet. The next check waits for 500 new rows; 40 are there."
    fake.answers["GET", "/models/fraud/drift"] = watched.drift(check=None, distributions=[], history={}, note=note)
    fake.answers["GET", "/alarms"] = {"alarms": [], "next_before": None}
    ran = mlops("drift", "fraud")
    assert (ran.code, note in ran.out, "→ mlops check fraud" in ran.out) == (0, True, True)
    assert mlops("drift", "fraud", "--json").json["waiting_rows"] == 40


def test_alarms_say_what_to_do_next(mlops, fake: FakeEngine):
    fake.answers["GET", "/alarms"] = {"alarms": [watched.alarm(), watched.alarm(1, status="closed")], "next_before": 1}
    ran = mlops("alarms", "fraud")
    assert "Alarm 3 · drift · open: amount, hour no longer look like" in ran.out
    assert "`mlops close 3` if it is expected." in ran.out
    assert "There are older ones: --limit 100." in ran.err
    assert mlops("alarms", "--status", "loud").code == 2
    fake.answers["GET", "/alarms"] = {"alarms": [], "next_before": None}
    assert "No alarms." in mlops("alarms").out


@pytest.mark.parametrize("verb", ["acknowledge", "close"])
def test_an_answer_goes_out_with_its_note(mlops, fake: FakeEngine, verb: str):
    fake.answers["GET", "/alarms/3"] = watched.alarm()
    fake.answers["POST", f"/alarms/3/{verb}"] = watched.alarm(status="closed", closed_by="ada", closed_at=watched.NOW)
    ran = mlops(verb, "3", "-m", "the price list changed")
    assert ran.code == 0 and "closed by ada" in ran.out and "already" not in ran.err
    assert fake.asked("POST", f"/alarms/3/{verb}") == [{"note": "the price list changed"}]
    fake.refusals[f"/alarms/3/{verb}"] = Conflict("Alarm 3 is closed already.", "There is nothing to do.")
    assert mlops(verb, "3").code == 1


@pytest.mark.parametrize(("verb", "status"), [("acknowledge", "acknowledged"), ("close", "closed")])
def test_an_answer_that_was_given_before_says_so(mlops, fake: FakeEngine, verb: str, status: str):
    fake.answers["GET", "/alarms/3"] = watched.alarm(status=status)
    fake.answers["POST", f"/alarms/3/{verb}"] = watched.alarm(status=status)
    assert f"Alarm 3 was {status} already; nothing has changed." in mlops(verb, "3").err


@pytest.mark.parametrize("words", ["check", "drift", "label o.csv", "performance", "retrain", "rollback"])
def test_what_is_about_a_model_takes_no_version(mlops, fake: FakeEngine, words: str):
    verb, *more = words.split()
    ran = mlops(verb, "fraud@9", *more)
    assert ran.code == 2
    assert f"`mlops {verb}` takes a model, not one version of it as in 'fraud@9'." in ran.err
    assert f"Write `mlops {verb} fraud`." in ran.err
