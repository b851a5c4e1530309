"""The pandas frame that a custom estimator gets, in fit and in serving alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.serving.features import category_codes, column_numbers
from engine.serving.manifest import Input

if TYPE_CHECKING:
    import pandas as pd


def pandas_frame(inputs: Sequence[Input], columns: Mapping[str, Any]) -> pd.DataFrame:
    """The raw inputs in the manifest's order, with dtypes that do not depend on the rows.

    number → float64. integer → int64, or float64 where nullable. boolean → bool, or float64 where nullable. category
    → `CategoricalDtype(categories)`, unordered; null and unseen are missing.

    Each column is a sequence or an array of any library that numpy can read; None and NaN are null.

    Raises:
        KeyError: a column is missing.
        TypeError: a number's column holds text.
        ValueError: a null where the column is not nullable and its dtype has no room for one.
    """
    import pandas as pd

    return pd.DataFrame({column.name: _series(column, columns[column.name]) for column in inputs}, copy=False)


def _series(column: Input, values: Any) -> Any:
    import numpy as np
    import pandas as pd

    if column.type == "category":
        # From codes: pandas deprecates building one from values outside the categories.
        codes = np.nan_to_num(category_codes(column, values), nan=-1.0).astype(np.int64)
        return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(list(column.categories)))
    if column.type == "integer" and not column.nullable:
        integers = np.asarray(values)
        if integers.dtype == np.int64:
            return integers  # by way of float64 one beyond 2**53 would change
    numbers = column_numbers(column.name, values)
    if column.type == "number" or column.nullable:
        return numbers
    if np.isnan(numbers).any():
        raise ValueError(f"Column {column.name!r} holds a null, and may not.")
    return numbers.astype(np.int64 if column.type == "integer" else np.bool_)
