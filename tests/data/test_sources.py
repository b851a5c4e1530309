from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from engine.data.sources import Dialect, Table, find_files, read_table
from engine.errors import BadData, InvalidConfig, InvalidInput, NotFound

Write = Callable[..., Path]
Read = Callable[..., Table]


def test_a_glob_gives_its_files_sorted_and_none_twice(write: Write, tmp_path: Path) -> None:
    for name in ("data/b.csv", "data/a.csv", "data/deep/c.csv", "data/x.txt"):
        write(name, "a\n1\n")
    names = [path.relative_to(tmp_path).as_posix() for path in find_files("data/**/*.csv", tmp_path)]
    assert names == ["data/a.csv", "data/b.csv", "data/deep/c.csv"]
    assert len(find_files(["data/a.csv", "data/*.csv"], tmp_path)) == 2
    assert find_files(str(tmp_path / "data/*.txt"), Path("/")) == [tmp_path / "data/x.txt"]


def test_a_file_whose_name_looks_like_a_pattern_is_itself(write: Write, tmp_path: Path) -> None:
    path = write("data[1].csv", "a\n1\n")
    assert find_files("data[1].csv", tmp_path) == [path]


@pytest.mark.parametrize("source", ["absent.csv", "*.csv", "no/folder/at/all.csv", "a\x00b.csv"])
def test_no_such_file_is_said(source: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        find_files(source, tmp_path)
    assert source in caught.value.message
    assert caught.value.exit_code == 1


def test_a_file_that_goes_before_it_is_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"There is no file gone\.csv"):
        read_table([tmp_path / "gone.csv"], Dialect(), folder=tmp_path)


def test_what_cannot_be_a_path_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        find_files("x" * 5000, tmp_path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is a folder"):
        find_files(".", tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InvalidInput, match="no regular file"):
        read_table([tmp_path / "pipe.csv"], Dialect())


def test_a_file_that_may_not_be_read_says_so(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.csv", "a\n1\n")

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InvalidInput, match="may not be read"):
        read_table([path], Dialect())


@pytest.mark.parametrize("name", ["*", "^x.*$"])
@pytest.mark.parametrize("file", ["data.csv", "data.jsonl"])
def test_a_column_named_like_a_pattern_is_refused(name: str, file: str, read: Read) -> None:
    content = f"x,{name}\n1,2\n" if file == "data.csv" else f'{{"x": 1, "{name}": 2}}\n'
    with pytest.raises(BadData, match="has a column named") as caught:
        read(content, file)
    assert repr(name) in caught.value.message


def test_files_of_one_kind_become_one_table(write: Write, tmp_path: Path) -> None:
    paths = [write("a.csv", "x,y\n1,2\n"), write("b.csv", "y,x\n4,3\n5,6\n")]
    table = read_table(paths, Dialect(), folder=tmp_path)
    assert table.frame.rows() == [("1", "2"), ("3", "4"), ("6", "5")]
    assert table.where_all([2, 0]) == ["b.csv, line 3", "a.csv, line 2"]
    assert [(source.shown, source.rows) for source in table.files] == [("a.csv", 1), ("b.csv", 2)]
    assert table.files[0].sha256 == hashlib.sha256(b"x,y\n1,2\n").hexdigest()


def test_files_with_other_columns_are_refused_by_name(write: Write, tmp_path: Path) -> None:
    paths = [write("a.csv", "x,y\n1,2\n"), write("b.csv", "x,z\n4,3\n")]
    with pytest.raises(BadData, match=r"b\.csv has other columns than a\.csv: it lacks 'y' and has also 'z'"):
        read_table(paths, Dialect(), folder=tmp_path)


def test_csv_and_parquet_do_not_mix(write: Write, tmp_path: Path) -> None:
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(BadData, match="mixes CSV"):
        read_table([write("a.csv", "x\n1\n"), tmp_path / "b.parquet"], Dialect())


def test_a_column_whose_type_differs_between_parquet_files_becomes_text(tmp_path: Path) -> None:
    pl.DataFrame({"x": [1], "y": [1]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"x": ["abc"], "y": [1.5]}).write_parquet(tmp_path / "b.parquet")
    table = read_table([tmp_path / "a.parquet", tmp_path / "b.parquet"], Dialect())
    assert table.frame.schema == {"x": pl.String, "y": pl.Float64}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b""),
        ("a.parquet", b"PAR1 and nothing more"),
        ("a.csv", b"PK\x03\x04\x14\x00\x06\x00"),
        ("a.csv", b"\x1f\x8b\x08\x00abc"),
        ("a.csv", b"SQLite format 3\x00"),
        ("a.csv", b"a,b\n1,\x002\n"),
        ("a.csv", bytes(range(256)) * 20),
        ("a.jsonl", b""),
        ("a.jsonl", b'{"a": 1}\n[1]\n'),
        ("a.jsonl", b'[{"a": 1}]'),
        ("a.jsonl", b'{"a": 1}\n{"a": \n'),
        ("a.jsonl", b"{}\n"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(name: str, content: bytes, read: Read) -> None:
    with pytest.raises(BadData) as caught:
        read(content, name)
    assert caught.value.message.startswith(name)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("encoding", "advice"),
    [("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
def test_another_encoding_is_refused_with_the_one_that_reads(encoding: str, advice: str, read: Read) -> None:
    text = "name,n\nJürgen,1\nGrün – Weiß,2\n"
    with pytest.raises(BadData) as caught:
        read(text.encode(encoding))
    assert f'"{advice}"' in caught.value.hint
    assert read(text.encode(encoding), encoding=advice).frame["name"].to_list() == ["Jürgen", "Grün – Weiß"]


def test_a_wrong_byte_is_named_by_its_line(read: Read) -> None:
    with pytest.raises(BadData, match=r"line 3, byte 10 of the file is 0xfc"):
        read(b"a,b\n1,2\nJ\xfcrgen,2\n")


def test_a_byte_order_mark_is_no_part_of_a_name(read: Read) -> None:
    assert read(b"\xef\xbb\xbfa,b\n1,2\n").frame.columns == ["a", "b"]


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "zip", ""])
def test_an_encoding_nobody_knows_is_a_mistake_in_the_project_file(encoding: str, read: Read) -> None:
    with pytest.raises(InvalidConfig):
        read("a\n1\n", encoding=encoding)


def test_a_delimiter_must_part_fields(read: Read) -> None:
    with pytest.raises(InvalidConfig):
        read("a\n1\n", delimiter='"')


def test_a_delimiter_beyond_ascii_is_read(read: Read) -> None:
    assert read("a§b\n1§2\n", delimiter="§").frame.rows() == [("1", "2")]


def test_json_lines_give_a_column_for_each_key(read: Read) -> None:
    table = read('{"a": 1, "b": "x"}\n\n{"c": true, "a": 2.5}\n', "a.jsonl")
    assert table.frame.rows() == [(1.0, "x", None), (2.5, None, True)]
    assert table.where(1) == "a.jsonl, line 3"


def test_json_lines_that_mix_kinds_become_text(read: Read) -> None:
    lines = "".join('{"a": 1, "b": true}\n' for _ in range(500)) + '{"a": "abc", "b": 1}\n'
    frame = read(lines, "a.jsonl").frame
    assert frame["a"].to_list()[-2:] == ["1", "abc"]
    assert frame["b"].to_list()[-2:] == ["true", "1"]


def test_json_that_polars_does_not_read_is_read_all_the_same(read: Read) -> None:
    frame = read('{"a": NaN, "b": 123456789012345678901234567890}\n{"a": 1, "b": 1}\n', "a.jsonl").frame
    assert str(frame["a"][0]) == "nan"
    assert frame["b"][0] == "123456789012345678901234567890"
