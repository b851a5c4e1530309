"""A first look at a file of data: the task, and the role of each column, each with its reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import polars as pl

from engine.data.corrections import AS_SEEN, Corrections, check_corrections
from engine.data.leakage import find_leaks
from engine.data.missing_cells import DEFAULT_MISSING, Marker
from engine.data.roles import Chosen, Role, choose_roles
from engine.data.schema import ColumnSchema, Schema
from engine.data.seen_table import SeenTable, see_table, values_in_words
from engine.data.snapshot import MINIMUM_ROWS
from engine.data.sources import Format
from engine.data.target import check_learnable, choose_positive, value_counts
from engine.data.task import choose_task
from engine.data.text_columns import ColumnType, Decimal
from engine.data.typed_columns import is_whole
from engine.data.wording import agreeing, counted
from engine.errors import BadData, InvalidInput
from engine.project import Scalar, Task, check_name


@dataclass(frozen=True)
class LookColumn:
    """One column as it was seen."""

    name: str
    type: ColumnType
    role: Role
    nulls: int
    distinct: int
    why: str
    """The reason for its role; empty for a plain feature."""
    seen: str
    """Its values in a few words: a range, or the most frequent ones."""
    hint: str = ""
    """Something to think about, such as a suspected leak, or numbers that were read as text."""


@dataclass(frozen=True)
class Look:
    """What `mlops init` knows of a file of data."""

    name: str
    source: str
    """As it goes into the project's file."""
    format: Format
    rows: int
    target: str
    task: Task
    why_task: str
    positive: Scalar | None
    values: tuple[Scalar, ...]
    """The two values of a binary target; of others none."""
    columns: tuple[LookColumn, ...]
    delimiter: str
    encoding: str
    decimal: Decimal
    missing: tuple[Marker, ...]
    """Cells that mean null, as they occur; empty for Parquet and JSON lines."""
    rows_without_target: int

    def having(self, role: Role) -> list[LookColumn]:
        """The columns of a role, in order."""
        return [column for column in self.columns if column.role == role]

    @property
    def differing(self) -> list[str]:
        """Columns of integers or texts, but the target, that hold another value in every row."""
        return [
            column.name for column in self.columns
            if column.type in ("integer", "category") and column.role != "target"
            and not column.nulls and column.distinct >= self.rows
        ]  # fmt: skip

    @property
    def notes(self) -> list[str]:
        """Sentences on what was decided and why, the weightiest first."""
        told = [f"Task {self.task}, because {self.why_task} ({self.target})."]
        if self.positive is not None:
            told.append(f"The positive value is {self.positive!r}.")
        if self.rows_without_target:
            told.append(
                f"{self.rows_without_target:,} of {counted(self.rows, 'row')} "
                f"{agreeing(self.rows_without_target, 'has no target and is', 'have no target and are')} left out."
            )
        told += [f"{column.name!r}: {column.hint}" for column in self.columns if column.hint]
        for role, said in (("id", "is the id"), ("time", "is the time, so rows are split in its order")):
            told += [f"{column.name!r} {said}: {column.why}." for column in self.columns if column.role == role]
        told += [
            f"{marker.text!r} means no value: {_held(marker)}."
            for marker in self.missing
            if marker.text not in DEFAULT_MISSING
        ]
        told += [f"{column.name!r} is ignored: {column.why}." for column in self.having("ignored")]
        return told


def look(
    path: str,
    target: str,
    *,
    name: str | None = None,
    relative_to: Path | None = None,
    said: Corrections = AS_SEEN,
    told: Callable[[str], None] = lambda note: None,
) -> Look:
    """Look at the data that an absolute path or glob names, of which `target` is to be learnt.

    `name` None: made from the file's name. `relative_to` is the folder of the project's file; a source below it is
    named relative to it. `said` goes before what is seen. `told` hears what is being done.

    Raises:
        BadData: the data cannot be used; NotFound: no such file; InvalidInput: no such column, or one that cannot
            be what it is said to be; InvalidName: `name` is none; InvalidConfig: no such positive value.
    """
    chosen = check_name(name) if name is not None else derive_name(path)
    seen = see_table(path, target, relative_to, told)
    frame, schema, table, dialect = seen.frame, seen.schema, seen.table, seen.dialect
    check_corrections(said, frame, schema, target)
    judged = _judge(frame, schema, target, said, seen.doubts)
    return Look(
        name=chosen,
        source=_written_source(path, relative_to),
        format=table.files[0].format,
        rows=frame.height,
        target=target,
        task=judged.task,
        why_task=judged.why,
        positive=judged.positive,
        values=judged.values,
        columns=judged.columns + _left_aside(seen),
        delimiter=dialect.delimiter,
        encoding=dialect.encoding,
        decimal=seen.decimal,
        missing=seen.markers,
        rows_without_target=frame[target].null_count(),
    )


def derive_name(path: str) -> str:
    """A project's name from a file's: `data/Kunden 2024.csv` gives `kunden-2024`; `model` where nothing is left."""
    pure = PurePath(path)
    wild = re.search(r"[*?\[]", pure.name)
    for part in (pure.name[: wild.start()] if wild else pure.name.split(".")[0], pure.parent.name):
        plain = unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode().lower()
        if name := re.sub(r"[^a-z0-9]+", "-", plain).lstrip("-0123456789")[:40].strip("-"):
            return name
    return "model"


@dataclass(frozen=True)
class _Judged:
    """The task, and what each column is for."""

    task: Task
    why: str
    positive: Scalar | None
    values: tuple[Scalar, ...]
    columns: tuple[LookColumn, ...]


def _judge(frame: pl.DataFrame, schema: Schema, target: str, said: Corrections, doubts: Mapping[str, str]) -> _Judged:
    filled = frame.filter(pl.col(target).is_not_null())
    _check_rows(filled.height, frame.height, target)
    kinds = {column.name: column.type for column in schema.columns}
    task, why = (said.task, "it was said so") if said.task else choose_task(filled[target], kinds[target])
    if task != "regression" and kinds[target] == "number" and is_whole(filled[target]):
        kinds[target] = "integer"
    if said.task:
        check_learnable(filled[target], replace(_column(schema, target), type=kinds[target]), task)
    roles = choose_roles(frame, schema, target, said)
    features = [column for column, found in roles.items() if found.role == "feature"]
    if not features:
        raise _no_feature(roles, target)
    leaks = find_leaks(filled, target, task, features)
    hints = {name: _hint(roles[name], doubts.get(name, ""), leaks.get(name, "")) for name in schema.names}
    positive = _positive(filled[target], kinds[target], said) if task == "binary" else None
    values = _values(filled[target], kinds[target]) if task == "binary" else ()
    return _Judged(task, why, positive, values, _columns(frame, schema, kinds, roles, hints))


def _hint(chosen: Chosen, doubt: str, leak: str) -> str:
    """A key is compared, never counted: what it would be as a number is no matter."""
    return "; ".join(told for told in ("" if chosen.role == "id" else doubt, leak) if told)


def _column(schema: Schema, name: str) -> ColumnSchema:
    found = schema.get(name)
    assert found is not None
    return found


def _check_rows(filled: int, rows: int, target: str) -> None:
    if filled < MINIMUM_ROWS:
        raise BadData(
            f"{filled} of {counted(rows, 'row')} {agreeing(filled, 'has', 'have')} a value of {target!r};"
            f" at least {MINIMUM_ROWS} are needed.",
            "Give more rows.",
            rows=filled,
        )


def _no_feature(roles: Mapping[str, Chosen], target: str) -> InvalidInput:
    reasons = "; ".join(f"{name[:40]!r}: {found.why}" for name, found in roles.items() if name != target)
    return InvalidInput(
        f"No column is left to learn {target!r} from ({reasons[:300] or 'it is the only one'}).",
        "Give data with columns that say something about the target.",
    )


def _positive(target: pl.Series, kind: ColumnType, said: Corrections) -> Scalar:
    counts = value_counts(target.cast(pl.Int64) if kind == "integer" else target)
    return choose_positive(counts, said.positive)


def _values(target: pl.Series, kind: ColumnType) -> tuple[Scalar, ...]:
    return tuple(value_counts(target.cast(pl.Int64) if kind == "integer" else target))


def _columns(
    frame: pl.DataFrame,
    schema: Schema,
    kinds: Mapping[str, ColumnType],
    roles: Mapping[str, Chosen],
    hints: Mapping[str, str],
) -> tuple[LookColumn, ...]:
    return tuple(
        LookColumn(
            name=found.name,
            type=kinds[found.name],
            role=roles[found.name].role,
            nulls=found.nulls,
            distinct=found.distinct,
            why=roles[found.name].why,
            seen=values_in_words(frame[found.name].drop_nulls(), found.type, found.distinct),
            hint=hints[found.name],
        )
        for found in schema.columns
    )


def _left_aside(seen: SeenTable) -> tuple[LookColumn, ...]:
    why = "it holds lists, objects or bytes"
    return tuple(LookColumn(name, "category", "ignored", 0, 0, why, "") for name in seen.left_aside)


def _written_source(path: str, relative_to: Path | None) -> str:
    pure = PurePath(path)
    if relative_to is not None and pure.is_relative_to(relative_to):
        return pure.relative_to(relative_to).as_posix()
    return path


def _held(marker: Marker) -> str:
    columns = ", ".join(repr(name[:40]) for name in marker.columns[:3])
    return f"{counted(marker.rows, 'cell')}, in {columns}" + (" and others" if len(marker.columns) > 3 else "")
