"""The next step of an alarm, the retrain that answers it, and the chain as lines."""

import pytest
from fakes import wire_objects as made
from fakes.drifted import chain, drift_alarm, performance_alarm, retrained

from mlops_tui.view.chain import answering, came_of, chain_lines, chain_of_alarm, next_step, other_alarms
from mlops_tui.view.width import width_of


@pytest.mark.parametrize(
    ("retrain", "version", "told"),
    [
        (None, None, "→ r retrains it"),
        (retrained(status="given_up"), None, "→ r retrains it"),
        (retrained(), None, "○ retrain 2 waiting: 480 more"),
        (retrained(status="blocked", note="A fault is open."), None, "○ retrain 2 blocked: A fault is open. r trains"),
        (retrained(status="training", job_id=14), None, "◐ job 14 trains it again (retrain 2): l follows"),
        (retrained(status="done", note="job 14 failed."), None, "✗ retrain 2 made no version: job 14 failed."),
        (retrained(status="done", version=3), made.version(3), "✓ fraud@3 passed: v shows its verdict, A approves it"),
        (
            retrained(status="done", version=3),
            made.version(3, verdict=made.verdict("fail")),
            "? fraud@3: fail; v shows why",
        ),
        (
            retrained(status="done", version=3),
            made.version(3, approval={"by": "ada", "at": made.NOW, "override": None}),
            "✓ fraud@3 is approved: D deploys it",
        ),
        (retrained(status="done", version=3), made.version(3, aliases=["champion"]), "● fraud@3 serves already"),
    ],
)
def test_each_state_names_the_key_that_leads_on(retrain, version, told: str):
    assert told in next_step(drift_alarm(), retrain, version).text


@pytest.mark.parametrize(
    ("kind", "told"), [("quality", "→ mend what sends the rows"), ("silence", "→ 4 shows whether")]
)
def test_a_fault_of_the_data_is_mended_before_anything_is_trained(kind: str, told: str):
    assert next_step(drift_alarm(kind=kind), None, None).text.startswith(told)


def test_a_closed_alarm_needs_nothing():
    assert next_step(drift_alarm(status="closed"), retrained(), None).text.startswith("■ closed")


@pytest.mark.parametrize(
    ("retrain", "told"),
    [
        (retrained(status="blocked"), "which it blocked, goes on by itself in a moment; r is not needed"),
        (retrained(status="training", job_id=14), "goes on by itself: job 14 trains it, l follows its log"),
        (retrained(), "is blocked no more. 480 more labelled rows"),
        (retrained(status="done", version=3, ended_at=made.NOW), "made fraud@3: v shows its verdict"),
        (retrained(status="done", version=3, ended_at=made.ago(minutes=5)), "■ closed; w shows"),
        (retrained(created_at=made.NOW), "■ closed; w shows"),
        (None, "■ closed; w shows"),
    ],
)
def test_bad_data_that_are_over_say_which_retrain_goes_on_by_itself(retrain, told: str):
    over = drift_alarm(id=6, kind="quality", status="closed", closed_by="ada", closed_at=made.ago(minutes=2))
    assert told in next_step(over, retrain, None).text


def test_bad_data_say_which_retrain_they_block_and_the_key_that_lets_it_go_on():
    told = next_step(drift_alarm(id=6, kind="quality"), retrained(status="blocked"), None).text
    assert told.startswith("○ this alarm blocks retrain 2 (drift alarm 4 (channel, distance_km)): it goes on by itself")
    assert "C closes this" in told


def test_a_retrain_under_way_answers_before_one_that_is_over():
    over = retrained(id=3, status="done", version=3, ended_at=made.NOW)
    assert answering(drift_alarm(), [over, retrained()]) == retrained()


def test_a_version_that_another_alarms_retrain_made_meanwhile_answers_too():
    given_up = retrained(id=3, status="given_up", ended_at=made.NOW)
    made_it = retrained(id=2, status="done", version=3, created_at=made.ago(days=1), ended_at=made.ago(minutes=1))
    assert answering(performance_alarm(retrain_id=3), [given_up, made_it]) == made_it


def test_what_was_over_before_it_rang_answers_nothing():
    before = retrained(status="done", version=2, created_at=made.ago(days=2), ended_at=made.ago(days=1))
    assert answering(drift_alarm(retrain_id=None), [before]) is None


def test_what_else_rings_is_one_line():
    assert other_alarms([]) == []
    assert [line.text for line in other_alarms([drift_alarm()])] == [
        "! tab shows what else rings: alarm 4 (drift, open)"
    ]
    assert other_alarms([drift_alarm()] * 7)[0].text.endswith("and 3 more")


def test_a_chain_names_each_day_once_and_what_passed_between():
    lines = [line.text for line in chain_lines(chain())]
    assert [line for line in lines if line.endswith("UTC")] == ["2026-10-31 UTC", "2026-11-03 UTC"]
    assert "· 13:59:09     +2m  Retrain 2 began after 2 min, when 640 of 600 rows needed were labelled." in lines


def test_what_answers_were_worth_fits_into_eighty_columns():
    worth = [line.text for line in chain_lines(chain())][-3:]
    assert [line.split()[0] for line in worth] == ["before", "while", "since"]
    assert all(width_of(line) < 80 for line in worth)


def test_a_chain_without_labels_tells_of_no_worth():
    bare = chain().model_copy(update={"before": None, "during": None, "after": None})
    assert not any("realised, with" in line.text for line in chain_lines(bare))


def test_what_came_of_an_alarm_is_the_chain_of_the_version_that_was_trained_for_it():
    why = chain()
    why.chain[2].refs["alarm"] = 4
    assert chain_of_alarm(drift_alarm(), retrained(status="done", version=3), why) is why


def test_of_a_version_made_for_another_alarm_only_what_came_after_belongs_to_this_one():
    made_it = retrained(status="done", version=3, ended_at=made.ago(minutes=5))
    told = [link.text for link in chain_of_alarm(performance_alarm(), made_it, chain()).chain]
    assert told[:2] == [
        "Retrain 2 was asked for by engine: drift alarm 4 (channel, distance_km).",
        "Performance alarm 5: average_precision of fraud@2 fell to 0.41, where the gate saw 0.63 (35% worse).",
    ]
    assert "fraud@3 took over from fraud@2." in told and not any("Snapshot" in text for text in told)
    assert told[-1].startswith("Realised")


@pytest.mark.parametrize(
    ("status", "retrain", "told"),
    [
        ("open", None, "Nothing has come of alarm 4 yet"),
        ("closed", None, "Nothing came of alarm 4"),
        ("open", retrained(status="given_up"), "Nothing has come of alarm 4 yet"),
        ("open", retrained(), "○ Retrain 2 waits: 480 more"),
        ("open", retrained(status="blocked", note="A fault."), "○ Retrain 2 is blocked: A fault."),
        ("open", retrained(status="training", job_id=14), "◐ Job 14 trains it again"),
    ],
)
def test_how_far_an_alarm_has_come_is_one_sentence(status: str, retrain, told: str):
    line = came_of(drift_alarm(status=status), retrain)
    assert line is not None and line.text.startswith(told)
    assert came_of(drift_alarm(), retrained(status="done", version=3)) is None


def test_a_retrain_that_made_nothing_is_told_with_its_reason():
    failed = retrained(status="done", note="job 14 failed.", ended_at=made.NOW)
    chain_told = chain_of_alarm(drift_alarm(acknowledged_by="ada", acknowledged_at=made.NOW), failed, None).chain
    assert [link.text for link in chain_told][-2:] == [
        "ada acknowledged alarm 4.", "Retrain 2 made no version: job 14 failed.",
    ]  # fmt: skip
