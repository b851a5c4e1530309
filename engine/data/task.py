"""Which task a target asks for, by its type and its number of values."""

from __future__ import annotations

import polars as pl

from engine.data.target import MOST_CLASSES
from engine.data.text_columns import ColumnType, as_numbers
from engine.data.typed_columns import is_whole
from engine.errors import BadData
from engine.project import Task

FEW_INTEGERS = 20
ROWS_PER_CLASS = 10


def choose_task(target: pl.Series, kind: ColumnType) -> tuple[Task, str]:
    """The task, and why. `target` is canonical, without nulls.

    Two values of any kind but fractions are binary; text is multiclass; integers are multiclass up to 20 values
    that fill at least ten rows each on average, beyond that a quantity; fractions are a quantity.

    Raises:
        BadData: constant, times, or text of too many values.
    """
    distinct = target.n_unique()
    if distinct < 2:
        raise BadData(
            f"The target {target.name!r} is constant: every row has {str(target[0])[:60]!r}.",
            "There is nothing to learn from one value; give rows with others too.",
            column=target.name,
        )
    if kind == "time":
        raise BadData(
            f"The target {target.name!r} holds times, which no model here learns.",
            "Name another target, such as a duration in seconds.",
            column=target.name,
        )
    if kind == "category":
        return _of_text(target, distinct)
    if kind == "boolean":
        return "binary", "it holds true and false"
    return _of_numbers(target, distinct)


def _of_text(target: pl.Series, distinct: int) -> tuple[Task, str]:
    if distinct == 2:
        return "binary", "it holds two texts"
    if distinct > MOST_CLASSES or distinct > len(target) / 2:
        raise BadData(
            f"The target {target.name!r} holds {distinct:,} different texts in {len(target):,} rows"
            f"{_mostly_numbers(target)}: neither classes nor a quantity.",
            "Name another target, or mend its cells.",
            column=target.name,
        )
    return "multiclass", f"it holds {distinct} texts"


def _mostly_numbers(target: pl.Series) -> str:
    others = target.filter(as_numbers(target, ".").is_null() & as_numbers(target, ",").is_null())
    if len(others) > 0.2 * len(target):
        return ""
    return f", numbers but for {len(others):,} such as {others[0][:40]!r}" if len(others) else ""


def _of_numbers(target: pl.Series, distinct: int) -> tuple[Task, str]:
    if not is_whole(target):
        return "regression", "it holds numbers with fractions"
    if distinct == 2:
        return "binary", "it holds two integers"
    if distinct > FEW_INTEGERS:
        return "regression", f"it holds {distinct:,} different integers"
    if len(target) < ROWS_PER_CLASS * distinct:
        return "regression", f"its {distinct} integers have fewer than {ROWS_PER_CLASS} rows each"
    return "multiclass", f'it holds {distinct} integers; where they are a quantity, write "regression"'
