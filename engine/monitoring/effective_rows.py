"""How many independent rows the rows of a check, and those of the reference, are worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.monitoring.column_now import ColumnNow, Order
from engine.monitoring.reference import NumberReference, Reference
from engine.monitoring.statistics.dependence import (
    inflation_of,
    largest_correlation,
    neighbour_agreement,
    neighbour_correlation,
)

_RANKS = 64


@dataclass(frozen=True)
class EffectiveRows:
    """Of both sides; at most as many as there are."""

    reference: float
    now: float


def effective_rows(reference: Reference, now: ColumnNow) -> EffectiveRows:
    """Of the values.

    The larger of two inflations holds: what stretches of the reference of this length show, and what neighbouring rows
    show now. Where the order of the reference is not known, it is taken to be as dependent as the rows now.
    """
    measure = _correlation if isinstance(reference, NumberReference) else _agreement
    here = inflation_of(measure(now)) if now.filled else 1.0
    usual = reference.usual
    theirs = usual.longest.inflation if usual.stretches else here
    ours = max(here, usual.inflation(now.rows))
    return EffectiveRows(max(1.0, reference.filled / theirs), max(1.0, now.filled / ours))


def effective_null_rows(reference: Reference, now: ColumnNow) -> EffectiveRows:
    """The same of whether there is a value at all."""
    codes, breaks = now.null_neighbours
    found = neighbour_agreement(codes, breaks) if 0 < now.nulls < now.rows else 0.0
    here = inflation_of(largest_correlation(found, _stretch(len(codes), breaks)))
    usual = reference.usual
    theirs = usual.longest.null_inflation if usual.stretches else here
    ours = max(here, usual.null_inflation(now.rows))
    return EffectiveRows(max(1.0, reference.rows / theirs), max(1.0, now.rows / ours))


def _correlation(now: ColumnNow) -> float:
    sampled, breaks = now.neighbours
    step = max(1, len(now.ordered) // _RANKS)
    found = neighbour_correlation(np.searchsorted(now.ordered[::step], sampled.to_numpy()), breaks)
    return largest_correlation(found, _stretch(len(sampled), breaks))


def _agreement(now: ColumnNow) -> float:
    sampled, breaks = now.neighbours
    codes = sampled.rank("dense").cast(pl.Int64).to_numpy() - 1
    return largest_correlation(neighbour_agreement(codes, breaks), _stretch(len(codes), breaks))


def _stretch(rows: int, breaks: Order) -> int:
    """Rows between two gaps."""
    return rows // (len(breaks) + 1)
