"""`retrain`, `retrains`, `why` and `schedule`."""

import pytest
from fakes import retrained
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine

from engine.wire.monitoring import RetrainAnswer, RetrainList


def waits(fake: FakeEngine, **changes: object) -> None:
    answer = RetrainAnswer(retrain=retrained.retrain(**changes), job=None)
    fake.answers["POST", "/models/fraud/retrain"] = answer


def trains(fake: FakeEngine, outcome: str) -> None:
    """A retrain that begins at once and is judged so."""
    fake.projects["fraud"] = made.project()
    fake.versions["fraud", 3] = made.version(3, verdict=made.verdict(outcome, "The deciding sentence."))
    fake.jobs[1] = made.job(1, result={"version": 3, "verdict": outcome})
    begun = retrained.retrain(status="training", note="", job_id=1)
    fake.answers["POST", "/models/fraud/retrain"] = RetrainAnswer(retrain=begun, job=made.running(1), stored_again=True)
    fake.answers["GET", "/retrains/3"] = retrained.retrain(status="done", note="", job_id=1, version=3, verdict=outcome)


@pytest.mark.parametrize(("outcome", "code"), [("pass", 0), ("fail", 3), ("insufficient", 4)])
def test_the_exit_code_is_the_verdict(mlops, fake: FakeEngine, outcome: str, code: int):
    trains(fake, outcome)
    ran = mlops("retrain", "fraud")
    assert ran.code == code
    assert "The deciding sentence." in ran.out
    assert "→ mlops why fraud@3" in ran.out
    assert "Job 1 trains fraud (retrain 3: drift alarm 7 (amount))." in ran.err
    assert "its code was stored again" in ran.err


def test_one_that_waits_says_for_what_and_how_not_to_and_ends_well(mlops, fake: FakeEngine):
    waits(fake)
    ran = mlops("retrain", "fraud")
    assert ran.code == 0
    assert "Retrain 3 of fraud waits (drift alarm 7 (amount))." in ran.out
    assert "1,204 more labelled rows after 2026-05-07 are needed (2,130 of 3,334 are there)." in ran.out
    assert "→ mlops retrain fraud --now" in ran.out


def test_one_that_is_blocked_says_by_what(mlops, fake: FakeEngine):
    waits(fake, status="blocked", note="Alarm 5 is open.")
    out = mlops("retrain", "fraud").out
    assert "is blocked" in out
    assert "Alarm 5 is open." in out


def test_what_is_asked_for_is_sent(mlops, fake: FakeEngine):
    waits(fake)
    mlops("retrain", "fraud", "--now", "--reason", "new shop")
    assert fake.asked("POST", "/models/fraud/retrain") == [{"reason": "new shop", "now": True}]


def test_json_holds_the_retrain_and_what_came_of_it(mlops, fake: FakeEngine):
    trains(fake, "pass")
    ran = mlops("retrain", "fraud", "--json")
    assert (ran.json["retrain"]["status"], ran.json["version"]["number"], ran.json["job"]["id"]) == ("done", 3, 1)
    assert mlops("retrain", "fraud", "--no-wait", "--json").json["job"]["status"] == "running"
    waits(fake)
    told = mlops("retrain", "fraud", "--json").json
    assert (told["retrain"]["status"], told["job"]) == ("waiting", None)


def test_retrains_say_what_each_waits_for_or_what_came_of_it(mlops, fake: FakeEngine):
    fake.answers["GET", "/retrains"] = RetrainList(
        retrains=[
            retrained.retrain(),
            retrained.retrain(id=2, trigger="hand", alarm_id=None, by="ada", status="done", note="", reason="asked",
                              version=3, verdict="pass", rows_needed=0),
            retrained.retrain(id=1, trigger="schedule", alarm_id=None, status="given_up", note="Job 4 was cancelled."),
        ],
        next_before=None,
    )  # fmt: skip
    out = mlops("retrains", "fraud").out
    assert "○ waiting" in out and "2,130/3,334" in out and "alarm 7" in out and "1,204 more labelled rows" in out
    assert "✓ done" in out and "@3" in out and "ada" in out
    assert "■ given up" in out and "schedule" in out and "Job 4 was cancelled." in out
    fake.answers["GET", "/retrains"] = RetrainList(retrains=[], next_before=None)
    assert "→ mlops retrain fraud" in mlops("retrains", "fraud").out


def test_why_tells_a_line_for_each_link_with_the_time_between_and_the_metric_around(mlops, fake: FakeEngine):
    fake.answers["GET", "/models/fraud/versions/3/why"] = retrained.why()
    lines = mlops("why", "fraud@3").out.splitlines()
    assert lines[0] == "Why fraud@3"
    assert lines[1].endswith("Drift alarm 7: amount no longer looks like before.")
    assert "+3h  Retrain 3 began after 3 h." in lines[2]
    assert "+2m  fraud@3 took over from fraud@2." in lines[3]
    assert "average_precision, realised" in lines
    before, during, after = lines[-3:]
    assert "@2" in before and "0.61" in before and "0.59 to 0.63" in before and "800 labelled rows" in before
    assert "0.32" in during and during.strip().startswith("after the change")
    assert "@3" in after and "0.59" in after


def test_why_without_a_number_is_about_the_champion(mlops, fake: FakeEngine):
    fake.answers["GET", "/models/fraud/versions/3/why"] = retrained.why(before=None, during=None, after=None)
    fake.answers["GET", "/models/fraud"] = made.model(champion=3)
    ran = mlops("why", "fraud")
    assert ran.out.startswith("Why fraud@3")
    assert "realised" not in ran.out
    assert mlops("why", "fraud", "--json").json["version"] == 3


def test_a_schedule_says_when_it_comes_next(mlops, fake: FakeEngine):
    told = {"id": 2, "name": "retrain:fraud", "kind": "retrain", "project": "fraud", "every": "0 3 * * 1"}
    fake.answers["GET", "/schedules"] = {
        "schedules": [told | {"last_nominal_at": None, "next_at": "2031-01-06T03:00:00Z"}]
    }
    out = mlops("schedule").out
    assert "retrain:fraud" in out and "0 3 * * 1" in out and "2031-01-06 03:00:00 UTC" in out
