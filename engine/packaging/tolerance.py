"""What a project's own estimator takes besides the rows it was fitted on: missing and unseen values, or not.

A scaler before a logistic regression fails on a NaN; an encoder may fail on a category it never met. Such a column is
marked `strict`, so that a model server refuses the row in one sentence instead of failing at it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from engine.errors import ProjectCodeFailed
from engine.packaging.golden import as_columns, typed_columns
from engine.serving.manifest import Input, Row
from engine.training.encoding import Columns
from engine.training.fit import Fitted


def tolerated_inputs(fitted: Fitted, columns: Columns) -> tuple[Input, ...]:
    """The fitted model's inputs, `strict` where it fails on a missing value.

    Our own encoder takes everything, so only models that read the frame itself are tried. An unseen category is a
    missing value in that frame. `columns` has at least one row.
    """
    inputs = fitted.tables.inputs
    if fitted.tables.encoding:
        return inputs
    ordinary = _ordinary_row(inputs, columns)
    if _answers(fitted, inputs, dict.fromkeys(ordinary) | _fixed(inputs, ordinary)):
        return inputs
    return tuple(
        column
        if _may_be_missing(column) and _answers(fitted, inputs, ordinary | {column.name: None})
        else msgspec.structs.replace(column, strict=True)
        for column in inputs
    )


def _may_be_missing(column: Input) -> bool:
    return column.nullable or column.type == "category"


def _ordinary_row(inputs: Sequence[Input], columns: Columns) -> Row:
    """The first value of each column that is one."""
    return {column.name: next(iter(columns[column.name].drop_nulls().head(1)), None) for column in inputs}


def _fixed(inputs: Sequence[Input], ordinary: Row) -> Row:
    return {column.name: ordinary[column.name] for column in inputs if not _may_be_missing(column)}


def _answers(fitted: Fitted, inputs: Sequence[Input], row: Row) -> bool:
    try:
        scores = fitted.scores(typed_columns(inputs, as_columns(inputs, [row])))
    except ProjectCodeFailed:
        return False
    return bool(np.isfinite(scores).all())
