"""What is said of checks, drift and alarms."""

from __future__ import annotations

from datetime import timedelta

from fakes import watched_objects as watched

from mlops_tui.view.monitoring import (
    alarm_lines,
    alarm_row,
    check_lines,
    check_row,
    drift_lines,
    drift_rows,
    histogram,
    threshold_line,
)


def texts(lines: list) -> list[str]:
    return [line.text for line in lines]


def test_faults_of_the_data_are_told_after_the_outcome() -> None:
    findings = [{"message": "Column a is empty.", "alarming": True}, {"message": "Column z is new.", "alarming": False}]
    told = texts(check_lines(watched.check("alarm", drifted=[], findings=findings)))
    assert told[0].startswith("! alarm: something is wrong with the data of fraud@2")
    assert told[1:3] == ["  ! Column a is empty.", "  · Column z is new."]


def test_many_columns_are_counted_rather_than_listed() -> None:
    told = check_lines(watched.check(drifted=[f"c{number}" for number in range(9)]))[0].text
    assert "c0, c1, c2, c3, c4, c5 and 3 more no longer look like" in told


def test_where_no_shift_would_have_shown_the_line_says_nothing_of_it() -> None:
    threshold = watched.THRESHOLD.model_copy(update={"smallest_shift": None, "smallest_distance": 0.25})
    assert "100 rows would have shown a distance of 0.25;" in threshold_line(threshold, 100)
    neither = threshold.model_copy(update={"smallest_distance": None, "alarms_per_year": 12.0})
    assert threshold_line(neither, 100).endswith("a distance ≥ 0.1; at most 12 false alarms a year are expected.")


def test_calm_columns_are_cut_and_those_that_drifted_never() -> None:
    rows = drift_rows(watched.drift(), 1)
    assert [row[0].text for row in rows] == ["amount", "country"]
    assert [row[0].text for row in drift_rows(watched.drift(), 0)] == ["amount"]
    assert drift_rows(watched.drift(check=watched.check("insufficient"))) == []


def test_bars_are_drawn_over_one_scale_and_little_is_not_nothing() -> None:
    assert histogram([0.0, 0.001, 0.25, 0.5], 0.5) == " ▁▄█"
    assert histogram([0.0], 0.0) == " "


def test_many_bins_are_folded_into_few() -> None:
    wide = watched.drift().distributions[0].model_copy(update={"reference": [1 / 32] * 32, "current": [1 / 32] * 32})
    (row,) = drift_rows(watched.drift(distributions=[wide]), 0)
    assert len(row[8].text) == 12


def test_a_missing_distribution_leaves_its_cells_open() -> None:
    (row,) = drift_rows(watched.drift(distributions=[]), 0)
    assert (row[8].text, row[9].text) == ("–", "–")


def test_hostile_names_move_no_cursor() -> None:
    hostile = watched.figure("a\x1b[31m", drifted=True, distance=0.3)
    (row,) = drift_rows(watched.drift(check=watched.check(figures=[hostile])), 0)
    assert row[0].text == "a␛[31m"


def test_the_next_look_is_told_where_nothing_else_is() -> None:
    told = texts(drift_lines(watched.drift(), [], watched.NOW))
    assert told[-1] == "The next check comes in 15m; 40 new rows wait."


def test_an_alarm_is_told_with_who_answered_it() -> None:
    seen = watched.alarm(
        status="acknowledged", acknowledged_by="cy", acknowledged_at=watched.NOW, note="we know", retrain_id=2
    )
    told = texts(alarm_lines(seen))
    assert "  acknowledged by cy 2026-05-08 12:00:00 UTC" in told and "  we know" in told
    assert [cell.text for cell in alarm_row(seen, watched.NOW)][:2] == ["3", "◐ acknowledged"]
    assert not any(line.startswith("→") for line in texts(alarm_lines(watched.alarm(status="closed"))))


def test_a_check_is_a_row() -> None:
    row = check_row(watched.check("quiet"), watched.NOW + timedelta(hours=2))
    assert [cell.text for cell in row][:4] == ["4", "✓ quiet", "@2", "7,012"]


def test_answers_are_not_taken_for_their_truth() -> None:
    figures = [watched.figure("is_fraud", kind="prediction", drifted=True)]
    told = check_lines(watched.check(drifted=["is_fraud"], figures=figures))[0].text
    assert told.startswith("! alarm: the answers (is_fraud) no longer look like")
