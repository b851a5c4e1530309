"""Two distributions over each other, told apart by glyph and by tone."""

import pytest
from fakes.drifted import channel, distance

from mlops_tui.view.cell import Cell
from mlops_tui.view.distribution import EVEN, NOT_KEPT, ROOTS, Drawn, draw


def text(drawn: Drawn) -> list[str]:
    return ["".join(piece.text for piece in line) for line in drawn]


def tones(drawn: Drawn, glyph: str) -> set[str]:
    return {piece.tone for line in drawn for piece in line if piece.text and set(piece.text) == {glyph}}


def test_a_label_that_is_new_is_now_only_and_one_that_went_is_training_only():
    drawn = draw(channel(current=[0.0, 0.35, 0.28, 0.37]), 60, 8)
    lines = {line.split()[0]: line for line in text(drawn)[1:]}
    assert set(lines["app"].split()[1]) == {"█"}
    assert set(lines["chip"].split()[1]) == {"░"}
    assert set(lines["online"].split()[1]) == {"▒"}
    assert tones(drawn, "█") == {"busy"} and tones(drawn, "░") == {"dim"}


def test_labels_that_moved_most_come_first_with_both_shares():
    lines = text(draw(channel(), 60, 8))
    assert lines[1].startswith("app") and lines[1].endswith("0% → 18%")


def test_labels_without_room_are_counted():
    labels = [f"label{at}" for at in range(30)]
    shares = [1 / 30] * 30
    lines = text(draw(channel(labels=labels, reference=shares, current=shares), 60, 10))
    assert len(lines) == 10
    assert lines[-1] == "and 22 labels more that moved less"


def test_numbers_that_moved_up_leave_training_alone_on_the_left_and_now_on_the_right():
    lines = text(draw(distance(), 60, 12))[1:-1]
    left, right = "".join(line[7:12] for line in lines), "".join(line[-5:] for line in lines if len(line) > 50)
    assert "░" in left and "█" not in left
    assert "█" in right and "░" not in right


def test_the_ends_of_the_bins_stand_below_and_shares_at_the_left():
    lines = text(draw(distance(), 60, 12))
    assert lines[-1].split() == ["└0", "20", "80"]
    assert lines[1].strip().startswith("40%┤")
    assert any(line.strip().startswith("20%┤") for line in lines)


def test_where_one_bin_holds_most_the_others_still_show():
    many = 10
    spiky = distance(
        edges=[float(at) for at in range(many + 1)], reference=[0.73, *[0.03] * 9], current=[0.955, *[0.005] * 9]
    )
    drawn = draw(spiky, 70, 14)
    assert ROOTS in drawn[0]
    assert any("░" in line[20:] for line in text(drawn)[1:-1])
    assert ROOTS not in draw(distance(), 70, 14)[0]


@pytest.mark.parametrize("width", [24, 30, 60, 80, 140])
@pytest.mark.parametrize("height", [3, 4, 6, 11, 30])
@pytest.mark.parametrize("told", ["", "why it rings " * 30])
def test_no_picture_is_larger_than_its_room(width: int, height: int, told: str):
    bins = [1 / 300] * 300
    wide = distance(edges=[float(at) for at in range(301)], reference=bins, current=bins)
    for shape in (channel(), distance(), wide, channel(column="名前" * 50)):
        drawn = draw(shape, width, height, told)
        assert len(drawn) <= height
        assert all(len(line) <= max(width, 37) for line in text(drawn))


def test_too_little_room_shows_nothing():
    assert draw(channel(), 23, 10) == [] == draw(channel(), 60, 2)


def test_a_shape_that_is_not_kept_says_so_below_what_is_told():
    assert draw(None, 60, 10, "why") == [[Cell("why", "warn")], [NOT_KEPT]]


def test_what_is_told_takes_two_lines_at_most():
    drawn = draw(channel(), 40, 10, "word " * 40)
    assert [piece.tone for line in drawn for piece in line].count("warn") == 2
    assert text(drawn)[2].endswith("…")


def test_a_current_with_fewer_bins_than_the_reference_is_drawn():
    assert draw(distance(current=[1.0]), 60, 10)
    assert draw(distance(current=[]), 60, 10)


def test_answers_in_bins_of_as_many_rows_each_say_so_and_stand_upright():
    even = distance(column="is_fraud", kind="prediction", reference=[0.2] * 5, current=[0.7, 0.1, 0.1, 0.05, 0.05])
    drawn = draw(even, 80, 10)
    assert drawn[0][-1] == EVEN and tones(drawn, "█") and tones(drawn, "░")
    assert draw(distance(kind="prediction", reference=[0.9, 0.1, 0.0, 0.0, 0.0]), 80, 10)[0][-1] != EVEN
