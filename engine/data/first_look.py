"""A look at a file of data of which nobody has said yet what is to be learnt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.data.schema import ColumnSchema
from engine.data.seen_table import see_table, values_in_words
from engine.data.task import choose_task
from engine.data.text_columns import ColumnType
from engine.errors import BadData
from engine.project import Task


@dataclass(frozen=True)
class Candidate:
    """One column, and what learning it would be."""

    name: str
    type: ColumnType
    nulls: int
    distinct: int
    seen: str
    """Its values in a few words."""
    task: Task | None
    """None: it cannot be learnt."""
    why: str
    """Why that task, or why none."""


@dataclass(frozen=True)
class FirstLook:
    """All columns of plain values."""

    rows: int
    columns: tuple[Candidate, ...]


def look_first(
    path: str, *, relative_to: Path | None = None, told: Callable[[str], None] = lambda note: None
) -> FirstLook:
    """Look at the data that an absolute path or glob names.

    Raises:
        BadData: the data cannot be used; NotFound: no such file.
    """
    seen = see_table(path, None, relative_to, told)
    columns = (_candidate(seen.frame[one.name], one, seen.doubts.get(one.name, "")) for one in seen.schema.columns)
    return FirstLook(seen.frame.height, tuple(columns))


def _candidate(values: pl.Series, found: ColumnSchema, doubt: str) -> Candidate:
    filled = values.drop_nulls()
    task, why = _task(filled, found)
    return Candidate(
        name=found.name,
        type=found.type,
        nulls=found.nulls,
        distinct=found.distinct,
        seen=values_in_words(filled, found.type, found.distinct),
        task=task,
        why=f"{why}; {doubt}" if doubt else why,
    )


def _task(filled: pl.Series, found: ColumnSchema) -> tuple[Task | None, str]:
    if not len(filled):
        return None, "no row has a value"
    if found.distinct < 2:
        return None, "every row has the same value"
    try:
        return choose_task(filled, found.type)
    except BadData as error:
        told = error.message.removeprefix(f"The target {found.name!r} ").rstrip(".")
        return None, "a time" if found.type == "time" else told
