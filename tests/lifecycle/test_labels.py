"""Labels from an uploaded file to an alarm, with the worker's own code and no process."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.core import ADA, CY, add, entry
from fakes.labelled import START, ask, capture, label, serve, work
from fakes.loop import say
from sqlalchemy import select

from engine.errors import BadData, Conflict, InvalidInput, NotFound
from engine.lifecycle.answer_alarm import close
from engine.lifecycle.label_model import label_model
from engine.lifecycle.parts import Parts
from engine.lifecycle.receive_file import receive_file
from engine.registry.core import LABEL_FILE
from engine.registry.queries.alarms import list_alarms
from engine.registry.queries.events import list_events
from engine.registry.queries.labels import list_labels, performance
from engine.wire.monitoring import AnswerAlarm, AskLabel


@pytest.fixture
def served(parts: Parts) -> Parts:
    serve(parts)
    return parts


def test_a_file_of_labels_is_counted_stored_and_told(served: Parts) -> None:
    said = capture(served, 600, good=True)
    counts = label(served, [*said, ("9999", 1), ("5", "maybe"), *said[:3]])
    assert {key: counts[key] for key in ("rows", "matched", "early", "repeated", "refused")} == {
        "rows": 605, "matched": 603, "early": 1, "repeated": 3, "refused": 1,
    }  # fmt: skip
    assert counts["examples"] == ["outcomes.csv, line 603: 'maybe' is none of the classes 0, 1."]
    told = list_labels(served.reader, "fraud")
    assert (told.captured, told.labelled, told.files[0].file, told.files[0].by) == (600, 600, "outcomes.csv", "cy")
    assert told.mature_until is not None
    [window] = [one for one in performance(served.reader, "fraud").windows if one.mature]
    assert window.value is not None and window.value > 0.9
    stored = [one for one in list_events(served.reader).events if one.verb == "labels.stored"]
    assert [(one.evidence["by"], one.evidence["matched"]) for one in stored] == [("cy", 603)]


def test_an_early_label_waits_for_its_prediction(served: Parts) -> None:
    assert label(served, [(str(at), at % 2) for at in range(600)])["early"] == 600
    capture(served, 600, good=True)
    counts = label(served, [("0", 0)])
    assert (counts["matched"], counts["repeated"]) == (1, 1)
    assert list_labels(served.reader, "fraud").labelled == 600


def test_a_model_that_fails_its_promise_raises_one_alarm_which_ends_when_it_keeps_it_again(served: Parts) -> None:
    label(served, capture(served, 600, good=True))
    assert list_alarms(served.reader).alarms == []
    for first in (600, 1200):
        label(served, capture(served, 600, good=False, first=first))
    [alarm] = list_alarms(served.reader).alarms
    assert (alarm.kind, alarm.status, alarm.version, alarm.subject) == ("performance", "open", 1, "average_precision")
    assert alarm.times_seen == 2
    assert alarm.changed_from is not None and alarm.changed_from >= START + timedelta(minutes=500)
    assert alarm.message.startswith("average_precision of fraud@1 fell to 0.")
    assert f"`mlops close {alarm.id}`" in alarm.hint
    for first in (1800, 2400, 3000):
        label(served, capture(served, 600, good=True, first=first))
    [closed] = list_alarms(served.reader).alarms
    assert (closed.status, closed.closed_by) == ("closed", "engine")


def test_an_alarm_that_a_person_closed_stays_closed_while_nothing_is_new(served: Parts) -> None:
    label(served, capture(served, 600, good=False))
    [alarm] = list_alarms(served.reader).alarms
    close(served, ADA, alarm.id, AnswerAlarm(note="the new merchants"))
    label(served, capture(served, 600, good=False, first=600))
    assert [one.status for one in list_alarms(served.reader).alarms] == ["closed"]


def test_a_window_keeps_its_figures_and_is_judged_once(served: Parts) -> None:
    label(served, capture(served, 600, good=False))
    before = performance(served.reader, "fraud").windows
    label(served, [("0", 0)])
    [alarm] = list_alarms(served.reader).alarms
    assert alarm.times_seen == 1
    assert [one.starts_at for one in performance(served.reader, "fraud").windows] == [one.starts_at for one in before]


def test_what_was_measured_by_one_metric_is_not_told_as_another(served: Parts) -> None:
    ask(served, capture(served, 600, good=False))
    worked, _, result = work(served)
    say(served, served.home.root / "p", '[gate]\nmetric = "roc_auc"\n')
    worked.post("label", result.model_dump(mode="json"))
    assert performance(served.reader, "fraud").windows == []
    assert (list_labels(served.reader, "fraud").labelled, list_alarms(served.reader).alarms) == (600, [])
    label(served, [("0", 0)])
    told = performance(served.reader, "fraud")
    assert told.metric == "roc_auc" and any(one.mature for one in told.windows)


def test_a_wrong_file_stores_nothing(served: Parts) -> None:
    capture(served, 600, good=True)
    ask(served, [("1", 1)], head="who,y")
    with pytest.raises(BadData, match=r"outcomes\.csv has no key"):
        work(served)
    assert not (served.home.captures / "fraud" / "labels").exists()
    with served.reader.connection() as connection:
        assert connection.execute(select(LABEL_FILE)).all() == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "\x1b[31m.csv", "x" * 200, "..", "labels.csv"])
def test_a_hostile_name_leads_nowhere(name: str, served: Parts) -> None:
    ask(served, capture(served, 20, good=True), file=name)
    worked, _, result = work(served)
    given = [path for path in (worked.folder / "given").iterdir() if path.is_symlink()]
    assert len(given) == 1 and "\x1b" not in given[0].name
    assert result.counts["matched"] == 20


def test_a_worker_that_names_another_file_is_refused(served: Parts) -> None:
    ask(served, capture(served, 20, good=True))
    worked, order, result = work(served)
    for name in ("../x.parquet", "J999.parquet"):
        with pytest.raises(InvalidInput, match="names its labels"):
            worked.post("label", result.model_dump(mode="json") | {"file": name})
    Path(order.out_folder, result.file).unlink()
    with pytest.raises(NotFound, match="are not where they were reported"):
        worked.post("label", result.model_dump(mode="json"))


def test_a_model_nobody_trained_or_a_file_nobody_sent_is_refused(parts: Parts) -> None:
    with pytest.raises(NotFound, match="There is no project 'fraud'"):
        label_model(parts, CY, "fraud", AskLabel(sha256="0" * 64, file="l.csv"))
    add(parts, parts.home.root / "p")
    with pytest.raises(NotFound, match="was not uploaded"):
        label_model(parts, CY, "fraud", AskLabel(sha256="0" * 64, file="l.csv"))
    upload = receive_file(parts, CY, [b"id,y\n1,1\n"])
    with pytest.raises(Conflict, match="has no version yet"):
        label_model(parts, CY, "fraud", AskLabel(sha256=upload.sha256, file="l.csv"))


def test_a_file_that_breaks_off_leaves_nothing(parts: Parts) -> None:
    def broken() -> Any:
        yield b"id,y\n"
        raise InvalidInput("The connection broke off.")

    for pieces in (broken(), []):
        with pytest.raises(InvalidInput):
            receive_file(parts, CY, pieces)
    left = [path for path in parts.home.blobs.rglob("*") if path.is_file()]
    assert left == []
    sent = receive_file(parts, CY, [b"id,", b"y\n"])
    assert sent.sha256 == entry("", b"id,y\n")["sha256"]
    assert parts.blobs.read(sent.sha256) == b"id,y\n"
