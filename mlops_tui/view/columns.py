"""Which columns of a table fit into a width, and how wide each becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 1
"""Blank columns between two."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    """Which cell of a row it shows; also its head where `head` is empty."""
    width: int
    """The least it needs to be of use."""
    rank: int = 0
    """0 always stays; of the others the highest leaves first when it gets narrow."""
    widest: int = 0
    """How wide it becomes where there is room; 0: never wider than `width`."""
    right: bool = False
    head: str = ""

    @property
    def title(self) -> str:
        """What stands above it."""
        return self.head or self.name


@dataclass(frozen=True)
class Placed:
    """A column with its width on this screen."""

    column: Column
    width: int


def place(columns: Sequence[Column], width: int) -> tuple[Placed, ...]:
    """The columns that fit, in order; room that is left is shared by those that can be wider.

    >>> [p.column.name for p in place([Column("name", 8), Column("when", 6, rank=1)], 12)]
    ['name']
    """
    kept = list(columns)
    while len(kept) > 1 and _needed(kept) > width:
        leaving = max(kept, key=lambda column: column.rank)
        if leaving.rank == 0:
            break
        kept.remove(leaving)
    widths = {column.name: column.width for column in kept}
    spare = max(width - _needed(kept), 0)
    while spare and (growing := [column for column in kept if widths[column.name] < column.widest]):
        for column in growing[:spare]:
            widths[column.name] += 1
        spare -= len(growing[:spare])
    return tuple(Placed(column, widths[column.name]) for column in kept)


def _needed(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)
