"""What has changed between two snapshots, column by column."""

from typing import Any

from fakes import wire_objects as made

from engine.wire.runs import ColumnProfile, SnapshotProfile, SnapshotView
from mlops_tui.view.schema import SCHEMA_ORDERS, ColumnRow, column_cells, column_facts, column_rows


def column(name: str = "amount", **changes: Any) -> dict[str, Any]:
    return {"name": name, "type": "number", "nullable": True, "nulls": 0, "distinct": 9} | changes


def snapshot(*columns: dict[str, Any], rows: int = 1000, **changes: Any) -> SnapshotView:
    return made.snapshot(rows=rows, data_schema={"columns": list(columns)}, **changes)


def profile(**changes: Any) -> SnapshotProfile:
    told = {"column": "amount", "type": "number", "nulls": 0, "distinct": 9, "mean": 5.0, "std": 2.0} | changes
    return SnapshotProfile(snapshot=1, rows=1000, columns=[ColumnProfile.model_validate(told)])


def changes(now: dict[str, Any], then: dict[str, Any], *profiles: SnapshotProfile) -> tuple[str, ...]:
    shown = profiles or (None, None)
    return column_rows(snapshot(now), shown[0], snapshot(then), shown[1])[0].changes


def names(rows: list[ColumnRow]) -> list[str]:
    return [row.name for row in rows]


def test_columns_that_came_and_went_are_told():
    rows = column_rows(snapshot(column("a"), column("b")), None, snapshot(column("a"), column("c")), None)
    assert [(row.name, row.changes) for row in rows] == [("a", ()), ("b", ("new",)), ("c", ("gone",))]
    assert "gone: the snapshot before has it" in dict(column_facts(rows[2]))["type"].text


def test_the_first_snapshot_has_no_changes():
    assert column_rows(snapshot(column()), None, None, None)[0].changes == ()


def test_another_type_and_another_declaration_are_told():
    told = changes(column(type="category", nullable=False), column())
    assert told == ("was number", "must not be null now")


def test_nulls_are_told_from_two_points_of_a_hundred_on():
    assert changes(column(nulls=19), column()) == ()
    assert changes(column(nulls=120), column()) == ("nulls 0% → 12%",)


def test_values_that_lie_elsewhere_are_told_in_standard_deviations():
    assert changes(column(), column(), profile(mean=5.1), profile()) == ()
    assert changes(column(), column(), profile(mean=9.0), profile()) == ("mean 5 → 9 (+2.0 σ)",)


def test_ends_that_lie_farther_out_are_told():
    then = profile(minimum=0.0, maximum=10.0)
    assert changes(column(), column(), profile(minimum=-0.5, maximum=10.5), then) == ()
    assert changes(column(), column(), profile(minimum=-4.0, maximum=90.0), then) == ("min 0 → -4", "max 10 → 90")


def test_new_categories_are_named_only_where_all_of_before_are_known():
    then = profile(distinct=2, top=[("de", 5), ("fr", 4)], mean=None)
    now = profile(distinct=4, top=[("de", 5), ("xx", 4), ("yy", 1), ("zz", 1), ("vv", 1)], mean=None)
    assert changes(column(), column(), now, then) == ("new: xx, yy, zz …",)
    assert changes(column(), column(), now, profile(distinct=900, top=[("de", 5)], mean=None)) == ()


def test_what_breaks_a_rule_comes_first_then_what_changed():
    broken = {"column": "c", "count": 3, "sentence": "c: 3 rows", "examples": []}
    now = snapshot(column("a"), column("b"), column("c"), failures=[broken])
    rows = column_rows(now, None, snapshot(column("a"), column("c")), None)
    by = SCHEMA_ORDERS["what asks for a look first"]
    assert by is not None
    assert names(sorted(rows, key=by)) == ["c", "b", "a"]
    assert column_cells(rows[2])["told"].text == "✗ 3 rows break a rule"


def test_what_is_not_profiled_has_no_values_and_says_so():
    (row,) = column_rows(snapshot(column()), None, None, None)
    assert column_cells(row)["range"].text == "–"
    assert "not profiled" in dict(column_facts(row))["values"].text
