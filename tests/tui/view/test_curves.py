"""Curves in braille."""

import math

import pytest

from engine.wire.runs import CurvePoint
from mlops_tui.view.curves import curves_of, legend, plot
from mlops_tui.view.width import width_of


def text(drawn: list[list[object]]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in drawn]  # type: ignore[attr-defined]


def test_a_picture_fills_its_room_to_the_column():
    for width, height in ((16, 3), (80, 9), (201, 40)):
        drawn = text(plot({"a": [(at, at**2) for at in range(50)]}, "a", width, height))
        assert len(drawn) == height
        assert {width_of(line) for line in drawn} == {width}


def test_the_ends_of_both_axes_are_told():
    drawn = text(plot({"a": [(3, 0.25), (90, 0.75)]}, "a", 40, 8))
    assert drawn[0].startswith("0.75┤")
    assert drawn[-2].startswith("0.25┤")
    assert "└3" in drawn[-1]
    assert drawn[-1].endswith("step 90")


def test_a_rising_curve_begins_low_and_ends_high():
    drawn = text(plot({"a": [(at, at) for at in range(10)]}, "a", 30, 6))
    body = [line.partition("│")[2] or line.partition("┤")[2] for line in drawn[:-1]]
    assert body[-1].strip()[0] != " "
    assert body[0].rstrip() == body[0]
    assert not body[0][:10].strip()
    assert not body[-1][-10:].strip()


def test_the_line_in_front_is_told_apart_by_its_tone():
    tones = {
        name: {
            piece.tone for line in plot({"a": [(0, 0), (9, 9)], "b": [(0, 9), (9, 0)]}, name, 40, 8) for piece in line
        }
        for name in ("a", "nobody")
    }
    assert "busy" in tones["a"]
    assert tones["nobody"] == {"dim"}


def test_one_value_is_a_level_of_dashes():
    drawn = text(plot({"a": [(0, 0.0), (9, 1.0)], "b": [(0, 0.5)]}, "b", 40, 9))
    dots = [sum(letter in "⠁⠂⠄⡀" for letter in line) for line in drawn]
    assert sorted(dots)[-1] > 5


@pytest.mark.parametrize(("width", "height"), [(10, 20), (80, 2), (0, 0)])
def test_where_there_is_no_room_nothing_is_drawn(width: int, height: int):
    assert plot({"a": [(0, 1.0), (1, 2.0)]}, "a", width, height) == []


def test_a_flat_line_and_no_line_are_no_error():
    assert len(plot({"a": [(0, 1.0), (5, 1.0)]}, "a", 40, 8)) == 8
    assert plot({}, None, 40, 8) == []


def test_values_that_cannot_be_drawn_are_left_out():
    points = [
        CurvePoint(candidate="a", key="loss", step=at, value=value) for at, value in enumerate((1.0, math.inf, 0.5))
    ]
    assert curves_of(points).by_key["loss"]["a"] == [(0, 1.0), (2, 0.5)]


def test_the_judging_metric_comes_first_and_that_of_training_rows_last():
    keys = ("train_auc", "auc", "loss", "auc")
    points = [CurvePoint(candidate="a", key=key, step=at, value=1.0) for key in keys for at in range(2)]
    points.append(CurvePoint(candidate="a", key="threshold", step=0, value=0.5))
    assert curves_of(points).keys("loss") == ["loss", "auc", "train_auc"]


def test_the_best_of_a_loss_is_the_least():
    assert "best 0.2 at step 1" in legend("log_loss", 0, "a", [(0, 0.5), (1, 0.2), (2, 0.3)]).text
    assert "best 0.5 at step 0" in legend("roc_auc", 0, "a", [(0, 0.5), (1, 0.2), (2, 0.3)]).text
