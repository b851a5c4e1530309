"""Alarms: once for a cause, until it is calm, answered, or outlived."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.core import ADA, CY, train
from fakes.looked import NOON, alarms, fault, look, release, serve, verbs

from engine.errors import Conflict, Forbidden, NotFound
from engine.lifecycle.answer_alarm import acknowledge, close
from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.registry.queries.alarms import get_alarm, list_alarms
from engine.registry.queries.events import list_events
from engine.registry.queries.fleet import get_fleet
from engine.registry.queries.status import get_figures
from engine.wire.monitoring import AnswerAlarm

SEEN = AnswerAlarm(note="we know")


@pytest.fixture(autouse=True)
def served(parts: Parts, tmp_path: Path) -> None:
    serve(parts, tmp_path)


def test_a_drift_is_one_alarm_however_often_it_is_seen(parts: Parts) -> None:
    for _ in range(4):
        check = look(parts, ["a"])
    (alarm,) = alarms(parts)
    assert (alarm.kind, alarm.status, alarm.subject, alarm.times_seen) == ("drift", "open", "a", 4)
    assert (alarm.version, alarm.changed_from, alarm.check_id) == (1, NOON, check.id - 3)
    assert "fraud@1 was trained on" in alarm.message and f"mlops close {alarm.id}" in alarm.hint
    assert verbs(parts, "alarm.") == ["alarm.opened"]


def test_a_column_that_joins_wakes_an_alarm_that_was_acknowledged(parts: Parts) -> None:
    look(parts, ["a"])
    acknowledge(parts, CY, 1, SEEN)
    look(parts, ["a"])
    assert alarms(parts)[0].status == "acknowledged"
    look(parts, ["b", "a"])
    (alarm,) = alarms(parts)
    assert (alarm.status, alarm.subject, alarm.evidence["columns"]) == ("open", "a, b", ["a", "b"])
    assert verbs(parts, "alarm.") == ["alarm.opened", "alarm.acknowledged", "alarm.grew"]


def test_three_calm_checks_in_a_row_close_it(parts: Parts) -> None:
    look(parts, ["a"])
    for drifted in ([], [], ["a"], [], [], []):
        look(parts, drifted)
    (alarm,) = alarms(parts)
    assert (alarm.status, alarm.closed_by, alarm.times_seen) == ("closed", "engine", 2)
    look(parts, ["a"])
    assert [one.status for one in alarms(parts)] == ["closed", "open"]


def test_too_few_rows_are_no_calm(parts: Parts) -> None:
    look(parts, ["a"])
    for _ in range(4):
        look(parts, rows=100)
    assert alarms(parts)[0].status == "open"


def test_bad_data_is_an_alarm_of_its_own(parts: Parts) -> None:
    look(parts, ["a"], [fault("b"), fault("c"), fault("a", alarming=False)])
    drift, quality = alarms(parts)
    assert (drift.kind, quality.kind, quality.subject) == ("drift", "quality", "b, c")
    assert quality.message == "Column b is empty; 1 more: c."
    look(parts, ["a"])
    assert [one.status for one in alarms(parts)] == ["open", "open"]


def test_what_is_only_told_is_no_alarm(parts: Parts) -> None:
    check = look(parts, (), [fault("b", alarming=False)])
    assert (check.outcome, len(check.findings), alarms(parts)) == ("quiet", 1, [])


def test_what_a_person_closed_as_expected_stays_closed_until_it_was_calm(parts: Parts) -> None:
    look(parts, ["a"])
    close(parts, CY, 1, AnswerAlarm(note="the price list changed"))
    for _ in range(5):
        look(parts, ["a"])
    (alarm,) = alarms(parts)
    assert (alarm.status, alarm.closed_by, alarm.times_seen) == ("closed", "cy", 6)
    for drifted in ([], [], [], ["a"]):
        look(parts, drifted)
    assert [one.status for one in alarms(parts)] == ["closed", "open"]


def test_another_column_is_news_beside_what_was_expected(parts: Parts) -> None:
    look(parts, ["a"])
    close(parts, CY, 1, SEEN)
    look(parts, ["a", "b"])
    look(parts, ["a", "b"])
    first, second = alarms(parts)
    assert (first.status, second.status, second.subject, second.times_seen) == ("closed", "open", "b", 2)


def test_a_version_that_takes_over_ends_the_drift_of_the_one_before(parts: Parts) -> None:
    look(parts, ["a"], [fault("b")])
    train(parts, champion="fraud@1")
    release(parts)
    drift, quality = alarms(parts)
    assert (drift.status, drift.closed_by, drift.note) == ("closed", "engine", "fraud@2 took over")
    # The data is as bad for the new one.
    assert quality.status == "open"


def test_what_was_expected_of_one_version_is_news_of_the_next(parts: Parts) -> None:
    from fakes.looked import begin, capture, result

    from engine.lifecycle.check_model import check_model
    from engine.wire.monitoring import AskCheck

    look(parts, ["a"])
    close(parts, CY, 1, SEEN)
    train(parts, champion="fraud@1")
    release(parts)
    capture(parts, 1000, version=2)
    check_model(parts, ADA, "fraud", AskCheck())
    worked, _ = begin(parts)
    worked.post("check", result(worked, ["a"]))
    assert [(one.version, one.status) for one in alarms(parts)] == [(1, "closed"), (2, "open")]


def test_answers_are_recorded_once_with_who_gave_them(parts: Parts) -> None:
    look(parts, ["a"])
    for _ in range(2):
        seen = acknowledge(parts, CY, 1, SEEN)
    assert (seen.status, seen.acknowledged_by, seen.note) == ("acknowledged", "cy", "we know")
    for _ in range(2):
        closed = close(parts, ADA, 1, AnswerAlarm())
    assert (closed.status, closed.closed_by, closed.note) == ("closed", "ada", "we know")
    assert verbs(parts, "alarm.") == ["alarm.opened", "alarm.acknowledged", "alarm.closed"]
    with pytest.raises(Conflict, match="closed already"):
        acknowledge(parts, CY, 1, SEEN)
    with pytest.raises(NotFound, match="no alarm 7"):
        close(parts, CY, 7, SEEN)
    with pytest.raises(Forbidden):
        close(parts, Caller("eve", 1, "viewer"), 1, SEEN)


def test_every_check_and_alarm_is_in_the_audit_chain(parts: Parts) -> None:
    look(parts, ["a"])
    events = {event.verb: event for event in list_events(parts.reader, after=0, limit=1000).events}
    assert events["check.done"].evidence["outcome"] == "alarm" and events["check.done"].project == "fraud"
    assert events["alarm.opened"].evidence["about"] == "a"


def test_an_open_alarm_calls_for_somebody_until_it_is_answered(parts: Parts) -> None:
    look(parts, ["a"])
    (row,) = get_fleet(parts.reader).rows
    assert (row.open_alarms, row.needs) == (1, "look at the drift alarm: mlops drift fraud")
    assert get_figures(parts.reader).open_alarms == 1
    acknowledge(parts, CY, 1, SEEN)
    (row,) = get_fleet(parts.reader).rows
    assert (row.open_alarms, row.needs, get_figures(parts.reader).open_alarms) == (0, "", 0)


def test_the_fleet_names_bad_data_before_the_drift_that_rang_first(parts: Parts) -> None:
    look(parts, ["a"])
    look(parts, ["a"], [fault("b")])
    (row,) = get_fleet(parts.reader).rows
    assert (row.open_alarms, row.needs) == (2, "look at the quality alarm: mlops drift fraud")


def test_alarms_that_are_not_over_stand_first_and_pages_hold_the_closed_ones(parts: Parts) -> None:
    for number in (1, 2, 3):
        look(parts, ["a"])
        close(parts, CY, number, SEEN)
        for _ in range(3):
            look(parts)
    look(parts, ["a"])
    first = list_alarms(parts.reader, model="fraud", limit=2)
    assert [one.id for one in first.alarms] == [4, 3, 2] and first.next_before == 2
    rest = list_alarms(parts.reader, model="fraud", limit=2, before=2)
    assert ([one.id for one in rest.alarms], rest.next_before) == ([1], None)
    assert [one.id for one in list_alarms(parts.reader, status="open").alarms] == [4]
    with pytest.raises(NotFound):
        list_alarms(parts.reader, model="nobody")
    with pytest.raises(NotFound):
        get_alarm(parts.reader, 9)


def test_answers_that_moved_are_called_answers(parts: Parts) -> None:
    from fakes.looked import begin, capture, figures, result

    from engine.lifecycle.check_model import check_model
    from engine.wire.monitoring import AskCheck

    capture(parts, 1000)
    check_model(parts, ADA, "fraud", AskCheck())
    worked, _ = begin(parts)
    told = result(worked)
    worked.post("check", told | {"columns": [figures("y", kind="prediction", drifted=True)]})
    (alarm,) = alarms(parts)
    assert alarm.subject == "the answers (y)"
    assert alarm.message.startswith("the answers (y) no longer look like what fraud@1 was trained on")
