import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from fakes.bundles import INPUTS, encoding_for, make_columns
from hypothesis import given
from hypothesis import strategies as st

from engine.serving.features import RowEncoder, encode_columns, encoded_width
from engine.serving.manifest import Encoding, Input

METHODS = {"number": ("number", "standard"), "integer": ("number", "standard"), "boolean": ("number", "standard")}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "number": st.none() | st.floats(allow_infinity=False, allow_nan=True, width=64) | st.integers(-(2**40), 2**40),
    "integer": st.none() | st.integers(-(2**63), 2**63 - 1),
    "boolean": st.none() | st.booleans(),
    "category": st.none() | st.sampled_from(["a", "b", "", "ß"]) | st.text(max_size=3),
}


@st.composite
def encodings(draw: st.DrawFn) -> tuple[list[Input], list[Encoding]]:
    types = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6))
    inputs = [
        Input(
            f"c{index}",
            kind,
            categories=tuple(draw(st.permutations(["a", "b", "", "ß"]))) if kind == "category" else (),
        )
        for index, kind in enumerate(types)
    ]
    steps = []
    for column in draw(st.permutations(inputs)):
        method = draw(st.sampled_from(METHODS.get(column.type, ("code", "onehot"))))
        numbers = st.floats(-1e6, 1e6)
        steps.append(Encoding(column.name, method, draw(numbers), draw(numbers), draw(st.floats(0.001, 1e6))))
    return inputs, steps


@given(encodings(), st.data())
def test_a_single_row_and_whole_columns_are_encoded_to_the_same_bits(
    tables: tuple[list[Input], list[Encoding]], data: st.DataObject
) -> None:
    inputs, encoding = tables
    rows = data.draw(st.lists(st.tuples(*(VALUES[column.type] for column in inputs)), min_size=1, max_size=5))
    columns = {column.name: [row[index] for row in rows] for index, column in enumerate(inputs)}

    matrix = encode_columns(inputs, encoding, columns)
    encoder = RowEncoder(inputs, encoding)
    by_row = np.array([encoder.encode(dict(zip(columns, row, strict=True))) for row in rows])
    at_once = np.frombuffer(encoder.encode_rows([(*row, "id", None) for row in rows])).reshape(len(rows), -1)

    assert matrix.shape == by_row.shape == (len(rows), encoder.width)
    np.testing.assert_array_equal(matrix, by_row)
    np.testing.assert_array_equal(matrix, at_once)


@pytest.mark.parametrize("of", [list, tuple, np.array, pl.Series, lambda v: pl.Series(v).to_numpy()])
def test_columns_may_come_from_any_library(of: Any) -> None:
    columns = make_columns(20)
    encoding = encoding_for("linear")
    expected = encode_columns(INPUTS, encoding, columns)
    found = encode_columns(INPUTS, encoding, {name: of(values) for name, values in columns.items()})
    np.testing.assert_array_equal(found, expected)


def test_null_and_unseen_categories_have_no_code() -> None:
    column = Input("c", "category", categories=("x", "y"))
    code, onehot = Encoding("c", "code"), Encoding("c", "onehot")
    values = ["y", "x", "never seen", None]
    found = encode_columns([column], [code, onehot], {"c": values})
    np.testing.assert_array_equal(found, [[1, 0, 1], [0, 1, 0], [math.nan, 0, 0], [math.nan, 0, 0]])
    assert encoded_width([column], [code, onehot]) == 3


def test_a_missing_number_is_filled_before_it_is_scaled() -> None:
    step = Encoding("n", "standard", fill=5.0, mean=1.0, scale=2.0)
    column = Input("n", "number")
    assert encode_columns([column], [step], {"n": [None, math.nan, 3.0]}).tolist() == [[2.0], [2.0], [1.0]]


@pytest.mark.parametrize("values", [["5", "6"], np.array(["5"]), [None, "5"]])
def test_text_is_no_number_even_where_it_looks_like_one(values: Any) -> None:
    with pytest.raises(TypeError, match="'n' is to hold numbers"):
        encode_columns([Input("n", "number")], [Encoding("n", "number")], {"n": values})
