from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from engine.data.look import Look, derive_name, look
from engine.data.project_file import write_project_file
from engine.data.snapshot import take_snapshot
from engine.errors import BadData, EngineError, InvalidName, NotFound
from engine.project import parse_project

See = Callable[..., Look]


@pytest.fixture
def see(tmp_path: Path) -> See:
    """Look at a file, and take the snapshot that its project's file asks for."""

    def seeing(content: str | bytes, target: str = "y", file: str = "data.csv", name: str | None = None) -> Look:
        path = tmp_path / file
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = look(str(path), target, name=name, relative_to=tmp_path)
        written = parse_project(write_project_file(found))
        assert written.task == found.task
        (tmp_path / "out").mkdir(exist_ok=True)
        taken = take_snapshot(written, tmp_path, tmp_path / "out")
        types = {column.name: column.type for column in taken.schema.columns}
        assert {column.name: column.type for column in found.columns if column.name in types} == types
        return found

    return seeing


def table(header: str, line: Callable[[int], str], count: int = 60) -> str:
    return header + "\n" + "".join(line(i) + "\n" for i in range(count))


def roles(found: Look) -> dict[str, str]:
    return {column.name: column.role for column in found.columns}


@pytest.mark.parametrize(
    ("cell", "task"),
    [
        (lambda i: i % 2, "binary"),
        (lambda i: ("no", "yes")[i % 2], "binary"),
        (lambda i: ("true", "FALSE")[i % 2], "binary"),
        (lambda i: f"{i % 2}.0", "binary"),
        (lambda i: "abc"[i % 3], "multiclass"),
        (lambda i: 3 + i % 5, "multiclass"),
        (lambda i: f"{i % 3}.0" if i % 7 else "", "multiclass"),
        (lambda i: i % 30, "regression"),
        (lambda i: i % 18, "regression"),
        (lambda i: i * 0.25, "regression"),
        (lambda i: (0.1, 0.9)[i % 2], "regression"),
    ],
)
def test_the_task_follows_from_the_targets_values(cell: Callable[[int], object], task: str, see: See) -> None:
    found = see(table("x,y", lambda i: f"{i * i % 17 + 0.5},{cell(i)}"))
    assert found.task == task
    assert found.why_task


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        (("0", "1"), 1),
        (("no", "yes"), "yes"),
        (("true", "false"), True),
        (("Y", "N"), "Y"),
        (("-1", "1"), 1),
        (("2", "4"), 4),
        (("good", "good", "good", "bad"), "bad"),
        (("benign", "benign", "malignant"), "malignant"),
    ],
)
def test_the_positive_value_is_the_plain_one_or_the_rarer(values: tuple[str, ...], positive: object, see: See) -> None:
    found = see(table("x,y", lambda i: f"{i * i % 17 + 0.5},{values[i % len(values)]}"))
    assert found.positive == positive
    assert type(found.positive) is type(positive)


def test_semicolons_decimal_commas_and_an_old_encoding_are_found(see: See) -> None:
    text = table("Größe;y", lambda i: f"{i},5;{'ja' if i % 3 else 'nein'}")
    found = see(text.encode("cp1252"))
    assert (found.delimiter, found.decimal, found.encoding) == (";", ",", "cp1252")
    assert found.columns[0].type == "number"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiter_and_encoding_are_found(delimiter: str, encoding: str, see: See) -> None:
    text = table(
        "x,c,y".replace(",", delimiter), lambda i: delimiter.join([f"{i % 7}.5", f'"é, {i % 3}; |"', str(i % 2)])
    )
    found = see(text.encode(encoding))
    assert found.delimiter == delimiter
    assert roles(found) == {"x": "feature", "c": "feature", "y": "target"}


def test_keys_times_and_useless_columns_get_their_roles(see: See) -> None:
    header = ",customer_id,order_id,created_at,birthday,comment,constant,nothing,amount,country,y"
    text = table(
        header,
        lambda i: (
            f"{i},{i % 55 + 1000},o-{i},2024-01-{i % 28 + 1:02}T10:{i % 60:02}:00Z,1980-01-{i % 28 + 1:02},"
            f"free text number {i},x,,{i * 1.5},{['de', 'at', 'ch'][i % 3]},{i % 2}"
        ),
    )
    found = see(text)
    assert roles(found) == {
        "unnamed_1": "ignored", "customer_id": "ignored", "order_id": "id", "created_at": "time", "birthday": "ignored",
        "comment": "ignored", "constant": "ignored", "nothing": "ignored", "amount": "feature", "country": "feature",
        "y": "target",
    }  # fmt: skip
    assert all(column.why for column in found.columns if column.role in ("ignored", "id", "time"))


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        (lambda i: f"{i % 12 + 1:02}/{i % 7 + 1:02}/2024", "its day and month cannot be told apart"),
        (lambda i: f"{i % 28 + 1:02}/{i % 27 + 1:02}/2024", "some dates of the column have the day first"),
        (lambda i: f"{i % 28 + 1:02}/{i % 12 + 1:02}/24", "the year has two digits"),
        (lambda i: f"{i % 28 + 1:02}/02/{2000 + i} 3 PM", "not every one is a date"),
        (lambda i: f"${i},{i % 10}00.50", "write plain numbers"),
        (lambda i: f"{i}.{i % 10} %", "write plain numbers"),
        (lambda i: f"word{i}", "free text"),
    ],
)
def test_text_that_could_be_more_says_what_it_lacks(cell: Callable[[int], str], why: str, see: See) -> None:
    found = see(table("v,x,y", lambda i: f'"{cell(i % 70)}",{i % 7},{i % 2}', count=80))
    assert found.columns[0].role == "ignored"
    assert why in found.columns[0].why


@pytest.mark.parametrize(
    "order", ["{day:02}/{month:02}/2024", "{month}/{day}/2024", "{day}-{month}-2024 1{day10}:30:00"]
)
def test_dates_with_slashes_are_the_time_where_a_day_is_above_12(order: str, see: See) -> None:
    """The days above 12 come late, beyond what a glance at the first rows would see."""

    def line(i: int) -> str:
        told = order.format(day=28 if i == 250 else i % 12 + 1, month=i % 11 + 1, day10=i % 10)
        return f"{told},{i % 7},{i % 2}"

    found = see(table("ordered_on,x,y", line, count=300))
    assert roles(found)["ordered_on"] == "time"
    assert found.columns[0].seen == "2024-01-01 to 2024-11-12"


@pytest.mark.parametrize(
    ("empty", "note", "comment"),
    [
        (1, "1 of 61 rows has no target and is left out.", "# 1 row has no target; it is left out."),
        (2, "2 of 62 rows have no target and are left out.", "# 2 rows have no target; they are left out."),
    ],
)
def test_rows_without_a_target_are_counted_as_people_count(empty: int, note: str, comment: str, see: See) -> None:
    found = see(table("x,y", lambda i: f"{i % 7},{i % 2}") + "1,\n" * empty)
    assert note in found.notes
    assert comment in write_project_file(found)


def test_one_row_is_one(see: See) -> None:
    with pytest.raises(BadData, match=r"^1 of 1 row has a value of 'y'; at least 20 are needed\.$"):
        see("x,y\n1,2\n")


def test_codes_of_digits_that_repeat_are_categories(see: See) -> None:
    found = see(table("zip,x,y", lambda i: f"0{1000 + i % 60},{i % 7},{i % 2}", count=600))
    assert roles(found)["zip"] == "feature"


def test_digits_too_long_for_a_number_are_no_numbers_with_a_sign(see: See) -> None:
    found = see(table("big,x,y", lambda i: f"{2**63 + i * 1000},{i % 7},{i % 2}"))
    assert (found.columns[0].role, found.columns[0].why) == ("id", "a code that is unique in every row")


@pytest.mark.parametrize(
    ("name", "role"),
    [("Kundennummer", "id"), ("order_number", "id"), ("invoice no", "id"), ("week_number", "feature")],
)
def test_a_number_given_to_each_row_is_its_id(name: str, role: str, see: See) -> None:
    assert roles(see(table(f"{name},x,y", lambda i: f"{5000 + 3 * i},{i % 7},{i % 2}")))[name] == role


def test_a_column_with_a_name_like_a_key_that_repeats_is_no_id(see: See) -> None:
    found = see(table("user_id,x,y", lambda i: f"{i % 10},{i * 0.5},{i % 2}"))
    assert "id" not in roles(found).values()


def test_a_unique_number_with_fractions_is_no_id(see: See) -> None:
    assert roles(see(table("id,x,y", lambda i: f"{i}.25,{i % 9},{i % 2}")))["id"] == "feature"


def test_words_among_numbers_are_taken_for_missing_and_said(see: See) -> None:
    found = see(table("x,c,y", lambda i: f"{'unknown' if i == 40 else i},{'ab'[i % 2]},{i % 2}"))
    assert [(marker.text, marker.odd) for marker in found.missing] == [("unknown", True)]
    assert found.columns[0].type == "integer"
    assert any("'unknown' means no value" in note for note in found.notes)


def test_a_word_that_is_a_category_elsewhere_is_not_missing(see: See) -> None:
    found = see(table("x,c,y", lambda i: f"{'a' if i == 40 else i % 20},{'ab'[i % 2]},{i % 2}"))
    assert not [marker for marker in found.missing if marker.odd]
    assert found.columns[0].type == "category"


def test_usual_markers_are_counted_where_they_occur(see: See) -> None:
    found = see(table("x,c,y", lambda i: f"{'' if i % 6 == 0 else i},{'#N/A' if i % 7 == 0 else 'ab'[i % 2]},{i % 2}"))
    assert {marker.text: marker.rows for marker in found.missing} == {"": 10, "#N/A": 9}


def test_a_leak_is_pointed_out_and_stays_a_feature(see: See) -> None:
    found = see(table("copy,x,word,y", lambda i: f"{i % 2 * 3 + 0.5},{i * 7 % 11},{'ab'[i % 2]},{i % 2}"))
    hints = {column.name: bool(column.hint) for column in found.columns}
    assert hints == {"copy": True, "x": False, "word": True, "y": False}
    assert roles(found)["copy"] == "feature"


def test_a_rare_class_is_no_leak_of_every_column(see: See) -> None:
    found = see(table("x,c,y", lambda i: f"{i * 7 % 11},{'ab'[i % 2]},{1 if i in (100, 3001) else 0}", count=5000))
    assert not any(column.hint for column in found.columns)


@pytest.mark.parametrize(
    ("text", "target", "told"),
    [
        ("x,y\n", "y", "no row"),
        (table("x,y", lambda i: f"{i},1"), "y", "constant"),
        (table("x,y", lambda i: f"{i % 3},{i % 2}"), "z", "no column 'z'"),
        (table("x,y", lambda i: f"{i % 3},t{i}"), "y", "60 different texts"),
        (table("x,y", lambda i: f"{i % 3},2024-01-{i % 28 + 1:02}"), "y", "holds times"),
        (table("y", lambda i: f"{i % 2}"), "y", "No column is left"),
        (table("x,y", lambda i: f"same,{i % 2}"), "y", "every row has the same value"),
        (table("x,y", lambda i: f"{i},{i % 2}", count=10), "y", "at least 20"),
        (table("x,y", lambda i: f"{i},{i % 2}") + "1\n", "y", "line 62: expected 2 fields, got 1"),
        (table("x,y", lambda i: f"{'inf' if i == 7 else i * 0.5},{i % 2}"), "y", "line 9: column 'x' holds infinity"),
    ],
)
def test_what_cannot_be_learnt_from_is_said_in_a_sentence(text: str, target: str, told: str, see: See) -> None:
    with pytest.raises(EngineError) as caught:
        see(text, target)
    assert told in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("content", [bytes(range(256)) * 30, b"PK\x03\x04abc", b"\x89PNG\r\n"])
def test_junk_is_no_data(content: bytes, see: See) -> None:
    with pytest.raises(BadData):
        see(content)


def test_no_such_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        look(str(tmp_path / "absent.csv"), "y")


def test_a_name_given_must_be_one(see: See) -> None:
    with pytest.raises(InvalidName):
        see(table("x,y", lambda i: f"{i},{i % 2}"), name="Not A Name")
    assert see(table("x,y", lambda i: f"{i % 7},{i % 2}"), name="mine").name == "mine"


def test_parquet_and_json_lines_need_no_dialect(see: See, tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": [i * 0.5 for i in range(40)], "tags": [["a"]] * 40, "y": [i % 2 for i in range(40)]})
    frame.write_parquet(tmp_path / "source.parquet")
    found = see((tmp_path / "source.parquet").read_bytes(), file="data.parquet")
    assert roles(found) == {"x": "feature", "y": "target", "tags": "ignored"}
    assert "delimiter" not in write_project_file(found)
    assert see(frame.drop("tags").write_ndjson(), file="data.jsonl").task == "binary"


def test_a_source_below_the_project_is_named_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for part in ("a", "b"):
        (tmp_path / "data" / f"{part}.csv").write_text(table("x,y", lambda i: f"{i % 7},{i % 2}"))
    assert look(f"{tmp_path}/data/*.csv", "y", relative_to=tmp_path).source == "data/*.csv"
    assert look(f"{tmp_path}/data/*.csv", "y", relative_to=tmp_path / "other").source == f"{tmp_path}/data/*.csv"
    assert look(f"{tmp_path}/data/*.csv", "y", relative_to=tmp_path).rows == 120


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/churn.csv", "churn"),
        ("/a/Kunden Übersicht 2024.csv", "kunden-ubersicht-2024"),
        ("/a/2024_sales.final.csv", "sales"),
        ("/a/data/may-*.csv", "may"),
        ("/a/loans/*.parquet", "loans"),
        ("/a/loans/**/*.parquet", "model"),
        ("/a/loans/数据.csv", "loans"),
        ("/123.csv", "model"),
        ("/a/" + "long-" * 20 + ".csv", ("long-" * 8).strip("-")),
    ],
)
def test_a_name_is_made_from_the_files(path: str, name: str) -> None:
    assert derive_name(path) == name


def test_two_hundred_columns_are_looked_at(see: See) -> None:
    header = ",".join(f"c{i}" for i in range(200)) + ",y"
    found = see(table(header, lambda i: ",".join(str((i * j) % 23 + 0.5) for j in range(1, 201)) + f",{i % 2}"))
    assert len(found.having("feature")) > 150
