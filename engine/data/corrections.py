"""What a person knows better than a first look at the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from engine.data.schema import ColumnSchema, Schema
from engine.data.wording import agreeing, counted
from engine.errors import InvalidInput
from engine.project import Task


@dataclass(frozen=True)
class Corrections:
    """Each None, or empty: as the look decides."""

    task: Task | None = None
    id: str | None = None
    """"" : no column is the id."""
    time: str | None = None
    """"" : no column is the time."""
    positive: str | None = None
    """The value as it is written."""
    ignore: tuple[str, ...] = ()
    """Columns that are no features, besides those that the look finds."""
    use: tuple[str, ...] = ()
    """Columns that are features, although the look would not have them."""

    def named(self) -> Iterator[tuple[str, str]]:
        """Each column that is named, after what it is to be."""
        for role, column in (("id", self.id), ("time", self.time)):
            if column:
                yield role, column
        yield from (("ignored", column) for column in self.ignore)
        yield from (("used", column) for column in self.use)


AS_SEEN = Corrections()
"""Nobody says anything."""


def check_corrections(said: Corrections, frame: pl.DataFrame, schema: Schema, target: str) -> None:
    """Refuse what the data cannot be.

    Raises:
        InvalidInput: a column that is not there, has two roles or is the target; an id that repeats or is missing
            somewhere; a time that is none.
    """
    roles: dict[str, str] = {target: "the target"}
    for role, column in said.named():
        found = schema.get(column)
        if found is None:
            raise InvalidInput(
                f"{column[:60]!r}, which is to be {role}, is no column of plain values.", "Name another."
            )
        if column in roles:
            raise InvalidInput(f"{column[:60]!r} is to be {role}, and is {roles[column]} already.", "Say one of both.")
        roles[column] = role if role in ("ignored", "used") else f"the {role}"
        _check_fits(role, found, frame)


def _check_fits(role: str, found: ColumnSchema, frame: pl.DataFrame) -> None:
    if role == "time" and found.type != "time":
        raise InvalidInput(
            f"{found.name[:60]!r} is to be the time, and holds {found.type} values.", "Name a column of times, or none."
        )
    if role == "used" and found.type == "time":
        raise InvalidInput(
            f"{found.name[:60]!r} holds times, which no model here learns from.",
            "Ignore it, or make it the time.",
        )
    if role in ("id", "time") and found.nulls:
        raise InvalidInput(
            f"{found.name[:60]!r} is to be the {role}, and {counted(found.nulls, 'row')} "
            f"{agreeing(found.nulls, 'lacks', 'lack')} it.",
            "Name another column, or none.",
        )
    if role == "id" and found.distinct < frame.height:
        raise InvalidInput(
            f"{found.name[:60]!r} is to be the id, and has {found.distinct:,} different values in "
            f"{counted(frame.height, 'row')}.",
            "An id is unique in every row; name another column, or none.",
        )
