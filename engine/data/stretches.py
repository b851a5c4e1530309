"""How much stretches of the reference, in the order of time, differ from the whole of it.

Production is looked at in stretches of rows that follow each other. A week of it differs from a year though nothing has
changed: seasons, and rows that depend on their neighbours. How much of that is usual is measured here on the reference
itself, by stretches of 250 rows, 500, 1,000 … up to a fifth of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.monitoring.statistics.chi_square import pool_small
from engine.monitoring.statistics.dependence import (
    settled_inflation,
    stretch_inflation_of_categories,
    stretch_inflation_of_numbers,
    stretch_inflation_of_shares,
)

SHORTEST = 250
FEWEST = 5
"""Stretches of a length below which it is left out."""
MOST = 2048
"""Stretches of the shortest length; with more rows the shortest is longer, so that memory stays bounded."""

Codes = NDArray[np.int64]
Counts = NDArray[np.int64]


def shortest_stretch(rows: int) -> int:
    """The length to begin with: 250 rows, doubled until there are at most 2,048 stretches."""
    length = SHORTEST
    while rows // length > MOST:
        length *= 2
    return length


def number_stretches(codes: Codes, cells: int) -> list[dict[str, Any]]:
    """Of a number, by length. `codes`: the bin of each row in the order of time, -1 for null; bins from 0 to `cells`.

    Each length has `rows`; `inflation`, at least 1; `distance`, the largest Kolmogorov-Smirnov distance of a stretch to
    the whole on these bins; `top_share`, the largest share of one bin in a stretch; and the same of nulls:
    `null_inflation`, `null_change`.
    """
    told = []
    for length, counts, nulls in _by_length(codes, cells):
        whole = np.cumsum(counts.sum(axis=0)) / max(1, counts.sum())
        filled = _well_filled(counts)
        rows = filled.sum(axis=1).astype(np.float64)
        below = np.cumsum(filled, axis=1) / rows[:, None] if len(rows) else np.zeros((0, cells))
        told.append(
            {
                "rows": length,
                "inflation": stretch_inflation_of_numbers(below, whole, rows, length / len(codes)),
                "distance": float(np.abs(below - whole).max(initial=0.0)),
                **_nulls(nulls, length, len(codes)),
                "top_share": _top_share(filled, rows),
            }
        )
    return _settled(told, len(codes))


def category_stretches(codes: Codes, cells: int) -> list[dict[str, Any]]:
    """Of a category, as of a number; `distance` is Jensen-Shannon, small cells pooled.

    Beside them, of values that a stretch has and the rest of the rows has not: `new_share`, the mean share of rows,
    and `most_new`, the largest. The last cell holds all values that are too rare to be told apart.
    """
    told = []
    for length, counts, nulls in _by_length(codes, cells):
        filled = _well_filled(counts)
        rows = filled.sum(axis=1).astype(np.float64)
        new = _new_shares(counts, filled)
        inflation, distance = _pooled(counts, filled, length, len(codes))
        told.append(
            {
                "rows": length,
                "inflation": inflation,
                "distance": distance,
                **_nulls(nulls, length, len(codes)),
                "top_share": _top_share(filled, rows),
                "new_share": float(new.mean()) if len(new) else 0.0,
                "most_new": float(new.max(initial=0.0)),
            }
        )
    return _settled(told, len(codes))


def _settled(told: list[dict[str, Any]], rows: int) -> list[dict[str, Any]]:
    """With each inflation held against that of the length before."""
    for shorter, longer in pairwise(told):
        for kind in ("inflation", "null_inflation"):
            longer[kind] = settled_inflation(longer[kind], shorter[kind], rows // longer["rows"])
    return told


def _by_length(codes: Codes, cells: int) -> Iterator[tuple[int, Counts, Counts]]:
    """Counts by stretch and cell, shape (stretches, cells), and nulls by stretch, for each length."""
    length = shortest_stretch(len(codes))
    stretches = len(codes) // length
    if stretches < FEWEST:
        return
    used = codes[: stretches * length]
    places = used + 1 + np.repeat(np.arange(stretches, dtype=np.int64) * (cells + 1), length)
    table = np.bincount(places, minlength=stretches * (cells + 1)).reshape(stretches, cells + 1)
    while len(table) >= FEWEST:
        yield length, table[:, 1:], table[:, 0]
        pairs = len(table) // 2
        table = table[0 : 2 * pairs : 2] + table[1 : 2 * pairs : 2]
        length *= 2


def _well_filled(counts: Counts) -> Counts:
    """Stretches that have at least half as many values as the others: a handful of values differs from anything."""
    rows = counts.sum(axis=1)
    kept: Counts = counts[(rows > 0) & (rows >= rows.mean() / 2)]
    return kept


def _top_share(filled: Counts, rows: NDArray[np.float64]) -> float:
    return float((filled.max(axis=1) / rows).max()) if len(rows) else 0.0


def _nulls(nulls: Counts, length: int, rows: int) -> dict[str, float]:
    whole = float(nulls.mean()) / length
    lengths = np.full(len(nulls), float(length))
    return {
        "null_inflation": stretch_inflation_of_shares(nulls.astype(np.float64), lengths, length / rows),
        "null_change": float(np.abs(nulls / length - whole).max()),
    }


def _new_shares(counts: Counts, filled: Counts) -> NDArray[np.float64]:
    """Per stretch, the share of rows with a value that no other stretch has; the last cell is of many values."""
    whole = counts.sum(axis=0)
    alone = (filled == whole) & (filled > 0)
    alone[:, -1] = False
    rows: NDArray[np.float64] = (filled * alone).sum(axis=1) / filled.sum(axis=1)
    return rows


def _pooled(counts: Counts, filled: Counts, length: int, rows: int) -> tuple[float, float]:
    """Inflation, and the largest distance of a stretch to the whole."""
    whole = counts.sum(axis=0)
    present = whole > 0
    if present.sum() < 2 or not len(filled):
        return 1.0, 0.0
    whole, filled = whole[present], filled[:, present]
    groups = pool_small(whole, whole * (length / whole.sum()))
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    cells = np.add.reduceat(filled[:, order], starts, axis=1).astype(np.float64)
    shares = np.add.reduceat(whole[order], starts) / whole.sum()
    inflation = stretch_inflation_of_categories(cells, shares, length / rows)
    return inflation, _largest_divergence(cells / cells.sum(axis=1, keepdims=True), shares)


def _largest_divergence(shares: NDArray[np.float64], whole: NDArray[np.float64]) -> float:
    middle = (shares + whole) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        ours = np.where(shares > 0, shares * np.log2(shares / middle), 0.0)
        theirs = whole * np.log2(whole / middle)
    return float(np.sqrt(np.maximum(0.0, (ours + theirs).sum(axis=1) / 2)).max(initial=0.0))
