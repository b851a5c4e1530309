"""Every failure is one sentence, a hint and an exit code; never a traceback."""

import pytest
from fakes.fake_engine import FakeEngine

from engine.errors import EngineError, EngineUnreachable, Forbidden, GateRefused, InsufficientEvidence, NotThereYet


def test_no_engine_is_exit_code_5_with_a_hint(mlops, fake: FakeEngine):
    fake.is_up = False
    ran = mlops("status")
    assert ran.code == 5
    assert ran.out == ""
    assert "No engine answers" in ran.err
    assert "→ `mlops up`" in ran.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GateRefused("fraud@3 failed its gate.", "See why."), 3),
        (InsufficientEvidence("fraud@3 was not decided.", "More rows."), 4),
        (Forbidden("You may not.", "Ask."), 1),
        (NotThereYet("Not yet.", ""), 2),
        (EngineUnreachable("Gone.", ""), 5),
    ],
)
def test_the_exit_code_is_the_errors_own(mlops, fake: FakeEngine, error: EngineError, code: int):
    fake.refusals["/endpoints/fraud/deploy"] = error
    ran = mlops("deploy", "fraud@3")
    assert ran.code == code
    assert error.message in ran.err


def test_with_json_a_failure_is_a_problem_on_stdout_and_a_sentence_on_stderr(mlops, fake: FakeEngine):
    ran = mlops("show", "fraud@9", "--json")
    assert ran.code == 1
    assert ran.json["error"]["code"] == "not_found"
    assert "There is no version fraud@9." in ran.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["trian", "fraud"], "Did you mean 'train'"),
        (["deploy"], "Missing argument 'NAME[@V]'."),
        (["deploy", "fraud@x"], "'x' is no number"),
        (["deploy", "Fraud"], "'Fraud' names no model."),
        (["approve", "fraud"], "'fraud' names no version."),
        (["show", "thing", "3"], "'thing' is nothing with a number."),
        (["jobs", "--status", "lost"], "'lost' is no status of a job."),
        (["cancel", "first"], "'ID'"),
    ],
)
def test_wrong_usage_is_exit_code_2_in_one_sentence(mlops, words: list[str], told: str):
    ran = mlops(*words)
    assert ran.code == 2
    assert told in ran.err
    assert len(ran.err.strip().splitlines()) <= 2


def test_usage_errors_are_json_too_where_json_is_asked_for(mlops):
    ran = mlops("deploy", "--json")
    assert ran.code == 2
    assert ran.json["error"]["code"] == "invalid_input"


def test_a_hostile_name_reaches_no_terminal_raw(mlops, fake: FakeEngine):
    fake.refusals["/status"] = Forbidden("no \x1b]52;c;aGk=\x07 entry \u202etfel", "\x9b31m")
    ran = mlops("status")
    assert "\x1b" not in ran.err
    assert "\x07" not in ran.err
    assert "\u202e" not in ran.err
    assert "\x9b" not in ran.err
    assert "␛]52;c;aGk=␇" in ran.err
