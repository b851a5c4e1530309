"""Rows from files as people write them."""

import json

import pytest
from fakes import wire_objects as made

from engine.errors import BadData
from mlops_tui.cli.rows import Format, Wanted, batches, format_of, read_rows

WANTED = Wanted("fraud@3", made.version().inputs, ["transaction_id"])


def rows(text: str | bytes, form: Format | None = None):
    content = text.encode() if isinstance(text, str) else text
    return list(read_rows(content, "rows.csv", WANTED, form or Format()))


def test_cells_are_typed_by_what_the_version_takes():
    assert rows("transaction_id,amount,items,country,online,extra\n7,1.5,3,de,yes,x\n") == [
        {"amount": 1.5, "items": 3, "country": "de", "online": True, "transaction_id": 7}
    ]


def test_missing_markers_become_null_in_every_type():
    assert rows("amount,items,country,online\n1,NA,,\n") == [
        {"amount": 1.0, "items": None, "country": None, "online": None}
    ]


def test_an_id_keeps_its_leading_zeros_and_letters():
    text = "transaction_id,amount,items,country,online\n007,1,1,de,0\nT1,1,1,de,1\n"
    assert [row["transaction_id"] for row in rows(text)] == ["007", "T1"]


def test_numbers_that_look_like_categories_stay_text():
    assert rows("amount,items,country,online\n1,1,49,0\n")[0]["country"] == "49"


def test_the_projects_own_format_is_used():
    form = format_of('[data]\ndelimiter = ";"\nencoding = "latin-1"\nmissing = ["-"]\n')
    assert rows("amount;items;country;online\n1;-;Österreich;1\n".encode("latin-1"), form) == [
        {"amount": 1.0, "items": None, "country": "Österreich", "online": True}
    ]


def test_the_projects_decimal_mark_is_read():
    form = format_of('[data]\ndelimiter = ";"\ndecimal = ","\n')
    assert rows("amount;items;country;online\n190,4;2;de;yes\n", form)[0]["amount"] == 190.4


def test_another_delimiter_is_seen_from_the_first_line():
    assert rows("amount\titems\tcountry\tonline\n1\t2\tde\t0\n")[0]["items"] == 2


def test_blanks_around_names_and_cells_are_no_part_of_them():
    assert rows("amount , items,country,online\n 1.5 , 2, de ,0\n\n , ,,\n") == [
        {"amount": 1.5, "items": 2, "country": "de", "online": False}
    ]


@pytest.mark.parametrize(
    ("cell", "decimal", "value"), [("1,234.5", ".", 1234.5), ("1.234,5", ",", 1234.5), ("0,5", ",", 0.5)]
)
def test_thousands_are_read_as_in_the_source(cell: str, decimal: str, value: float):
    assert rows(f"amount;items;country;online\n{cell};1;de;0\n", Format(";", decimal=decimal))[0]["amount"] == value


def test_utf_16_is_told_by_its_mark():
    assert rows("amount,items,country,online\n1,2,Øst,0\n".encode("utf-16"))[0]["country"] == "Øst"


def test_a_byte_order_mark_is_no_part_of_a_name():
    assert rows(b"\xef\xbb\xbfamount,items,country,online\n1,2,de,0\n")[0]["amount"] == 1.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("amount,items,online\n1,2,0\n", "has no column 'country', which fraud@3 needs"),
        ("items,online\n1,0\n", "has no column 'amount' and 1 more, which fraud@3 needs"),
        ("amount,items,country,online\nabc,2,de,0\n", "row 1, column 'amount': 'abc' is no number"),
        ("amount,items,country,online\n1,2,de,0\n1,2.5,de,0\n", "row 2, column 'items': '2.5' is no whole number"),
        ("amount,items,country,online\ninf,2,de,0\n", "'inf' is no finite number"),
        ("amount,items,country,online\n1,2,de,maybe\n", "'maybe' is neither true nor false"),
        ("amount,items,country,online\n1,2,de\n", "row 1: 3 cells under 4 columns"),
        ("amount,amount,items,country,online\n", "two columns named 'amount'"),
        ("", "rows.csv is empty"),
        ("[1, 2]", "row 1: this is no object"),
        ("{broken", "is not JSON"),
        ('{"a": 1}\n{broken\n', "line 2: this is not JSON"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text: str, told: str):
    with pytest.raises(BadData) as raised:
        rows(text)
    assert told in raised.value.message


def test_a_missing_column_names_the_nearest_one():
    with pytest.raises(BadData) as raised:
        rows("amont,items,country,online\n1,2,de,0\n")
    assert "Did you mean the column 'amont'?" in raised.value.hint


@pytest.mark.parametrize("text", ['[{"amount": 1}]', '{"rows": [{"amount": 1}]}', '{"amount": 1}', '{"amount": 1}\n\n'])
def test_json_is_taken_as_an_array_an_object_or_lines(text: str):
    assert rows(text) == [{"amount": 1}]


def test_json_lines_are_read_one_by_one():
    assert rows('{"amount": 1}\n{"amount": null}\n') == [{"amount": 1}, {"amount": None}]


def test_junk_is_refused_in_a_sentence():
    junk = bytes(range(1, 256)) * 40
    for content in (junk, b"\x7fELF\r\x00" + junk, b'amount"\r x\r\n' + junk, b"\r\x00\r"):
        with pytest.raises(BadData):
            rows(content)


def test_a_column_without_a_name_is_called_by_its_place_as_in_training():
    wanted = Wanted("a@1", [{"name": "unnamed_2", "type": "number", "nullable": False}])
    assert list(read_rows(b"x,,\n1,2,\n", "rows.csv", wanted, Format())) == [{"unnamed_2": 2.0}]


def test_lines_may_end_as_on_an_old_mac():
    assert rows("amount;items;country;online\r1;2;de;0\r")[0]["items"] == 2


def test_deeply_nested_json_is_refused_in_a_sentence():
    with pytest.raises(BadData):
        rows("[" * 100_000)


def test_many_rows_go_in_batches_of_a_thousand():
    many = json.dumps([{"amount": at} for at in range(2_500)])
    assert [len(batch) for batch in batches(iter(rows(many)))] == [1000, 1000, 500]
