"""The column that is learnt: whether it fits the task, and which of two values is the positive one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from engine.data.schema import ColumnSchema, Schema
from engine.errors import BadData, InvalidConfig
from engine.project import Project, Scalar, Task

MOST_CLASSES = 200
_PLAINLY_POSITIVE = ("true", "yes", "y", "t", "positive", "pos")


def value_counts(column: pl.Series) -> dict[Scalar, int]:
    """Rows by value, nulls aside, in the order of the values."""
    counted = column.drop_nulls().value_counts(sort=False)
    return dict(sorted(zip(counted[column.name].to_list(), counted["count"].to_list(), strict=True)))


def choose_positive(counts: Mapping[Scalar, int], declared: Scalar | None = None) -> Scalar:
    """Which of two values is the positive one: the declared one, else 1, true, yes…, else the rarer one.

    A declared `true` is also 1 and "True": it is compared by what it says. Equally rare: the later in order.

    Raises:
        InvalidConfig: the declared one is not among them.
    """
    if declared is not None:
        for value in counts:
            if _says(value) == _says(declared):
                return value
        raise InvalidConfig(
            f"data.positive is {declared!r}, and the target holds {_listed(counts)}.",
            "Set `positive` under [data] to one of them.",
            key="data.positive",
        )
    for said in _PLAINLY_POSITIVE:
        for value in counts:
            if _says(value) == said:
                return value
    return min(reversed(list(counts)), key=lambda value: counts[value])


def check_target(column: pl.Series, schema: Schema, project: Project) -> None:
    """Refuse a target that the task cannot learn. `column` holds no null.

    Raises:
        BadData: constant, of the wrong type, or with too many or too few values.
        InvalidConfig: `positive` is not among the values.
    """
    found = schema.get(column.name)
    assert found is not None
    if found.distinct == 1:
        raise BadData(
            f"The target {column.name!r} is constant: every row has {_short(column[0])}.",
            "There is nothing to learn from one value; give rows with others too.",
            column=column.name,
        )
    check_learnable(column, found, project.task)
    if project.task == "binary":
        choose_positive(value_counts(column), project.data.positive)


def check_learnable(column: pl.Series, found: ColumnSchema, task: Task) -> None:
    """Refuse a target that the task cannot learn; `found` tells its type. Raises `BadData`."""
    if task == "regression":
        _check_regression(column, found.type)
    else:
        _check_classes(column, found, task)


def _check_regression(column: pl.Series, kind: str) -> None:
    if kind not in ("number", "integer"):
        raise BadData(
            f"The task is regression, and the target {column.name!r} holds {_KINDS[kind]} ({_short(column[0])}).",
            'Set `task` under [project] to "binary" or "multiclass", or name another target.',
            column=column.name,
        )


def _check_classes(column: pl.Series, found: ColumnSchema, task: Task) -> None:
    name = column.name
    if found.type in ("number", "time"):
        raise BadData(
            f"The task is {task}, and the target {name!r} holds {_KINDS[found.type]}, which are no classes.",
            'Set `task` under [project] to "regression", or name another target.',
            column=name,
        )
    if task == "binary" and found.distinct != 2:
        raise BadData(
            f"The task is binary, and {name!r} has {found.distinct} values: {_listed(value_counts(column))}.",
            'Set `task` under [project] to "multiclass", or mend the data.',
            column=name,
        )
    if found.distinct > MOST_CLASSES:
        raise BadData(
            f"The target {name!r} has {found.distinct} values; a model here takes at most {MOST_CLASSES} classes.",
            'Set `task` under [project] to "regression" where it is a quantity, or name another target.',
            column=name,
        )


_KINDS = {
    "number": "numbers with fractions", "integer": "integers", "boolean": "true and false", "category": "text",
    "time": "times",
}  # fmt: skip


def _says(value: Scalar) -> str:
    if isinstance(value, bool | int | float) and value in (0, 1):
        return "true" if value else "false"
    text = str(value).strip().lower()
    return {"1": "true", "0": "false"}.get(text, text)


def _listed(values: Iterable[Scalar]) -> str:
    shown = [_short(value) for value in values]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


def _short(value: object) -> str:
    return repr(value[:60] if isinstance(value, str) else value)
