"""A column of the rows that came in production, read once for all that is measured of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.monitoring.statistics.dependence import largest_correlation, neighbour_agreement, neighbour_correlation
from engine.monitoring.statistics.wandering import wandering_inflation

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Order = NDArray[np.int64]

_SAMPLED = 16_384
_CHUNKS = 4
_RANKS = 64
_FOLLOWED = 8
"""Categories of which it is seen whether they wander."""
_MOST_NAMED = 1_000


@dataclass(frozen=True)
class Arrival:
    """In which order rows came."""

    rows: int
    order: Order | None = None
    """Rows from the oldest to the newest; None: as they are."""
    known: bool = True
    """False: nobody knows in which order they came; they are taken to be independent, as in training."""

    @cached_property
    def neighbours(self) -> tuple[Order, Order]:
        """Some rows that came one after another, at most 16,384, and where among them a gap is. None where no order
        is known.
        """
        if not self.known:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
        if self.rows <= _SAMPLED:
            return self._in_order(0, self.rows), np.zeros(0, dtype=np.int64)
        size = _SAMPLED // _CHUNKS
        starts = np.linspace(0, self.rows - size, _CHUNKS).astype(np.int64).tolist()
        places = np.concatenate([self._in_order(start, start + size) for start in starts])
        return places, np.arange(size, len(places), size, dtype=np.int64)

    def newest(self, rows: int) -> Order:
        """The places of the newest rows, oldest first."""
        return self._in_order(max(0, self.rows - rows), self.rows)

    def _in_order(self, start: int, stop: int) -> Order:
        return np.arange(start, stop, dtype=np.int64) if self.order is None else self.order[start:stop]


class ColumnNow:
    """The values of one column, of the type that the reference has it in: Float64 for numbers, String for categories.

    NaN counts as null.
    """

    def __init__(self, values: pl.Series, arrival: Arrival) -> None:
        self.values = values.fill_nan(None) if values.dtype == pl.Float64() and _holds_nan(values) else values
        self.arrival = arrival
        self.rows = len(values)
        self.nulls = self.values.null_count()
        self.filled = self.rows - self.nulls

    @property
    def null_share(self) -> float:
        """0 to 1; 0.0 without rows."""
        return self.nulls / self.rows if self.rows else 0.0

    @cached_property
    def ordered(self) -> Floats:
        """Of a number: its values, ascending."""
        return np.sort(self.values.drop_nulls().to_numpy())

    @cached_property
    def counted(self) -> dict[str, int]:
        """Of a category: rows by value, most frequent first."""
        found = self.values.drop_nulls().rename("value").value_counts(name="count")
        rows = zip(found["value"].to_list(), found["count"].to_list(), strict=True)
        return dict(sorted(rows, key=lambda pair: (-pair[1], pair[0])))

    @cached_property
    def neighbours(self) -> tuple[pl.Series, Order]:
        """Some values in the order they came, nulls left out, and where among them a gap is."""
        places, breaks = self.arrival.neighbours
        sampled = self.values if len(places) == self.rows and self.arrival.order is None else self.values[places]
        if not sampled.null_count():
            return sampled, breaks
        before = np.cumsum(sampled.is_not_null().to_numpy())
        return sampled.drop_nulls(), np.array([before[place - 1] for place in breaks], dtype=np.int64)

    @cached_property
    def correlation(self) -> float:
        """Of a number: at most so much does a row resemble the one before it; 0.0 where chance explains it."""
        ranks, breaks = self._ranks, self.neighbours[1]
        return largest_correlation(neighbour_correlation(ranks, breaks), _stretch(len(ranks), breaks))

    @cached_property
    def _ranks(self) -> Order:
        sampled, _ = self.neighbours
        return np.searchsorted(self.ordered[:: max(1, len(self.ordered) // _RANKS)], sampled.to_numpy())

    @cached_property
    def wandering(self) -> float:
        """Of a number: the inflation that sums of rows show, however little neighbours resemble each other."""
        return wandering_inflation(self._ranks[:, None].astype(np.float64))

    @cached_property
    def category_wandering(self) -> float:
        """The same of a category, by its most frequent values."""
        sampled, _ = self.neighbours
        frequent = list(islice(self.counted, _FOLLOWED))
        marks = np.zeros((len(frequent), len(sampled)))
        for place, (mark, value) in enumerate(zip(marks, frequent, strict=True)):
            mark[:] = self._codes == place if self._few_values else (sampled == value).to_numpy()
        return wandering_inflation(marks.T)

    @property
    def _few_values(self) -> bool:
        return self.values.dtype == pl.String() and len(self.counted) <= _MOST_NAMED

    @cached_property
    def _codes(self) -> Order:
        """Of a category: the numbers of the neighbours' values, by how frequent they are where they are few."""
        sampled, _ = self.neighbours
        if self._few_values:
            # to look them up takes a sixth of the time that sorting them does
            return sampled.cast(pl.Enum(list(self.counted))).to_physical().to_numpy().astype(np.int64)
        return sampled.rank("dense").cast(pl.Int64).to_numpy() - 1

    @cached_property
    def null_wandering(self) -> float:
        """The same of whether there is a value."""
        if not 0 < self.nulls < self.rows:
            return 1.0
        return wandering_inflation(self.null_neighbours[0][:, None].astype(np.float64))

    @cached_property
    def agreement(self) -> float:
        """The same of a category."""
        codes, breaks = self._codes, self.neighbours[1]
        return largest_correlation(neighbour_agreement(codes, breaks), _stretch(len(codes), breaks))

    @cached_property
    def null_agreement(self) -> float:
        """The same of whether there is a value."""
        if not 0 < self.nulls < self.rows:
            return 0.0
        codes, breaks = self.null_neighbours
        return largest_correlation(neighbour_agreement(codes, breaks), _stretch(len(codes), breaks))

    @cached_property
    def null_neighbours(self) -> tuple[Order, Order]:
        """The same rows: 1 where there is no value, 0 where there is one."""
        places, breaks = self.arrival.neighbours
        return self.values[places].is_null().cast(pl.Int64).to_numpy(), breaks


def _stretch(rows: int, breaks: Order) -> int:
    """Rows between two gaps."""
    return rows // (len(breaks) + 1)


def _holds_nan(values: pl.Series) -> bool:
    return bool(values.is_nan().any())
