import json
from typing import Any

import pytest
from fakes.bundles import INPUTS

from engine.serving.manifest import File, Golden, Input, Manifest
from engine.serving.problems import Refused
from engine.serving.rows import MAX_ROWS, SECOND_LOOK_BYTES, RowReader

GOOD: dict[str, Any] = {"amount": 1.5, "balance": None, "visits": 3, "member": True, "country": "de"}
VALUES = (1.5, None, 3, True, "de", None, None)


def reader_for(inputs: tuple[Input, ...] = INPUTS, **fields: Any) -> RowReader:
    return RowReader(
        Manifest(
            **{
                "name": "shop",
                "task": "regression",
                "target": "y",
                "inputs": inputs,
                "encoding": (),
                "model_format": "linear",
                "model_file": File("model.json", "", 0),
                "golden": Golden((), ()),
                "lineage": "",
                "serving_sha256": "",
                "id": "customer",
                "time": "seen_at",
                "ignored": ("note",),
                **fields,
            }
        )
    )


def test_a_strict_column_takes_neither_null_nor_unseen() -> None:
    strict = reader_for((Input("size", "number", strict=True), Input("kind", "category", True, ("a",), strict=True)))
    with pytest.raises(Refused, match="'size' is null"):
        strict.read(b'{"size": null, "kind": "a"}')
    with pytest.raises(Refused, match="takes no unseen value"):
        strict.read(b'{"size": 1, "kind": "b"}')
    assert strict.read(b'{"size": 1, "kind": "a"}').rows[0][:2] == (1.0, "a")


@pytest.fixture(scope="module")
def reader() -> RowReader:
    return reader_for()


def read(reader: RowReader, **changes: Any) -> Any:
    return reader.read(json.dumps([{**GOOD, **changes}]).encode())


def refuse(reader: RowReader, body: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        reader.read(body)
    return refused.value


@pytest.mark.parametrize(
    "wrap", [lambda r: {"rows": [r, r]}, lambda r: [r, r], lambda r: r], ids=["rows", "list", "one"]
)
def test_rows_come_in_three_shapes(reader: RowReader, wrap: Any) -> None:
    table = reader.read(json.dumps(wrap(GOOD)).encode())
    assert set(table.rows) == {VALUES}
    assert table.warnings == [] == table.unseen


def test_columns_may_stand_in_any_order_and_with_blanks(reader: RowReader) -> None:
    body = json.dumps({"rows": [dict(reversed(GOOD.items()))]}, indent=3).encode()
    assert reader.read(b"\n\t " + body).rows == [VALUES]


def test_id_and_time_are_taken_along_and_ignored_columns_are_not(reader: RowReader) -> None:
    table = read(reader, customer="k-7", seen_at="2026-01-01T00:00:00Z", note={"free": ["form"]})
    assert reader.columns[-2:] == ("customer", "seen_at")
    assert table.rows[0][-2:] == ("k-7", "2026-01-01T00:00:00Z")
    assert table.warnings == []


def test_a_column_too_many_is_named_in_a_warning(reader: RowReader) -> None:
    table = read(reader, colour="red", customer=5)
    assert table.rows == [(*VALUES[:5], 5, None)]
    assert table.warnings == ["Column 'colour' is no input of this model, and was not used."]


def test_an_unseen_category_is_answered_with_a_warning_and_noted(reader: RowReader) -> None:
    table = reader.read(json.dumps([GOOD, {**GOOD, "country": "zz"}, {**GOOD, "country": None}]).encode())
    assert [row[4] for row in table.rows] == ["de", "zz", None]
    assert table.unseen == [(1, "country")]
    assert len(table.warnings) == 1 and "'country' holds 'zz'" in table.warnings[0]


def test_warnings_are_bounded(reader: RowReader) -> None:
    table = reader.read(json.dumps([{**GOOD, "country": f"c{index}"} for index in range(100)]).encode())
    assert len(table.warnings) == 21 and len(table.unseen) == 100


def test_a_whole_number_may_be_written_with_a_point(reader: RowReader) -> None:
    assert read(reader, visits=3.0).rows == [VALUES]


def test_a_whole_number_is_a_number(reader: RowReader) -> None:
    assert read(reader, amount=2).rows[0][0] == 2.0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amount": None}, "Row 0, column 'amount' is null, and may not be."),
        ({"amount": "5"}, "Row 0, column 'amount' is text ('5'), and a number is expected."),
        ({"amount": True}, "Row 0, column 'amount' is a boolean (true), and a number is expected."),
        ({"amount": [1]}, "Row 0, column 'amount' is a list, and a number is expected."),
        ({"amount": float("nan")}, "Row 0, column 'amount' is NaN."),
        ({"amount": float("inf")}, "Row 0, column 'amount' is infinite."),
        ({"amount": float("-inf")}, "Row 0, column 'amount' is infinite."),
        ({"amount": 10**400}, "Row 0, column 'amount' is infinite."),
        ({"balance": float("nan")}, "Row 0, column 'balance' is NaN."),
        ({"visits": 3.5}, "Row 0, column 'visits' is 3.5, and a whole number is expected."),
        ({"visits": "3"}, "Row 0, column 'visits' is text ('3'), and a whole number is expected."),
        ({"visits": False}, "Row 0, column 'visits' is a boolean (false), and a whole number is expected."),
        ({"visits": 2**63}, "Row 0, column 'visits' does not fit into 64 bits."),
        ({"member": 1}, "Row 0, column 'member' is a number, and true or false is expected."),
        ({"member": "true"}, "Row 0, column 'member' is text ('true'), and true or false is expected."),
        ({"country": 49}, "Row 0, column 'country' is a number, and text is expected."),
        ({"country": {}}, "Row 0, column 'country' is an object, and text is expected."),
        ({"customer": ["k"]}, "Row 0, column 'customer' is a list, and text or a number is expected."),
        ({"customer": True}, "Row 0, column 'customer' is a boolean (true), and text or a number is expected."),
        ({"country": "x" * 200, "member": "y" * 200}, f"Row 0, column 'member' is text ('{'y' * 58}…), and"),
    ],
)
def test_a_wrong_value_is_named_with_its_row_and_column(
    reader: RowReader, changes: dict[str, Any], sentence: str
) -> None:
    refused = refuse(reader, json.dumps({"rows": [{**GOOD, **changes}]}).encode())
    assert refused.status == 422
    assert refused.message.startswith(sentence)


def test_the_first_wrong_row_is_named(reader: RowReader) -> None:
    rows = [GOOD, GOOD, {**GOOD, "amount": "x"}, {**GOOD, "amount": None}]
    assert refuse(reader, json.dumps(rows).encode()).message.startswith("Row 2, column 'amount' is text")


def test_a_missing_column_is_named_and_a_near_one_suggested(reader: RowReader) -> None:
    row = {name: value for name, value in GOOD.items() if name != "amount"}
    refused = refuse(reader, json.dumps({**row, "amonut": 3}).encode())
    assert refused.message == "Row 0 has no column 'amount'."
    assert "'amonut'" in refused.hint


def test_a_missing_column_is_a_mistake_even_where_null_is_none(reader: RowReader) -> None:
    row = {name: value for name, value in GOOD.items() if name != "balance"}
    assert refuse(reader, json.dumps(row).encode()).message == "Row 0 has no column 'balance'."


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        (b"", 400, "not JSON"),
        (b"{", 400, "not JSON"),
        (b"rows", 400, "not JSON"),
        (b'{"rows":[', 400, "not JSON"),
        (b'"\xff"', 400, "not UTF-8"),
        (b'[{"country":"\\ud800"}]', 400, "UTF-8"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b'{"rows":' * 100_000, 400, "nested too deeply"),
        (b'{"note":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "nested too deeply"),
        (b'[{"amount":' + b"1" * 5000 + b"}]", 400, "too many digits"),
        (b"5", 422, "The body is a number"),
        (b"null", 422, "The body is null"),
        (b'"rows"', 422, "The body is text"),
        (b"[]", 422, "no rows"),
        (b'{"rows":[]}', 422, "no rows"),
        (b'{"rows":null}', 422, "'rows' is null"),
        (b'{"rows":{}}', 422, "'rows' is an object"),
        (b'{"rows":[],"row":1}', 422, "'row' stands beside 'rows'"),
        (b"[1]", 422, "Row 0 is a number"),
        (b'{"rows":[null]}', 422, "Row 0 is null"),
        (b"{}", 422, "Row 0 has no column 'amount'"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_body_that_is_none_gets_one_sentence(reader: RowReader, body: bytes, status: int, part: str) -> None:
    refused = refuse(reader, body)
    assert refused.status == status
    assert part in refused.message


def test_too_many_rows_are_refused(reader: RowReader) -> None:
    body = b"[" + b",".join([json.dumps(GOOD, separators=(",", ":")).encode()] * (MAX_ROWS + 1)) + b"]"
    refused = refuse(reader, body)
    assert refused.status == 413 and str(MAX_ROWS) in refused.message


def test_a_large_body_with_a_mistake_is_told_without_being_taken_apart(reader: RowReader) -> None:
    rows = [{**GOOD, "country": "x" * 500}] * (SECOND_LOOK_BYTES // 500)
    refused = refuse(reader, json.dumps([*rows, {**GOOD, "amount": "x"}]).encode())
    assert refused.status == 422
    assert f"[{len(rows)}].amount" in refused.message


def test_a_byte_order_mark_is_passed_over(reader: RowReader) -> None:
    assert reader.read(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()).rows == [VALUES]


def test_names_may_be_anything() -> None:
    names = ["class", "a b", "ß", "rows", "f0", "", "x.y[0]"]
    reader = reader_for(tuple(Input(name, "number") for name in names), id=None, time=None, ignored=())
    row = {name: float(index) for index, name in enumerate(names)}
    assert reader.read(json.dumps(row).encode()).rows == [tuple(row.values())]
    assert reader.read(json.dumps({"rows": [row]}).encode()).rows == [tuple(row.values())]
    assert reader.read(json.dumps({**row, "more": 1}).encode()).rows == [tuple(row.values())]


@pytest.mark.parametrize("name", ['a "q" b', "back\\slash", "two\nlines", "\x1b[32mz"])
@pytest.mark.parametrize("place", ["input", "id", "ignored"])
def test_a_name_that_no_struct_can_have_is_read_all_the_same(name: str, place: str) -> None:
    inputs = (Input(name if place == "input" else "x", "number"),)
    reader = reader_for(
        inputs, id=name if place == "id" else None, time=None, ignored=(name,) if place == "ignored" else ()
    )
    row = {inputs[0].name: 1.0, name: 1.0}
    for body in (row, [row], {"rows": [row]}):
        table = reader.read(json.dumps(body).encode())
        assert [values[0] for values in table.rows] == [1.0]
        assert table.warnings == []
    refused = refuse(reader, json.dumps({**row, inputs[0].name: "much"}).encode())
    assert refused.message.startswith("Row 0, column")
    assert refuse(reader, b"[" + b" " * SECOND_LOOK_BYTES + b"]").hint == "Send fewer rows at once to be told more."


def test_first_and_second_look_read_the_same(reader: RowReader) -> None:
    row = {**GOOD, "balance": 1e-300, "visits": -(2**63), "customer": 2**63 - 1, "seen_at": 1.5}
    assert read(reader, **row).rows == [
        tuple(value for value in reader.read(json.dumps({**row, "extra": 1}).encode()).rows[0])
    ]
