"""Rows that depend on each other tell less than as many independent ones: how many would tell as much.

Two ways to know: by how much stretches of the reference, in the order of time, differ from the whole of it; and by how
alike neighbouring rows of production are. An *inflation* of 4 means: four rows tell as much as one independent row.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

SIGNIFICANT = 3.0
"""Standard errors of a correlation below which it is taken for chance."""


def inflation_of(correlation: float) -> float:
    """Of a first-order autoregression: (1 + ρ) ÷ (1 − ρ), at least 1. Source: Bartlett 1935.

    >>> round(inflation_of(0.9), 6)
    19.0
    >>> inflation_of(-0.2)
    1.0
    """
    bounded = min(max(correlation, 0.0), 1.0 - 1e-6)
    return (1.0 + bounded) / (1.0 - bounded)


def largest_correlation(correlation: float, rows: int) -> float:
    """The upper end of what a correlation of neighbours may be that was seen among so many rows; 0.0 stays 0.0.

    Seen in a short window, which is measured from its own mean, it is too small by (1 + 4ρ) ÷ n on average (Marriott
    and Pope 1954); two standard errors come on top. A window in which a slow series wanders but a few times tells next
    to nothing.

    >>> round(largest_correlation(0.9, 10_000), 4)
    0.9092
    >>> largest_correlation(0.98, 500)
    1.0
    """
    if correlation <= 0 or rows < 1:
        return 0.0
    spread = math.sqrt(max(0.0, 1.0 - correlation**2) / rows)
    return min(1.0, correlation + (1.0 + 4.0 * correlation) / rows + 2.0 * spread)


def neighbour_correlation(ranks: NDArray[np.number], breaks: NDArray[np.int64] | None = None) -> float:
    """Correlation of each row with the next one; 0.0 where chance explains it.

    `ranks`: of a number's values, or the number of the bin of each, shape (rows,), in the order they came. `breaks`:
    where stretches begin whose first row does not follow the row before it.

    >>> round(neighbour_correlation(np.arange(16)), 4)
    0.8667
    """
    centred = np.asarray(ranks, dtype=np.float64) - np.mean(ranks) if len(ranks) else np.zeros(0)
    # not by `@`, whose threads would wait for a core that other columns use
    total = float(np.square(centred).sum())
    gaps = _gaps(len(centred), breaks)
    pairs = len(centred) - 1 - len(gaps)
    if total <= 0 or pairs < 10:
        return 0.0
    products = float((centred[:-1] * centred[1:]).sum() - (centred[gaps] * centred[gaps + 1]).sum())
    correlation = products / pairs / (total / len(centred))
    return correlation if correlation > SIGNIFICANT / math.sqrt(pairs) else 0.0


def neighbour_agreement(codes: Codes, breaks: NDArray[np.int64] | None = None) -> float:
    """How much more often than by chance the next row has the same category, 0.0 to 1.0; 0.0 where chance explains it.

    `codes`: of categories, shape (rows,), from 0, in the order they came.

    >>> neighbour_agreement(np.array([0] * 50 + [1] * 50)) > 0.9
    True
    >>> neighbour_agreement(np.array([0, 1, 1, 0] * 25))
    0.0
    """
    gaps = _gaps(len(codes), breaks)
    pairs = len(codes) - 1 - len(gaps)
    if pairs < 10:
        return 0.0
    shares = np.bincount(codes) / len(codes)
    chance = float((shares**2).sum())
    if chance >= 1.0:
        return 0.0
    alike = np.count_nonzero(codes[:-1] == codes[1:]) - np.count_nonzero(codes[gaps] == codes[gaps + 1])
    agreeing = float(alike) / pairs
    spread = math.sqrt(chance * (1.0 - chance) / pairs)
    return (agreeing - chance) / (1.0 - chance) if agreeing - chance > SIGNIFICANT * spread else 0.0


def stretch_inflation_of_numbers(below: Floats, whole: Floats, rows: Floats, part: float) -> float:
    """By how much more than independent rows do the distributions of stretches scatter around the whole's; at least 1.

    `below`: share of each stretch up to each edge, shape (stretches, edges); `whole`: of all rows, shape (edges,);
    `rows`: of each stretch; `part`: a stretch's part of the whole. The mean Cramér-von Mises statistic over its mean
    for independent rows on the same edges.

    >>> whole = np.array([0.5, 1.0])
    >>> below = np.array([[0.6, 1.0], [0.4, 1.0]])
    >>> round(stretch_inflation_of_numbers(below, whole, np.array([100.0, 100.0]), 0.5), 6)
    8.0
    """
    expected = float((whole * (1.0 - whole)).sum()) * (1.0 - part)
    if expected <= 0 or not len(rows):
        return 1.0
    seen = float((rows * ((below - whole) ** 2).sum(axis=1)).mean())
    return max(1.0, seen / expected)


def stretch_inflation_of_categories(counts: Floats, shares: Floats, part: float) -> float:
    """The same of categories; at least 1.

    `counts`: of each stretch by cell, shape (stretches, cells), every cell expecting 10 rows or more; `shares`: of all
    rows by cell, none of them 0. The larger of two ratios of the stretches' chi-squares to independent rows': of the
    mean (Rao and Scott 1984, first order), and of variance to mean, which sees that few cells do all the moving.

    >>> stretch_inflation_of_categories(np.array([[60.0, 40.0], [40.0, 60.0]]), np.array([0.5, 0.5]), 0.5)
    8.0
    """
    freedom = int(counts.shape[1]) - 1
    rows = counts.sum(axis=1, keepdims=True)
    if freedom < 1 or not len(counts):
        return 1.0
    expected = np.maximum(rows * shares, 1e-12)
    statistics: Floats = ((counts - expected) ** 2 / expected).sum(axis=1) / (1.0 - part)
    mean = float(statistics.mean())
    return max(1.0, mean / float(freedom), _scatter(statistics, mean))


def stretch_inflation_of_shares(hits: Floats, rows: Floats, part: float) -> float:
    """The same of one share, such as that of nulls: `hits` of `rows` in each stretch; at least 1.

    >>> round(stretch_inflation_of_shares(np.array([10.0, 0.0]), np.array([100.0, 100.0]), 0.5), 3)
    10.526
    """
    whole = float(hits.sum() / rows.sum()) if rows.sum() else 0.0
    if not 0.0 < whole < 1.0:
        return 1.0
    seen = float(((hits - whole * rows) ** 2 / rows).mean())
    return max(1.0, seen / (whole * (1.0 - whole) * (1.0 - part)))


def settled_inflation(own: float, shorter: float, stretches: int) -> float:
    """An inflation seen in so many stretches, where that of stretches half as long is known better.

    Few stretches tell it imprecisely: within two standard errors of 1 it is not more than that of the shorter ones.

    >>> settled_inflation(1.8, shorter=1.0, stretches=10)
    1.0
    >>> settled_inflation(1.8, shorter=1.0, stretches=100)
    1.8
    """
    return own if own > 1.0 + 2.0 * math.sqrt(2.0 / stretches) else min(own, shorter)


def _scatter(statistics: Floats, mean: float) -> float:
    """Variance over that of chi-squares with this mean, where it is larger by more than chance."""
    others = len(statistics) - 1
    if others < 1 or mean <= 0:
        return 1.0
    ratio = float(statistics.var(ddof=1)) / (2.0 * mean)
    return ratio if ratio > 1.0 + 2.0 * math.sqrt(2.0 / others) else 1.0


def _gaps(rows: int, breaks: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Rows that the next one does not follow. They are taken off again: to leave them out copies all others.

    Where a stretch holds no value, breaks fall together, or to either end.
    """
    if breaks is None or not len(breaks):
        return np.zeros(0, dtype=np.int64)
    gaps: NDArray[np.int64] = np.unique(breaks - 1)
    return gaps[(gaps >= 0) & (gaps < rows - 1)]
