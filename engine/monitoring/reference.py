"""The stored profile of the training data, as checks read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidInput

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

FORMATS = (1, 2)


@dataclass(frozen=True)
class Stretch:
    """How far stretches of the reference of one length differ from the whole of it; see `engine.data.stretches`."""

    rows: int
    inflation: float
    distance: float
    null_inflation: float
    null_change: float
    top_share: float
    new_share: float = 0.0
    most_new: float = 0.0


NOTHING = Stretch(0, 1.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True)
class Usual:
    """What is usual of stretches of the reference, shortest first."""

    stretches: tuple[Stretch, ...] = ()
    """Empty: the order of the reference's rows is not known, or they are too few."""

    def at(self, rows: int) -> Stretch:
        """The longest stretch of at most so many rows, else the shortest."""
        fitting = [stretch for stretch in self.stretches if stretch.rows <= rows]
        return fitting[-1] if fitting else self.stretches[0] if self.stretches else NOTHING

    def inflation(self, rows: int) -> float:
        """At least 1: the larger of the two lengths around so many rows, for few stretches tell each imprecisely."""
        return max(stretch.inflation for stretch in self._around(rows))

    def null_inflation(self, rows: int) -> float:
        """The same of nulls."""
        return max(stretch.null_inflation for stretch in self._around(rows))

    def _around(self, rows: int) -> Sequence[Stretch]:
        if not self.stretches:
            return (NOTHING,)
        place = self.stretches.index(self.at(rows))
        return self.stretches[place : place + 2]

    @property
    def longest(self) -> Stretch:
        """The longest stretch; all there is of the reference's own dependence."""
        return self.stretches[-1] if self.stretches else NOTHING


@dataclass(frozen=True)
class _Column:
    name: str
    type: str
    filled: int
    """Rows with a value."""
    nulls: int
    usual: Usual

    @property
    def rows(self) -> int:
        """With and without a value."""
        return self.filled + self.nulls

    @property
    def null_share(self) -> float:
        """0 to 1; 0.0 without rows."""
        return self.nulls / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class NumberReference(_Column):
    """A number in bins: the first from the minimum on, each up to its edge, the last edge being the maximum."""

    minimum: float
    maximum: float
    std: float
    edges: Floats
    counts: Counts
    means: Floats

    @cached_property
    def below(self) -> Floats:
        """Share of the rows up to each edge, shape (bins,)."""
        shares: Floats = np.cumsum(self.counts) / self.filled
        return shares

    def share_of_bin(self, value: float) -> float:
        """Of the bin in which a value lies, so at most so often does the value itself occur; 0.0 outside."""
        if not self.minimum <= value <= self.maximum:
            return 0.0
        return float(self.counts[np.searchsorted(self.edges, value)] / self.filled)


@dataclass(frozen=True)
class CategoryReference(_Column):
    """A category, most frequent first."""

    values: tuple[str, ...]
    counts: Counts
    other: int
    """Rows of values that are too rare to be listed."""
    hashed: Counts | None
    """Where there are such: rows by `engine.data.profile.hash_cells`. None in format 1."""

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each value stands."""
        return {value: place for place, value in enumerate(self.values)}


Reference = NumberReference | CategoryReference


def read_profile(tree: Mapping[str, Any]) -> dict[str, Reference]:
    """The columns of a profile by name, without those of times, which nothing is compared with.

    Raises:
        InvalidInput: a profile of a format that this version does not know.
    """
    if tree.get("format") not in FORMATS:
        raise InvalidInput(
            f"The profile of the training data has the format {tree.get('format')!r}, which is not known here.",
            "Train again with this version.",
        )
    rows = int(tree["rows"])
    found = (_read_column(column, rows) for column in tree["columns"] if column["type"] != "time")
    return {column.name: column for column in found}


def _read_column(told: Mapping[str, Any], rows: int) -> Reference:
    nulls = int(told["nulls"])
    usual = Usual(tuple(Stretch(**stretch) for stretch in told.get("stretches", ())))
    name, kind = told["name"], told["type"]
    if kind not in ("number", "integer"):
        counts = np.array([count for _, count in told["categories"]], dtype=np.int64)
        values = tuple(value for value, _ in told["categories"])
        hashed = np.array(told["hashed"], dtype=np.int64) if "hashed" in told else None
        return CategoryReference(name, kind, rows - nulls, nulls, usual, values, counts, int(told["other"]), hashed)
    edges = np.array(told["edges"], dtype=np.float64)
    if not len(edges):
        nothing = np.zeros(0, dtype=np.int64)
        return NumberReference(name, kind, 0, nulls, usual, 0.0, 0.0, 0.0, edges, nothing, edges)
    return NumberReference(
        name, kind, rows - nulls, nulls, usual, float(told["min"]), float(told["max"]), float(told["std"]), edges,
        np.array(told["counts"], dtype=np.int64), _means(told, edges),
    )  # fmt: skip


def _means(told: Mapping[str, Any], edges: Floats) -> Floats:
    """Of format 1, which has none, the middles of the bins."""
    if "means" in told:
        return np.array(told["means"], dtype=np.float64)
    starts = np.concatenate(([float(told["min"])], edges[:-1]))
    middles: Floats = (starts + edges) / 2
    return middles
