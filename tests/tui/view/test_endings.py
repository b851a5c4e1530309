"""What somebody began is told of when it has ended, and what others began is not."""

from typing import Any

import pytest
from fakes import wire_objects as made

from mlops_tui.view.cell import Cell
from mlops_tui.view.endings import Begun


def told_after(*events: dict[str, Any], by: str = "ada") -> list[Cell]:
    begun, told = Begun(by), []
    for seq, changes in enumerate(events):
        begun, said = begun.after(made.event(seq, **changes))
        told += [said] if said else []
    return told


def queued(kind: str, actor: str = "ada") -> dict[str, Any]:
    return {"verb": "job.queued", "subject": "job 12", "actor": actor, "evidence": {"job": 12, "kind": kind}}


def ended(verb: str, **evidence: Any) -> dict[str, Any]:
    return {"verb": verb, "subject": "job 12", "actor": "engine", "evidence": {"job": 12, **evidence}}


def registered(verdict: str) -> dict[str, Any]:
    evidence = {"job": 12, "verdict": verdict}
    return {"verb": "version.registered", "subject": "fraud@3", "actor": "engine", "evidence": evidence}


def test_a_training_ends_with_its_version_and_verdict_and_says_so_once():
    [told] = told_after(queued("train"), registered("pass"), ended("job.succeeded", kind="train"))
    assert told == Cell("✓ fraud@3 is trained and judged: pass. A approves it, D releases it.", "good")


def test_a_version_that_did_not_pass_says_where_to_see_why():
    [told] = told_after(queued("train"), registered("fail"))
    assert told.tone == "warn"
    assert "fail. 3 shows why" in told.text


@pytest.mark.parametrize(
    ("verb", "evidence", "text", "tone"),
    [
        ("job.failed", {"kind": "train", "why": "No rows."}, "✗ job 12 (train of fraud) failed: No rows.", "bad"),
        ("job.cancelled", {"kind": "train"}, "■ job 12 (train of fraud) is cancelled.", "warn"),
        ("job.succeeded", {"kind": "train"}, "✓ job 12 (train of fraud) is done.", "good"),
    ],
)
def test_the_end_of_a_job_is_told(verb: str, evidence: dict[str, Any], text: str, tone: str):
    assert told_after(queued("train"), ended(verb, **evidence)) == [Cell(text, tone)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("outcome", "tone"), [("quiet", "good"), ("alarm", "warn")])
def test_a_check_ends_with_what_it_found_and_says_so_once(outcome: str, tone: str):
    done = {
        "verb": "check.done", "subject": "fraud@3", "actor": "engine", "evidence": {"job": 12, "outcome": outcome},
    }  # fmt: skip
    [told] = told_after(queued("check"), done, ended("job.succeeded", kind="check"))
    assert told.tone == tone
    assert f"check of fraud@3: {outcome}" in told.text


@pytest.mark.parametrize("verb", ["version.deployed", "endpoint.rolled_back"])
def test_a_release_is_told_of_when_it_serves_and_when_it_fails(verb: str):
    release = {"verb": verb, "subject": "fraud@3"}
    live = {"verb": "deployment.released", "subject": "fraud@3", "actor": "engine", "evidence": {"share": 1.0}}
    failed = {"verb": "deployment.failed", "subject": "fraud@3", "actor": "engine", "evidence": {"reason": "It died."}}
    assert told_after(release, live) == [Cell("● fraud@3 is live with 100% of the traffic.", "good")]
    assert told_after(release, failed) == [Cell("✗ fraud@3 could not be released: It died.", "bad")]


def test_what_others_began_is_not_told():
    assert told_after(queued("train", "grace"), registered("pass")) == []
    assert told_after(queued("train"), ended("job.failed", kind="train"), by="") == []


def test_jobs_that_nobody_waits_for_are_not_told():
    assert told_after(queued("compact"), ended("job.succeeded", kind="compact")) == []


def test_what_an_event_holds_is_plain_text():
    [told] = told_after(queued("train"), ended("job.failed", kind="\x1b[31m", why="a\x1b]0;b\x07"))
    assert "\x1b" not in told.text
