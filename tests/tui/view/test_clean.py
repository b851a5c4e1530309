"""Text that others wrote."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mlops_tui.view.clean import clean, clean_lines
from mlops_tui.view.width import fit, width_of, wrap

ANYTHING = st.text(st.characters(), max_size=200)
HARMLESS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(ANYTHING)
def test_nothing_that_passes_can_command_a_terminal_or_reorder_a_line(text: str):
    assert not {unicodedata.category(letter) for letter in clean(text)} & HARMLESS


@given(ANYTHING, st.integers(1, 50))
def test_no_more_than_what_was_asked_for_passes(text: str, longest: int):
    assert len(clean(text, longest=longest)) <= longest


@given(ANYTHING)
def test_cleaning_twice_changes_nothing_more(text: str):
    assert clean(clean(text)) == clean(text)


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=100))
def test_plain_text_is_left_alone(text: str):
    assert clean(text) == text


@given(ANYTHING, st.integers(0, 60))
def test_a_fitted_text_takes_exactly_its_width(text: str, width: int):
    assert width_of(fit(clean(text), width)) == width


@given(ANYTHING, st.integers(4, 60))
def test_wrapped_lines_hold_everything_and_are_no_wider(text: str, width: int):
    lines = wrap(clean(text), width)
    assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")
    assert all(width_of(line) <= width for line in lines)


def test_ten_thousand_letters_are_cut():
    assert clean("x" * 10_000).endswith("x…")
    assert len(clean("\u202e" * 10_000)) <= 2_000


def test_a_pile_of_combining_marks_is_levelled():
    assert len(clean("a" + "\u0301" * 500)) == 4


def test_letters_of_every_script_stay():
    for text in ("Grüße", "数据", "данные", "مرحبا", "नमस्ते"):
        assert clean(text) == text


def test_lines_are_kept_and_nothing_else():
    assert clean_lines("a\r\nb\x1b[2J\n\nc") == ["a", "b␛[2J", "", "c"]
