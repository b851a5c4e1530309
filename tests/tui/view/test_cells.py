"""What a row says."""

from datetime import timedelta

import pytest
from fakes import wire_objects as made

from engine.wire.base import Failure
from engine.wire.endpoints import Traffic
from mlops_tui.view.cell import mark
from mlops_tui.view.columns import GAP, place
from mlops_tui.view.endpoints import share_of
from mlops_tui.view.figures import count, metric, milliseconds, rate, share, size
from mlops_tui.view.filter import Filter
from mlops_tui.view.fleet import FLEET_COLUMNS, fleet_cells, gate_cell, needs_lines, train_cell
from mlops_tui.view.jobs import JOB_COLUMNS, estimate, job_cells, what_cell
from mlops_tui.view.link import Link, link_cell, link_sentence
from mlops_tui.view.sparkline import progress_bar, sparkline
from mlops_tui.view.times import age, duration

STATES = (
    *("queued", "running", "succeeded", "failed", "cancelled"),
    *("pass", "fail", "insufficient", "starting", "ready", "live", "draining", "stopped"),
)


@pytest.mark.parametrize("word", STATES)
def test_a_state_is_told_by_a_word_and_a_glyph_and_never_by_colour_alone(word: str):
    glyph, _, told = mark(word).text.partition(" ")
    assert told == word
    assert glyph not in ("", "·")


def test_states_of_opposite_meaning_have_different_glyphs():
    assert len({mark(word).text[0] for word in ("pass", "fail", "insufficient")}) == 3
    assert len({mark(word).text[0] for word in ("queued", "running", "succeeded", "failed", "cancelled")}) == 5


def test_what_is_not_known_is_no_zero():
    told = {shown(None) for shown in (count, metric, milliseconds, rate, share, size)}
    assert told | {age(None, made.NOW)} == {"–"}


@pytest.mark.parametrize("value", [0.0004, 1e-9])
def test_what_is_little_never_reads_as_nothing(value: float):
    assert share(value) == "<0.1%"
    assert rate(value) == "<0.1/s"
    assert metric(value) not in ("0", "0.0000")


@pytest.mark.parametrize("seconds", [0, 4, 59, 60, 3_599, 86_399, 10**9])
def test_times_are_short(seconds: int):
    assert len(duration(seconds)) <= 6
    assert len(age(made.NOW - timedelta(seconds=seconds), made.NOW)) <= 8


def test_a_time_ahead_is_said_to_be_ahead():
    assert age(made.NOW + timedelta(minutes=4), made.NOW) == "in 4m"


def test_a_running_training_shows_how_far_it_is_and_a_failed_one_that_it_failed():
    assert train_cell(made.fleet_row(train_status="running", train_fraction=0.42), made.NOW).text == "◐ train 42%"
    assert train_cell(made.fleet_row(train_status="failed"), made.NOW).text == "✗ failed"
    assert train_cell(made.fleet_row(train_status=None, train_at=None), made.NOW).text == "–"


def test_the_gate_names_the_version_it_is_about():
    assert gate_cell(made.fleet_row(gate="insufficient", gate_version=4)).text == "? unsure @4"


def test_drift_says_that_nobody_watches_rather_than_that_all_is_calm():
    assert fleet_cells(made.fleet_row(), made.NOW)["drift"].text == "· no check yet"


def test_an_endpoint_that_saw_nothing_has_no_figures():
    cells = fleet_cells(made.fleet_row(traffic=Traffic()), made.NOW)
    assert {cells[name].text for name in ("traffic", "p95", "errors")} == {"–"}


def test_many_needs_are_told_in_few_lines():
    rows = [made.fleet_row(f"m{at}", needs="approve") for at in range(9)]
    told = [line.text for line in needs_lines(rows, 3, 40)]
    assert told == ["▲ m0: approve", "▲ m1: approve", "▲ m2: approve · 6 more"]
    long = needs_lines([made.fleet_row(needs="approve " * 9), *rows], 1, 30)
    assert [line.text for line in long] == ["▲ fraud: approve app… · 9 more"]
    assert needs_lines([made.fleet_row()], 3, 40) == []


def test_a_job_tells_why_it_waits_what_it_does_why_it_failed_and_what_came_of_it():
    told = Failure(code="bad_data", message="Nothing to read.")
    assert what_cell(made.job(status="queued", waits_for="a slot")).text == "waits: a slot"
    assert what_cell(made.running()).text == "fit · lightgbm, 120 trees"
    assert what_cell(made.job(status="failed", failure=told)).text == "Nothing to read."
    assert what_cell(made.job(result={"version": 3, "verdict": "fail"})).text == "fraud@3 fail"
    assert what_cell(made.job(kind="look", result={"rows": 12_000})).text == "12k rows"


def test_an_estimate_is_only_made_when_there_is_something_to_go_by():
    assert estimate(made.running(fraction=0.4), made.NOW) == "about 1m left"
    assert estimate(made.running(fraction=0.01), made.NOW) == ""
    assert estimate(made.running(fraction=None), made.NOW) == ""


def test_what_is_not_known_of_progress_is_shown_as_not_known():
    assert job_cells(made.running(fraction=None), made.NOW)["progress"].text == "┄┄┄┄┄┄   ?%"
    assert progress_bar(1.0, 4) == "━━━━"
    assert progress_bar(7.0, 4) == "━━━━"


def test_a_sparkline_leaves_out_what_is_no_number_and_keeps_the_newest():
    assert sparkline([0.1, float("nan"), 0.2], 8) == "▁ █"
    assert len(sparkline(list(range(100)), 8)) == 8
    assert sparkline([], 8) == ""


@pytest.mark.parametrize("columns", [FLEET_COLUMNS, JOB_COLUMNS])
@pytest.mark.parametrize("width", [58, 78, 98, 118, 158, 238])
def test_columns_fill_a_width_and_never_overflow_it(columns, width: int):
    placed = place(columns, width)
    assert sum(one.width for one in placed) + GAP * (len(placed) - 1) <= width
    assert [one.column for one in placed] == [column for column in columns if column in {p.column for p in placed}]


def test_at_80_columns_the_loop_is_still_told():
    assert [one.column.name for one in place(FLEET_COLUMNS, 78)] == [
        "model", "asks", "data", "train", "gate", "live", "drift", "next"
    ]  # fmt: skip


def test_a_share_on_its_way_shows_where_it_goes():
    assert share_of(made.deployment(share=0.0, target_share=0.1, champion=False)) == "0% → 10%"
    assert share_of(made.deployment()) == "100%"
    lending = made.deployment(share=0.7, target_share=1.0, champion=True)
    assert share_of(lending) == "70%"


@pytest.mark.parametrize(("text", "kept"), [("", True), ("!", True), ("fail fraud", True), ("!fraud", False)])
def test_a_filter_needs_all_its_words_and_an_inverse_none(text: str, kept: bool):
    assert Filter(text).keeps("12 fraud failed") is kept


def test_an_engine_that_is_gone_is_told_with_since_when_and_why():
    gone = Link(lost_at=made.ago(minutes=2), why="No engine answers.\x1b")
    assert link_cell(gone, made.NOW).text == "✗ no engine for 2m"
    assert "since 14:03:09 UTC, 2m ago" in link_sentence(gone, made.NOW)
    assert "\x1b" not in link_sentence(gone, made.NOW)
    assert link_sentence(Link(found=True), made.NOW) == ""
