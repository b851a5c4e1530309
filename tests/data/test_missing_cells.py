"""Cells that mean null, and the decimal mark, in files as spreadsheets of several countries write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.data.first_look import look_first
from engine.data.look import Look, look
from engine.data.project_file import write_project_file
from engine.data.snapshot import take_snapshot
from engine.project import parse_project

See = Callable[..., Look]
MARKERS = ("k.A.", "-", "?", "n/a", ".", "--", "keine Angabe", "NULL", "#N/V", "#NV", "–")


@pytest.fixture
def see(tmp_path: Path) -> See:
    """Look at a file of so many lines, and take the snapshot that its project's file asks for."""

    def seeing(header: str, line: Callable[[int], str], target: str = "y", rows: int = 120) -> Look:
        path = tmp_path / "data.csv"
        path.write_bytes((header + "\r\n" + "".join(line(i) + "\r\n" for i in range(rows))).encode("cp1252"))
        found = look(str(path), target, relative_to=tmp_path)
        (tmp_path / "out").mkdir(exist_ok=True)
        taken = take_snapshot(parse_project(write_project_file(found)), tmp_path, tmp_path / "out")
        assert {one.name: one.type for one in found.columns} == {one.name: one.type for one in taken.schema.columns}
        return found

    return seeing


def types(found: Look) -> list[str]:
    return [column.type for column in found.columns]


def comma(number: float) -> str:
    return f"{number:.2f}".replace(".", ",")


def staff(i: int) -> str:
    height, pay = "k.A." if i % 25 == 3 else comma(150 + i * 7 % 50 + 0.5), "k.A." if i % 30 == 4 else comma(i * 91.37)
    age, town = "-" if i % 29 == 5 else 20 + i % 50, "-" if i % 40 == 6 else ("Köln", "Lübeck", "Münster")[i % 3]
    return (
        f"{1000 + i * 3};{town};{age};{height};{pay};{i % 28 + 1:02}.{i % 12 + 1:02}.2024;{'ja' if i % 3 else 'nein'}"
    )


STAFF = "Kundennr;Ort;Alter;Größe;Gehalt;Eintritt;y"


def test_a_german_file_with_its_marker_in_every_decimal_column_is_read(see: See) -> None:
    found = see(STAFF, staff, rows=300)
    assert (found.delimiter, found.encoding, found.decimal) == (";", "cp1252", ",")
    assert types(found) == ["integer", "category", "integer", "number", "number", "time", "category"]
    assert {marker.text: marker.columns for marker in found.missing} == {
        "k.A.": ("Größe", "Gehalt"), "-": ("Ort", "Alter")
    }  # fmt: skip
    assert any(note.startswith("'k.A.' means no value") for note in found.notes)
    assert found.having("id")[0].name == "Kundennr"


def test_a_column_with_a_marker_is_a_quantity_to_learn_before_and_after_it_is_chosen(see: See, tmp_path: Path) -> None:
    found = see(STAFF, staff, target="Gehalt", rows=300)
    assert (found.task, found.rows_without_target) == ("regression", 10)
    first = {one.name: one.task for one in look_first(str(tmp_path / "data.csv")).columns}
    assert (first["Gehalt"], first["Größe"]) == ("regression", "regression")


@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("number", [comma, lambda value: f"{value:.2f}"])
def test_a_usual_marker_hides_neither_the_numbers_nor_their_mark(
    marker: str, number: Callable[[float], str], see: See
) -> None:
    """It fills an eighth of the only column of numbers."""
    found = see("v;x;y", lambda i: f"{marker if i % 8 == 1 else number(i * 1.37)};{i % 5};{i % 2}")
    assert types(found) == ["number", "integer", "integer"]
    assert [(one.text, one.rows) for one in found.missing] == [(marker, 15)]
    assert found.columns[0].nulls == 15


@pytest.mark.parametrize(
    ("header", "line", "decimal", "kinds"),
    [
        ("v;x;y", lambda i: f"{i};{i % 5};{i % 2}", ".", ["integer", "integer", "integer"]),
        (
            "v;x;y",
            lambda i: f"{i % 28 + 1:02}.{i % 12 + 1:02}.2024;{i % 5};{i % 2}",
            ".",
            ["time", "integer", "integer"],
        ),
        ("v;x;y", lambda i: f"1.{i % 9}.{i % 4};{i % 5};{i % 2}", ".", ["category", "integer", "integer"]),
        ("v;x;y", lambda i: f"A{i % 9};{i % 5};{i % 2}", ".", ["category", "integer", "integer"]),
        ("v,x,y", lambda i: f'"{i % 4},2,3",{i * 0.25},{i % 2}', ".", ["category", "number", "integer"]),
        ("v,x,y", lambda i: f'"{i % 4},5",{i * 0.25},{i % 2}', ".", ["category", "number", "integer"]),
        ("v,x,y", lambda i: f'"{i * 977 + 50:,}",{i * 0.25},{i % 2}', ".", ["integer", "number", "integer"]),
        ("v;x;y", lambda i: f"1.{i % 9};{comma(i * 1.3)};{i % 2}", ",", ["category", "number", "integer"]),
        ("v;x;y", lambda i: f"1.234.{500 + i};{i % 5};{i % 2}", ",", ["integer", "integer", "integer"]),
        ("v;x;y", lambda i: f"1.{200 + i},56;{i % 5};{i % 2}", ",", ["number", "integer", "integer"]),
        ("v;x;y", lambda i: f"1,{200 + i};{i % 5};{i % 2}", ",", ["number", "integer", "integer"]),
    ],
)
def test_the_decimal_mark_is_the_one_that_makes_numbers(
    header: str, line: Callable[[int], str], decimal: str, kinds: list[str], see: See
) -> None:
    found = see(header, line)
    assert (found.decimal, types(found)) == (decimal, kinds)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (lambda i: f"{i + 1}.{200 + i};{i % 5};{i % 2}", "'1.200' is read as 1.2; where it is 1200, write decimal"),
        (lambda i: f"1,{200 + i};{i % 5};{i % 2}", "'1,200' is read as 1.2; where it is 1200, write decimal"),
        (lambda i: f"1.{i};{comma(i * 1.3)};{i % 2}", "have a decimal point, and `decimal` in mlops.toml is the comma"),
        (lambda i: f"{'abcdefgh'[i % 8] if i % 6 == 0 else i};{i % 5};{i % 2}", "numbers but for 20 of 120 cells"),
    ],
)
def test_numbers_that_may_be_read_otherwise_are_told(line: Callable[[int], str], told: str, see: See) -> None:
    found = see("v;x;y", line)
    assert told in found.columns[0].hint
    assert any(note.startswith("'v': ") and told in note for note in found.notes)


def test_thousands_in_a_file_whose_mark_is_plain_are_no_matter_of_doubt(see: See) -> None:
    found = see("v,x,y", lambda i: f'"{i * 977 + 50:,}",{i * 0.25},{i % 2}')
    assert not any(column.hint for column in found.columns)


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("c;x;y", lambda i: f"{'+-'[i % 2]};{'-' if i % 9 == 1 else i};{i % 2}"),
        ("c;x;y", lambda i: f"{'-' if i % 3 else 1};{i};{i % 2}"),
        ("c;x;y", lambda i: f"{'X' if i % 10 == 1 else i % 7};{i};{i % 2}"),
        ("c;x;y", lambda i: f"{'ab'[i % 2]};{i};{'-' if i % 30 == 1 else i % 3}"),
    ],
)
def test_a_value_is_not_taken_for_a_missing_one(header: str, line: Callable[[int], str], see: See) -> None:
    assert see(header, line).missing == ()


@pytest.mark.parametrize("name", ["Kundennr", "Kunden-Nr.", "CustomerNo", "Artikelcode", "Kunde", "customer_number"])
@pytest.mark.parametrize("start", [1, 5000])
def test_a_unique_column_that_is_named_like_a_given_number_is_the_id(name: str, start: int, see: See) -> None:
    found = see(f"{name};x;y", lambda i: f"{start + i};{i % 7};{i % 2}")
    assert [column.name for column in found.having("id")] == [name]


def test_the_projects_file_names_a_column_that_could_be_the_id(see: See) -> None:
    found = see("ref;x;y", lambda i: f"{5000 + 3 * i};{i % 7};{i % 2}")
    assert not found.having("id")
    assert "unique in every row, as is ref" in write_project_file(found)
