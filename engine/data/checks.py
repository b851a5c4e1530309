"""Expectations: what `[data.columns]` says of a column, held against every row; all failures, not the first."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import polars as pl

from engine.data.schema import Schema
from engine.data.text_columns import ColumnType, Misfit, convert
from engine.data.wording import counted
from engine.errors import BadData, InvalidConfig
from engine.project import Column, Project, Scalar

Rule = Literal["min", "max", "nullable", "allowed"]

_EXAMPLES = 5


@dataclass(frozen=True)
class Example:
    """One row that breaks an expectation."""

    where: str
    """File and line."""
    value: Scalar | None
    id: Scalar | None
    """The row's key; None where the project has no `id`."""


@dataclass(frozen=True)
class FailedExpectation:
    """One rule of one column that some rows break."""

    column: str
    rule: Rule
    limit: Any
    """What the project says: the number, the values, or False for `nullable`."""
    count: int
    """Rows that break it."""
    rows: int
    """Rows that were looked at."""
    examples: tuple[Example, ...]
    """The first rows that break it, at most five."""

    @property
    def sentence(self) -> str:
        """As a person reads it."""
        said = {"min": f"below {self.limit}", "max": f"above {self.limit}", "nullable": "without a value"}
        what = said.get(self.rule, "with a value that is not allowed")
        first = self.examples[0]
        shown = "" if self.rule == "nullable" else f" has {_short(first.value)}"
        return f"{self.column}: {counted(self.count, 'row')} of {self.rows:,} {what} (first: {first.where}{shown})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, the sentence among them."""
        return asdict(self) | {"sentence": self.sentence}


def check_expectations(
    frame: pl.DataFrame, schema: Schema, project: Project, where: Callable[[Sequence[int]], list[str]]
) -> tuple[FailedExpectation, ...]:
    """All expectations that rows of a canonical frame break. `where` tells where rows of the frame come from.

    Raises:
        BadData: an expectation about a column that is not there.
        InvalidConfig: a limit that the column's type does not have, such as `min` of a text.
    """
    failures = []
    for name, expected in project.data.columns.items():
        found = schema.get(name)
        if found is None:
            near = difflib.get_close_matches(name, schema.names, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else "Take it out of [data.columns]."
            raise BadData(f"[data.columns] speaks of {name!r}, and the data has no such column.", hint, column=name)
        for rule, limit, broken in _rules(frame[name], found.type, expected):
            if count := int(broken.sum()):
                examples = _examples(frame, name, broken, project, where)
                failures.append(FailedExpectation(name, rule, limit, count, frame.height, examples))
    return tuple(failures)


def broken_rows(frame: pl.DataFrame, schema: Schema, project: Project) -> Iterator[tuple[str, pl.Series]]:
    """Each rule of `[data.columns]` (`amount: min 0.0`) with the rows of a canonical frame that break it, a mask.

    Columns that the project ignores are not asked: rows that come from captures have none of them. `schema` is that of
    the source, for which the rules were checked already.
    """
    for name, expected in project.data.columns.items():
        found = schema.get(name)
        if found is None or name in project.data.ignore:
            continue
        for rule, limit, broken in _rules(frame[name], found.type, expected):
            said = "not null" if rule == "nullable" else "a value that is allowed" if rule == "allowed" else limit
            yield f"{name}: {rule if rule in ('min', 'max') else 'must be'} {said}", broken.fill_null(value=False)


def expectations_error(failures: Sequence[dict[str, Any]]) -> BadData:
    """The one error that a run fails with where rows break expectations; takes what `to_dict` gave."""
    told = "; ".join(failure["sentence"] for failure in failures[:3])
    more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
    many = f"{len(failures)} expectations are" if len(failures) > 1 else "An expectation is"
    return BadData(
        f"{many} not met: {told}{more}.",
        "Mend the rows, or change the limits under [data.columns].",
        failures=list(failures),
    )


def _rules(column: pl.Series, kind: ColumnType, expected: Column) -> list[tuple[Rule, Any, pl.Series]]:
    found: list[tuple[Rule, Any, pl.Series]] = []
    if expected.min is not None:
        found.append(("min", expected.min, _quantity(column, kind, "min") < expected.min))
    if expected.max is not None:
        found.append(("max", expected.max, _quantity(column, kind, "max") > expected.max))
    if not expected.nullable:
        found.append(("nullable", False, column.is_null()))
    if expected.allowed is not None:
        values = _in_type(column.name, kind, expected.allowed)
        held = column.cast(pl.Float64) if kind == "integer" else column
        found.append(("allowed", list(expected.allowed), column.is_not_null() & ~held.is_in(values)))
    return found


def _quantity(column: pl.Series, kind: ColumnType, rule: str) -> pl.Series:
    if kind not in ("number", "integer"):
        raise InvalidConfig(
            f"data.columns: {rule!r} is set for {column.name!r}, which holds no numbers but is a {kind}.",
            f"Take `{rule}` out, or declare `type = \"number\"`.",
            key=f"data.columns.{column.name}.{rule}",
        )  # fmt: skip
    return column


def _in_type(name: str, kind: ColumnType, values: Sequence[Scalar]) -> list[Any]:
    """Values of `allowed` as the column's cells compare with them; integers as floats, so that 1.0 is 1."""
    try:
        if kind == "integer":
            return [float(value) for value in values]
        return convert(pl.Series([str(value) for value in values], dtype=pl.String), kind, ".").to_list()
    except (Misfit, ValueError) as error:
        raise InvalidConfig(
            f"data.columns: {name!r} is a {kind}, and `allowed` holds a value that is none.",
            "Write the values as the column has them.",
            key=f"data.columns.{name}.allowed",
        ) from error


def _examples(
    frame: pl.DataFrame, name: str, broken: pl.Series, project: Project, where: Callable[[Sequence[int]], list[str]]
) -> tuple[Example, ...]:
    rows = broken.fill_null(value=False).arg_true().head(_EXAMPLES).to_list()
    keys = frame[project.data.id] if project.data.id in frame.columns else None
    return tuple(
        Example(place, _plain(frame[name][row]), None if keys is None else _plain(keys[row]))
        for row, place in zip(rows, where(rows), strict=True)
    )


def _plain(value: Any) -> Scalar | None:
    if value is None or isinstance(value, str | int | float | bool):
        return value[:200] if isinstance(value, str) else value
    return str(value)


def _short(value: object) -> str:
    return repr(value[:40] if isinstance(value, str) else value)
