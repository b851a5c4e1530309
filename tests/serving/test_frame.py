import numpy as np
import pytest
from fakes.bundles import INPUTS, make_columns

from engine.serving.frame import pandas_frame
from engine.serving.manifest import Input

ALL = (
    Input("n", "number"),
    Input("i", "integer", nullable=False),
    Input("j", "integer"),
    Input("b", "boolean", nullable=False),
    Input("d", "boolean"),
    Input("c", "category", categories=("x", "y")),
)


def frame_of(*rows: tuple[object, ...]) -> object:
    return pandas_frame(ALL, {column.name: [row[index] for row in rows] for index, column in enumerate(ALL)})


def test_dtypes_come_from_the_manifest_and_not_from_the_rows() -> None:
    full = frame_of((1.0, 2**60 + 1, 3, True, False, "y"), (2.0, 1, 1, False, True, "x"))
    sparse = frame_of((None, 1, None, True, None, "never seen"))
    assert full.dtypes.astype(str).tolist() == ["float64", "int64", "float64", "bool", "float64", "category"]
    assert sparse.dtypes.tolist() == full.dtypes.tolist()
    assert list(full["c"].cat.categories) == ["x", "y"]
    assert full["i"][0] == 2**60 + 1


def test_null_and_unseen_are_missing() -> None:
    assert frame_of((None, 1, None, True, None, "never seen")).isna().iloc[0].tolist() == [
        True,
        False,
        True,
        False,
        True,
        True,
    ]


def test_columns_stand_in_the_manifests_order() -> None:
    columns = dict(reversed(make_columns(3).items()))
    assert list(pandas_frame(INPUTS, columns).columns) == [column.name for column in INPUTS]


def test_a_null_without_room_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="'b' holds a null"):
        frame_of((1.0, 1, 1, None, True, "x"))


def test_numpy_columns_are_taken_as_they_are() -> None:
    values = np.array([2**62 + 1, 3])
    frame = pandas_frame([Input("i", "integer", nullable=False)], {"i": values})
    assert frame["i"].tolist() == values.tolist()
