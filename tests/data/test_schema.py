from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.schema import Schema, conform
from engine.data.sources import Table
from engine.data.text_columns import infer
from engine.data.typed_columns import DTYPES
from engine.errors import BadData
from engine.project import Project

Read = Callable[..., Table]
Make = Callable[..., Project]


def column(cells: list[str | None], decimal: Any = ".") -> tuple[str, list[Any]]:
    kind, values = infer(pl.Series("x", cells, dtype=pl.String), decimal)
    return kind, values.to_list()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2", None], ("integer", [1, -2, None])),
        (["1", "2.5"], ("number", [1.0, 2.5])),
        (["1e3", ".5"], ("number", [1000.0, 0.5])),
        (["nan", "1"], ("number", [None, 1.0])),
        (["1,234", "2"], ("integer", [1234, 2])),
        (["1,234.5", "2"], ("number", [1234.5, 2.0])),
        (["1,5", "2"], ("category", ["1,5", "2"])),
        (["007", "12"], ("category", ["007", "12"])),
        (["9007199254740993", "1"], ("category", ["9007199254740993", "1"])),
        (["-9223372036854775808"], ("category", ["-9223372036854775808"])),
        (["99999999999999999999", "1"], ("category", ["99999999999999999999", "1"])),
        (["True", "false", "TRUE"], ("boolean", [True, False, True])),
        (["yes", "no"], ("category", ["yes", "no"])),
        (["1_000", "2"], ("category", ["1_000", "2"])),
        ([None, None], ("category", [None, None])),
        (["2024-02-30", "2024-02-01"], ("category", ["2024-02-30", "2024-02-01"])),
    ],
)
def test_the_narrowest_type_that_fits_every_cell_is_found(cells: list[str | None], expected: Any) -> None:
    assert column(cells) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,5", "2", "1.234,5"], ("number", [1.5, 2.0, 1234.5])),
        (["1.5", "2,5"], ("category", ["1.5", "2,5"])),
        (["0.123"], ("category", ["0.123"])),
    ],
)
def test_with_a_decimal_comma_points_only_group(cells: list[str | None], expected: Any) -> None:
    assert column(cells, ",") == expected


@pytest.mark.parametrize(
    "cell",
    [
        "2024-01-31T10:00:00Z", "2024-01-31 10:00:00", "2024-01-31 12:00:00+02:00", "2024-01-31T12:00:00+0200",
        "2024-01-31 10:00", "2024/01/31 10:00:00", "31.01.2024 10:00", "2024-01-31 10:00:00.000000 UTC",
        "2024-01-31T06:30:00.0-03:30", "2024-01-31 12:00 +02:00",
    ],
)  # fmt: skip
def test_common_ways_to_write_a_time_mean_the_same(cell: str) -> None:
    kind, values = column([cell, "2024-02-01", None])
    assert kind == "time"
    assert values == [datetime(2024, 1, 31, 10, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC), None]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["28/12/2024", "1/2/2024"], [datetime(2024, 12, 28), datetime(2024, 2, 1)]),
        (["12/28/2024", "1/2/2024"], [datetime(2024, 12, 28), datetime(2024, 1, 2)]),
        (["28-12-2024", "2024-02-01"], [datetime(2024, 12, 28), datetime(2024, 2, 1)]),
        (
            ["28/12/2024 10:30", "01/02/2024 10:30:59"],
            [datetime(2024, 12, 28, 10, 30), datetime(2024, 2, 1, 10, 30, 59)],
        ),
        (["12/28/2024 10:30:59", "01/02/2024 9:30"], [datetime(2024, 12, 28, 10, 30, 59), datetime(2024, 1, 2, 9, 30)]),
    ],
)
def test_a_day_above_12_tells_a_columns_days_from_its_months(cells: list[str | None], expected: list[datetime]) -> None:
    assert column(cells) == ("time", [moment.replace(tzinfo=UTC) for moment in expected])


@pytest.mark.parametrize(
    "cells", [["01/02/2024", "12/12/2024"], ["28/12/2024", "12/28/2024"], ["30/02/2024"], ["28/12/24"], ["32/01/2024"]]
)
def test_dates_whose_day_nobody_can_tell_are_no_times(cells: list[str | None]) -> None:
    assert column(cells) == ("category", cells)


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ("03/02/2024", "its day and month cannot be told apart, as no date of the column has a day above 12."),
        ("28/12/2024,1\n12/28/2024", "some dates of the column have the day first and some the month."),
    ],
)
def test_a_time_whose_day_nobody_can_tell_is_refused(second: str, told: str, read: Read, project: Make) -> None:
    with pytest.raises(BadData) as caught:
        conform(read(f"t,y\n01/02/2024,1\n{second},1\n"), project(time="t"))
    assert caught.value.message == f"data.csv, line 2: column 't' has '01/02/2024', and {told}"
    assert "2026-01-31" in caught.value.hint


def test_training_takes_dates_with_slashes_in_the_order_that_the_look_saw(read: Read, project: Make) -> None:
    frame, schema = conform(read("t,y\n01/02/2024,1\n28/12/2024,1\n"), project(time="t"))
    assert frame["t"].to_list() == [datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 12, 28, tzinfo=UTC)]
    with pytest.raises(BadData, match="line 3: column 't' has '30/02/2024', and it is the `time`"):
        conform(read("t,y\n28/02/2024,1\n30/02/2024,1\n"), project(time="t"), schema)


@given(st.lists(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=5))
def test_iso_times_keep_their_microseconds(moments: list[datetime]) -> None:
    kind, values = column([moment.isoformat() for moment in moments])
    assert (kind, values) == ("time", [moment.replace(tzinfo=UTC) for moment in moments])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=1, max_size=5))
def test_numbers_keep_every_digit(numbers: list[float]) -> None:
    kind, values = column([repr(number) for number in numbers])
    assert kind == "number"
    assert values == numbers


def test_a_type_that_changes_far_down_widens_a_first_snapshot(read: Read, project: Make) -> None:
    table = read("x,y\n" + "1,2\n" * 30_000 + "abc,3\n")
    frame, schema = conform(table, project())
    assert [found.type for found in schema.columns] == ["category", "integer"]
    assert frame["x"][30_000] == "abc"


def test_a_type_that_changes_later_is_an_error_with_line_column_and_value(read: Read, project: Make) -> None:
    _, before = conform(read("x,y\n1.5,2\n"), project())
    table = read("x,y\n" + "1,2\n" * 30_000 + "abc,3\n")
    with pytest.raises(BadData) as caught:
        conform(table, project(), before)
    assert caught.value.message == (
        "data.csv, line 30002: column 'x' has 'abc', and the snapshot before has it as a number."
    )


def test_a_declared_type_wins_over_what_is_seen(read: Read, project: Make) -> None:
    declared = {"zip": {"type": "category"}, "n": {"type": "number"}, "b": {"type": "boolean"}}
    frame, _ = conform(read("zip,n,b,y\n12,3,yes,1\n13,4,0,1\n"), project(columns=declared))
    assert frame.rows() == [("12", 3.0, True, 1), ("13", 4.0, False, 1)]


@pytest.mark.parametrize(("kind", "cell"), [("number", "x"), ("integer", "1.5"), ("boolean", "2"), ("integer", "nan")])
def test_a_cell_against_the_declared_type_is_named(kind: str, cell: str, read: Read, project: Make) -> None:
    with pytest.raises(BadData, match=rf"line 3: column 'x' has '{cell}', and \[data.columns\] declares it an? {kind}"):
        conform(read(f"x,y\n1,2\n{cell},2\n"), project(columns={"x": {"type": kind}}, missing=[""]))


def test_integers_that_get_fractions_become_numbers(read: Read, project: Make) -> None:
    _, before = conform(read("x,y\n1,2\n"), project())
    frame, _ = conform(read("x,y\n1.5,2\n"), project(), before)
    assert frame["x"].to_list() == [1.5]


def test_a_column_keeps_its_type_when_its_cells_would_fit_a_narrower_one(read: Read, project: Make) -> None:
    _, before = conform(read("a,b,c,y\nx,1.5,2.0,1\n"), project())
    frame, after = conform(read("a,b,c,y\n7,1,,1\n"), project(), before)
    assert frame.rows() == [("7", 1.0, None, 1)]
    assert [found.type for found in after.columns] == ["category", "number", "number", "integer"]


def test_a_column_that_was_empty_may_become_anything(read: Read, project: Make) -> None:
    _, before = conform(read("x,y\n,2\n"), project())
    frame, _ = conform(read("x,y\n1.5,2\n"), project(), before)
    assert frame["x"].dtype == pl.Float64


def test_a_column_that_is_gone_is_an_error_unless_ignored(read: Read, project: Make) -> None:
    _, before = conform(read("x,y\n1,2\n"), project())
    with pytest.raises(BadData, match="'x' is gone"):
        conform(read("z,y\n1,2\n"), project(), before)
    assert conform(read("z,y\n1,2\n"), project(ignore=["x"]), before)[0].columns == ["z", "y"]


def test_infinity_is_refused_with_its_line(read: Read, project: Make) -> None:
    with pytest.raises(BadData, match=r"data\.csv, line 3: column 'x' holds infinity"):
        conform(read("x,y\n1.5,1\n-inf,1\n"), project())


def test_infinity_that_is_listed_as_missing_is_no_value_as_the_refusal_says(read: Read, project: Make) -> None:
    table = read("x,y\n1.5,1\n-Infinity,1\n")
    with pytest.raises(BadData) as caught:
        conform(table, project())
    assert "list '-Infinity' under `missing` in mlops.toml" in caught.value.hint
    frame, _ = conform(table, project(missing=["", "-Infinity"]))
    assert frame["x"].to_list() == [1.5, None]


def test_infinity_in_a_typed_file_is_refused_and_no_marker_helps(read: Read, project: Make) -> None:
    written = io.BytesIO()
    pl.DataFrame({"x": [1.5, float("inf")], "y": [1, 2]}).write_parquet(written)
    table = read(written.getvalue(), "data.parquet")
    with pytest.raises(BadData, match="holds infinity") as caught:
        conform(table, project(missing=["inf"]))
    assert "missing" not in caught.value.hint


def test_missing_markers_are_null_in_every_column(read: Read, project: Make) -> None:
    frame, schema = conform(read("x,t,y\n1,a,1\n?,NA,1\n,,1\n"), project())
    assert frame["x"].to_list() == [1, None, None]
    assert frame["t"].to_list() == ["a", None, None]
    assert [(found.nulls, found.distinct) for found in schema.columns] == [(2, 1), (2, 1), (0, 1)]


def test_classes_written_as_fractions_are_integers(read: Read, project: Make) -> None:
    frame, _ = conform(read("x,y\n1,0.0\n2,1.0\n3,\n"), project("binary"))
    assert frame["y"].to_list() == [0, 1, None]
    assert frame["y"].dtype == pl.Int64


def test_the_time_column_takes_unix_time_and_years(read: Read, project: Make) -> None:
    wanted = datetime(2024, 1, 1, tzinfo=UTC)
    for cell in ("1704067200", "1704067200.0", "1704067200000", "1704067200000000", "2024", "2024-01-01"):
        frame, _ = conform(read(f"t,y\n{cell},1\n"), project(time="t"))
        assert frame["t"].to_list() == [wanted], cell


def test_a_time_that_is_none_is_named(read: Read, project: Make) -> None:
    with pytest.raises(BadData, match=r"line 3: column 't' has 'soon', and it is the `time` of \[data\]"):
        conform(read("t,y\n2024-01-01,1\nsoon,1\n"), project(time="t"))


def test_typed_files_come_to_the_same_types(project: Make) -> None:
    moment = datetime(2024, 1, 1, 12)
    frame = pl.DataFrame(
        {
            "u8": pl.Series([1, 2], dtype=pl.UInt8),
            "big": [2**60, 1],
            "f32": pl.Series([1.5, float("nan")], dtype=pl.Float32),
            "dec": [Decimal("1.25"), None],
            "cat": pl.Series(["a", "b"], dtype=pl.Categorical),
            "enum": pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])),
            "day": [date(2024, 1, 1), None],
            "ns": pl.Series([moment, None], dtype=pl.Datetime("ns")),
            "zone": pl.Series([moment, None]).dt.replace_time_zone("Europe/Berlin"),
            "took": [timedelta(seconds=90), None],
            "none": pl.Series([None, None], dtype=pl.Null),
            "text": ["1", "2"],
            "iso": ["2024-01-01T12:00:00Z", None],
            "y": [True, False],
        }
    )
    canonical, schema = conform(Table(frame, (), text=False), project())
    assert {found.name: found.type for found in schema.columns} == {
        "u8": "integer", "big": "category", "f32": "number", "dec": "number", "cat": "category", "enum": "category",
        "day": "time", "ns": "time", "zone": "time", "took": "number", "none": "category", "text": "category",
        "iso": "time", "y": "boolean",
    }  # fmt: skip
    assert canonical.row(0)[:4] == (1, str(2**60), 1.5, 1.25)
    assert canonical["f32"].to_list() == [1.5, None]
    assert canonical["zone"][0] == datetime(2024, 1, 1, 11, tzinfo=UTC)
    assert canonical["took"][0] == 90.0
    assert all(canonical.schema[found.name] == DTYPES[found.type] for found in schema.columns)


def test_lists_are_refused_unless_ignored(project: Make) -> None:
    table = Table(pl.DataFrame({"x": [[1], [2]], "y": [1, 2]}), (), text=False)
    with pytest.raises(BadData, match="'x' holds lists"):
        conform(table, project())
    assert conform(table, project(ignore=["x"]))[0].columns == ["y"]


def test_a_schema_survives_json(read: Read, project: Make) -> None:
    _, schema = conform(read("x,y\n1,2\n"), project(columns={"x": {"nullable": False}}))
    assert Schema.from_dict(schema.to_dict()) == schema
    found = schema.get("x")
    assert found is not None
    assert not found.nullable
    assert schema.get("z") is None
