"""How many independent rows the rows of a check, and those of the reference, are worth."""

from __future__ import annotations

from dataclasses import dataclass

from engine.monitoring.column_now import ColumnNow
from engine.monitoring.reference import NumberReference, Reference
from engine.monitoring.statistics.dependence import inflation_of


@dataclass(frozen=True)
class EffectiveRows:
    """Of both sides; at most as many as there are."""

    reference: float
    now: float


def effective_rows(reference: Reference, now: ColumnNow) -> EffectiveRows:
    """Of the values.

    The larger of two inflations holds: what stretches of the reference of this length show, and what neighbouring rows
    show now. Where the order of the reference is not known, what sums of rows show now stands in for stretches, and the
    reference is taken to be as dependent as the rows now.
    """
    here, usual = 1.0, reference.usual
    if now.filled:
        number = isinstance(reference, NumberReference)
        here = inflation_of(now.correlation if number else now.agreement)
        if not usual.stretches:
            here = max(here, now.wandering if number else now.category_wandering)
    theirs = usual.longest.inflation if usual.stretches else here
    ours = max(here, usual.inflation(now.rows))
    return EffectiveRows(max(1.0, reference.filled / theirs), max(1.0, now.filled / ours))


def effective_null_rows(reference: Reference, now: ColumnNow) -> EffectiveRows:
    """The same of whether there is a value at all."""
    here, usual = inflation_of(now.null_agreement), reference.usual
    if not usual.stretches:
        here = max(here, now.null_wandering)
    theirs = usual.longest.null_inflation if usual.stretches else here
    ours = max(here, usual.null_inflation(now.rows))
    return EffectiveRows(max(1.0, reference.rows / theirs), max(1.0, now.rows / ours))
