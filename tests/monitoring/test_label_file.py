from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.errors import BadData
from engine.monitoring.label_file import LabelFileRead, read_label_file
from engine.project import Project, parse_project

SEEN = datetime(2026, 3, 1, tzinfo=UTC)


def project(task: str = "binary", data: str = "") -> Project:
    return parse_project(
        f'[project]\nname = "p"\ntask = "{task}"\n[data]\nsource = "d.csv"\ntarget = "y"\nid = "order"\n{data}'
    )


def read(folder: Path, text: str, classes: Any = (0, 1), told: Project | None = None) -> LabelFileRead:
    path = folder / "labels.csv"
    path.write_text(text)
    return read_label_file(path, told or project(), classes, SEEN)


def as_pairs(found: LabelFileRead) -> list[tuple[str, str]]:
    return list(zip(found.labels["id"], found.labels["label"], strict=True))


@pytest.mark.parametrize(
    ("classes", "cell", "expected"),
    [
        ((0, 1), "1", "1"), ((0, 1), "1.0", "1"), ((0, 1), "True", "1"), ((0, 1), " yes ", "1"), ((0, 1), "2", None),
        ((False, True), "TRUE", "true"), ((False, True), "0", "false"), ((False, True), "n", "false"),
        (("no", "yes"), "yes", "yes"), (("no", "yes"), "1", "yes"), (("ham", "spam"), "spam", "spam"),
        (("ham", "spam"), "Spam", None), (("ham", "spam"), "1", None), ((1, 2, 3), "3.0", "3"),
        ((1, 2, 3), "true", "1"), (("1", "01"), "01", "01"),
    ],
)  # fmt: skip
def test_an_outcome_is_read_as_the_target_was(classes: Any, cell: str, expected: str | None, tmp_path: Path) -> None:
    found = read(tmp_path, f"order,y\n1,{class_that_is_there(classes)}\n2,{cell}\n", classes)
    assert as_pairs(found)[1:] == ([] if expected is None else [("2", expected)])
    assert found.rows - found.labels.height == (expected is None)


def class_that_is_there(classes: Any) -> str:
    return str(classes[0])


def test_numbers_keep_the_projects_decimal_sign_and_refuse_what_is_none(tmp_path: Path) -> None:
    told = project("regression", 'delimiter = ";"\ndecimal = ","')
    found = read(tmp_path, "order;y\n1;1,5\n2;1.234,5\n3;inf\n4;x\n5;NA\n", (), told)
    assert as_pairs(found) == [("1", "1.5"), ("2", "1234.5")]
    assert [example.partition(": ")[2] for example in found.examples] == [
        "'inf' is no number.", "'x' is no number.", "no value in 'y'.",
    ]  # fmt: skip


def test_a_refused_line_is_told_by_its_place_and_the_others_go_on(tmp_path: Path) -> None:
    found = read(tmp_path, "order,y,labelled_at\n1,1,2026-01-01\n\n,1,2026-01-01\n3,maybe,2026-01-01\n4,0,soon\n5,0,\n")
    assert as_pairs(found) == [("1", "1"), ("5", "0")]
    assert found.labels["labelled_at"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC), None]
    assert found.examples == [
        "labels.csv, line 4: no value in 'order'.",
        "labels.csv, line 5: 'maybe' is none of the classes 0, 1.",
        "labels.csv, line 6: what stands in 'labelled_at' is no time.",
    ]


def test_seven_is_one_id_however_it_is_written(tmp_path: Path) -> None:
    frame = pl.DataFrame({"order": [7.0, 8.0], "y": [1, 0]})
    frame.write_parquet(tmp_path / "l.parquet")
    (tmp_path / "l.jsonl").write_text('{"order": 7, "y": true}\n{"order": "8", "y": "no"}\n')
    for name in ("l.parquet", "l.jsonl"):
        assert as_pairs(read_label_file(tmp_path / name, project(), (0, 1), SEEN)) == [("7", "1"), ("8", "0")]
    assert as_pairs(read(tmp_path, "id,label\n7.0,1\n8,0\n")) == [("7", "1"), ("8", "0")]


def test_a_row_without_an_id_is_named_by_its_request(tmp_path: Path) -> None:
    found = read(tmp_path, "order,request_id,row_index,y\n7,r,0,1\n,r-1,2,0\n,r-1,x,0\n,r-1,-1,0\n")
    assert found.labels.select("id", "request_id", "row_index").rows() == [("7", None, None), (None, "r-1", 2)]
    assert found.examples[0].endswith("line 4: no value in 'order' and no 'request_id' with a whole 'row_index'.")


def test_a_projects_own_time_column_is_not_when_the_label_came(tmp_path: Path) -> None:
    text = "order,y,time\n1,1,2026-01-01\n"
    assert read(tmp_path, text).labels["labelled_at"].null_count() == 0
    assert read(tmp_path, text, told=project(data='time = "time"')).labels["labelled_at"].null_count() == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("foo,y\n1,1\n", "has no key: no column 'order' or 'id', and not both 'request_id' and 'row_index'."),
        ("request_id,y\nr,1\n", "has no key"),
        ("order,foo\n1,1\n", "has no outcome: no column 'y' or 'label'."),
        ("order;y\n1;1\n", "has no key"),
        ("order,y\n1,maybe\n", "No line of labels.csv is a label. labels.csv, line 2: 'maybe' is none of the classes"),
        ("order,y\n", "holds a line of column names and no row."),
        ("", "is empty"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadData) as refused:
        read(tmp_path, text)
    assert sentence in refused.value.message


def test_a_line_with_another_number_of_fields_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    found = read(tmp_path, 'order,y\n1,1\nwhat is this\n2,0\n\n3,1,9,9\n4,maybe\n"5,1\n6,0\n')
    assert as_pairs(found) == [("1", "1"), ("2", "0"), ("6", "0")]
    assert found.rows == 7
    assert found.examples == [
        "labels.csv, line 3: expected 2 fields, got 1.",
        "labels.csv, line 6: expected 2 fields, got 4.",
        "labels.csv, line 7: 'maybe' is none of the classes 0, 1.",
        'labels.csv, line 8: a quote (") is opened and not closed.',
    ]


def test_a_stray_quote_takes_no_good_line_with_it(tmp_path: Path) -> None:
    quoted = 'order,y\n"1","1"\n"junk\n"2","0"\n"3\nthree","1"\n"4","1"\n'
    assert as_pairs(read(tmp_path, quoted)) == [("1", "1"), ("2", "0"), ("3\nthree", "1"), ("4", "1")]


def test_a_line_of_foreign_bytes_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"order,y\n1,1\n\xff\xfe\x01\n\x00\x00\n2,0\n")
    found = read_label_file(tmp_path / "labels.csv", project(), (0, 1), SEEN)
    assert as_pairs(found) == [("1", "1"), ("2", "0")]
    assert [example.partition(", ")[2] for example in found.examples] == [
        "line 3: it is not utf-8.", "line 4: it holds a zero byte.",
    ]  # fmt: skip


def test_a_line_that_is_no_object_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"order": 1, "y": 1}\nwhat\n{"order": 2, "y": \n[3, 1]\n{"order": 4, "y": 0}\n{"who": 1}\n')
    found = read_label_file(path, project(), (0, 1), SEEN)
    assert (as_pairs(found), found.rows) == ([("1", "1"), ("4", "0")], 6)
    assert [example.partition(": ")[0] for example in found.examples] == [
        f"labels.jsonl, line {line}" for line in (2, 3, 4, 6)
    ]


def test_a_file_without_one_good_line_is_refused_whole(tmp_path: Path) -> None:
    for text, sentence in (
        ("order,y\nwhat\nis this\n", "labels.csv, line 2: expected 2 fields, got 1."),
        ("order,y\nwhat\n1,maybe\n", "No line of labels.csv is a label. labels.csv, line 2: expected 2 fields, got 1."),
    ):
        with pytest.raises(BadData) as refused:
            read(tmp_path, text)
        assert refused.value.message == sentence
