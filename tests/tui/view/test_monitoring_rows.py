"""Rows of Monitoring and of the Fleet's loop."""

import pytest
from fakes import drifted
from fakes import watched_objects as seen
from fakes import wire_objects as made

from mlops_tui.view.monitoring_performance import plot_performance
from mlops_tui.view.monitoring_rows import (
    WATCHED_ORDERS,
    columns_now,
    columns_of,
    drift_cell,
    floor_bar,
    unended,
    waits_cell,
    watched_cells,
    watched_lines,
    watched_words,
    with_alarms,
)
from mlops_tui.view.needs import needs_told


def row(open_alarms: int = 0, champion: int | None = 2, **watched: object):
    calm = {"alarms": open_alarms, "retrain": None, "retrain_status": None, "outcome": "quiet", "drifted": []}
    return drifted.watched_row(open_alarms=open_alarms, champion=champion, watched=calm | watched)


@pytest.mark.parametrize(
    ("about", "told"),
    [
        (row(), "✓ quiet 3m ago"),
        (row(open_alarms=1), "! alarm 3m ago"),
        (row(alarms=1), "◐ alarm 3m ago"),
        (row(outcome="alarm"), "! drift 3m ago"),
        (row(checked_at=None), "· no check yet"),
        (row(checked_at=None, open_alarms=1), "! alarm"),
        (row(checked_at=None, champion=None), "–"),
    ],
)
def test_drift_is_told_with_a_glyph_a_word_and_an_age(about, told: str):
    assert drift_cell(about, made.NOW).text == told


@pytest.mark.parametrize(
    ("about", "told"),
    [
        (
            row(retrain=2, retrain_status="waiting", retrain_note="Labels are missing."),
            "retrain 2: Labels are missing.",
        ),
        (row(retrain=2, retrain_status="training"), "retrain 2: trains"),
        (row(open_alarms=1), "an answer: a opens the alarm"),
        (row(open_alarms=1).model_copy(update={"needs": "approve version 3"}), "you: approve version 3: A"),
        (row(champion=None), "a release: nothing serves yet"),
        (row(), "500 new rows, 40 are there"),
        (row(waiting_rows=900), "the clock: in 12m"),
        (row(waiting_rows=900, next_at=None), "a check by hand: c"),
    ],
)
def test_what_a_model_waits_for(about, told: str):
    assert waits_cell(about, made.NOW).text == told


def test_a_model_without_any_check_has_a_row_and_its_lines():
    bare = made.fleet_row("bare", champion=None)
    assert watched_cells(bare, made.NOW)["realised"].text == ""
    assert watched_lines(bare, made.NOW)[0].text == "bare waits for a release: nothing serves yet"
    assert "bare" in watched_words(bare, made.NOW)


def test_those_that_ring_come_first():
    rows = [row().model_copy(update={"name": "a"}), row(open_alarms=1)]
    assert [one.name for one in sorted(rows, key=WATCHED_ORDERS["alarms first"])] == ["fraud", "a"]


def test_columns_that_drifted_come_first_and_tell_why():
    figures = [seen.figure("amount", distance=0.09), seen.figure("channel", drifted=True, distance=0.02)]
    columns = columns_now(seen.drift(check=seen.check(figures=figures, drifted=["channel"])))
    told = with_alarms(columns, [drifted.drift_alarm(), drifted.performance_alarm()])
    assert [(one.figures.column, one.told) for one in told] == [("channel", drifted.WHY_CHANNEL), ("amount", "")]


def test_what_an_open_alarm_says_of_a_column_that_is_calm_now_is_told_as_past():
    columns = columns_now(seen.drift(check=seen.check("quiet", figures=[seen.figure("channel")])))
    (told,) = with_alarms(columns, [drifted.drift_alarm()])
    assert told.row["state"].text == "· calm"
    assert told.told == f"Calm in the newest check; the alarm rang because: {drifted.WHY_CHANNEL}"


def test_a_feature_with_the_name_of_the_target_is_told_from_the_answers():
    figures = [seen.figure("amount"), seen.figure("amount", kind="prediction", distance=None)]
    rows = [one.row for one in columns_of(seen.check(figures=figures, drifted=[]))]
    assert [(one["column"].text, one["distance"].text) for one in rows] == [("amount", "KS 0.020"), ("→ amount", "–")]


def test_a_check_without_a_threshold_has_no_columns():
    assert columns_of(seen.check("insufficient")) == []


@pytest.mark.parametrize(
    ("distance", "bar"), [(0.0, "────│────"), (0.1, "━━━━│────"), (0.2, "━━━━│━━━━"), (5.0, "━━━━│━━━▶"), (None, "")]
)
def test_a_bar_tells_how_far_the_floor_is(distance: float | None, bar: str):
    assert floor_bar(distance, 0.1, False).text == bar


def test_open_alarms_come_before_those_that_somebody_looks_after():
    alarms = [
        drifted.drift_alarm(status="acknowledged"),
        drifted.performance_alarm(),
        drifted.drift_alarm(status="closed"),
    ]
    assert [one.status for one in unended(alarms)] == ["open", "acknowledged"]


def test_what_a_retrain_cannot_mend_is_opened_before_what_it_can():
    alarms = [drifted.drift_alarm(), drifted.performance_alarm(), drifted.drift_alarm(id=6, kind="quality")]
    assert [one.kind for one in unended(alarms)] == ["quality", "performance", "drift"]
    answered = [alarms[0], drifted.drift_alarm(id=6, kind="quality", status="acknowledged")]
    assert [one.kind for one in unended(answered)] == ["drift", "quality"]


@pytest.mark.parametrize(
    ("needs", "told"),
    [
        ("look at the drift alarm: mlops drift fraud", "look at the drift alarm: a"),
        ("approve version 3", "approve version 3: A"),
        ("deploy version 3", "deploy version 3: D"),
        ("train it", "train it: t"),
        ("training failed: no data", "training failed: no data · press l"),
        ("look at version 2: fail", "look at version 2: fail · press 3"),
        ("", ""),
    ],
)
def test_a_need_names_its_key(needs: str, told: str):
    assert needs_told(made.fleet_row(needs=needs)) == told


def text(drawn: list[list]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in drawn]


def test_what_answers_were_worth_stands_against_the_promise_over_time():
    drawn = plot_performance(drifted.performance(), 80, 12)
    lines = text(drawn)
    assert "┄ promised" in lines[0] and lines[-1].split()[-1] == "2026-11-03"
    whole = "\n".join(lines[1:])
    assert (whole.count("●"), whole.count("○")) == (3, 1)
    first = next(at for at, line in enumerate(lines) if at and "●" in line)
    assert first < next(at for at, line in enumerate(lines) if at and "○" in line)


@pytest.mark.parametrize(("width", "height"), [(24, 4), (60, 6), (140, 30), (30, 10)])
def test_the_picture_fits_and_a_promise_outside_of_it_makes_room(width: int, height: int):
    far = drifted.performance().model_copy(update={"promised": {"2": {"value": 0.99, "lower": None, "upper": None}}})
    drawn = text(plot_performance(far, width, height))
    assert len(drawn) <= height and "┄" in "".join(drawn[1:])
    assert all(len(line) <= width for line in drawn[1:])


def test_without_labels_nothing_is_drawn():
    bare = drifted.performance().model_copy(update={"windows": []})
    assert plot_performance(bare, 80, 20) == [] == plot_performance(drifted.performance(), 20, 20)
