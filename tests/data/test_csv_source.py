from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data import csv_source
from engine.data.csv_source import lines_of_rows, read_csv
from engine.errors import BadData

CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r", exclude_categories=("Cs",)), max_size=12).map(
    str.strip
)


def refusal(text: bytes, delimiter: str = ",") -> BadData:
    with pytest.raises(BadData) as caught:
        read_csv(text, delimiter, "data.csv")
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "expected", "found"),
    [
        (b"a,b,c\n1,2,3\n4,5\n6,7,8\n", 3, 3, 2),
        (b"a,b\n1,2\n3,4,5\n", 3, 2, 3),
        (b"a,b\n1,2,3\n4,5,6\n", 2, 2, 3),
        (b'a,b\n"x\ny",2\n1\n', 4, 2, 1),
        (b"\n\na,b\n\n1,2,3\n", 5, 2, 3),
        (b"a,b\r\n1,2\r\n\r\n3\r\n", 4, 2, 1),
    ],
)
def test_a_row_of_another_length_is_named_by_its_line(text: bytes, line: int, expected: int, found: int) -> None:
    error = refusal(text)
    assert error.message == f"data.csv, line {line}: expected {expected} fields, got {found}."


def test_a_short_row_far_down_a_large_file_is_found() -> None:
    text = b"a,b\n" + b"1,2\n" * 40_000 + b"1\n" + b"1,2\n" * 10
    assert "line 40002: expected 2 fields, got 1" in refusal(text).message


def test_a_short_row_is_found_across_the_chunks_of_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_source, "_CHUNK_BYTES", 7)
    assert "line 4" in refusal(b'a,b\n"1,\n1",2\n3\n4,5\n').message
    assert read_csv(b'a,b\n"1,\n""1",2\n3,4\n\n5,6', ",", "x").rows() == [('1,\n"1', "2"), ("3", "4"), ("5", "6")]


def test_an_open_quote_is_named_by_the_line_it_opens_on() -> None:
    assert refusal(b'a,b\n1,2\n3,"x\n4,5\n6,7\n').message == 'data.csv, line 3: a quote (") is opened and never closed.'


def test_a_name_twice_is_refused() -> None:
    assert "'a' 2 times" in refusal(b"a,b, a\n1,2,3\n").message


@pytest.mark.parametrize("text", [b"", b"\n\n", b"   \n"])
def test_an_empty_file_says_so(text: bytes) -> None:
    assert refusal(text).message == "data.csv is empty."


@pytest.mark.parametrize("text", [b"a,b\n", b"a,b", b"a,b\r\n\r\n"])
def test_a_header_without_rows_says_so(text: bytes) -> None:
    assert "no row" in refusal(text).message


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        (b"a,b,\n1,2,\n", ["a", "b"], [("1", "2")]),
        (b"a,b\n1,2,\n3,4,\n", ["a", "b"], [("1", "2"), ("3", "4")]),
        (b",a\n0,1\n", ["unnamed_1", "a"], [("0", "1")]),
        (b"a,b\r\n1,2\r\n\r\n3,4\r\n\r\n", ["a", "b"], [("1", "2"), ("3", "4")]),
        (b"a,b\n1,2\n  \n3,4\n", ["a", "b"], [("1", "2"), ("3", "4")]),
        (b"a,b\r1,2\r3,4\r", ["a", "b"], [("1", "2"), ("3", "4")]),
        (b'a,b\n5" x,2\n3,"6"" x"\n', ["a", "b"], [('5" x', "2"), ("3", '6" x')]),
        (b'a, b\n1, "x, y"\n', ["a", "b"], [("1", "x, y")]),
        (b'"a.b [c] ""d""","e,f"\n 1 ,2', ['a.b [c] "d"', "e,f"], [("1", "2")]),
        (b"a,b\n1,\n,2\n,\n", ["a", "b"], [("1", ""), ("", "2"), ("", "")]),
        (b'a,b\n"abc"def,2\n', ["a", "b"], [("abcdef", "2")]),
    ],
)
def test_files_as_people_write_them_are_read(text: bytes, names: list[str], rows: list[tuple[str, ...]]) -> None:
    frame = read_csv(text, ",", "data.csv")
    assert (frame.columns, frame.rows()) == (names, rows)


@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_whatever_a_csv_writer_writes_is_read_back(
    rows: list[list[str]], delimiter: str, line_end: str, quoting: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows([["x", "y", "z"], *rows])  # type: ignore[arg-type]
    frame = read_csv(out.getvalue().encode(), delimiter, "data.csv")
    assert frame.rows() == [tuple(row) for row in rows]


@given(st.binary(max_size=200).filter(lambda raw: b"\x00" not in raw))
def test_any_text_is_read_or_refused_in_a_sentence(raw: bytes) -> None:
    text = raw.decode("latin-1").encode()
    try:
        frame = read_csv(text, ",", "data.csv")
    except BadData as error:
        assert error.message.startswith("data.csv")
    else:
        assert frame.height > 0


def test_rows_are_found_on_their_lines() -> None:
    text = b'a,b\n\n"x\n\ny",1\n2,3\n\n4,5\n'
    assert lines_of_rows(text, ",", [0, 1, 2]) == [3, 6, 8]
