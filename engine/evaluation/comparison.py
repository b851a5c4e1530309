"""Paired bootstrap: the same drawn rows for every model, so that what is hard about the rows cancels out.

Each row is drawn a Poisson(1) number of times, independently of the others (Hanley and MacGibbon 2006, Chamandy et
al. 2012): for the figures used here the same as drawing with replacement, and it runs in blocks of bounded memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.evaluation.metrics import Floats, Statistic

TAIL = 0.05
"""Left out at either end of an interval, which so covers 90 %."""
_MOST_DRAWS = 2000
_LEAST_DRAWS = 200
_BUDGET = 40_000_000
"""Draws times rows: about a second a model. Beyond 20,000 rows fewer draws will do, for the error of the standard
error falls with the draws alone (3.5 % at 400)."""
_BLOCK = 2_000_000

_ONE_IN = 1 << 16


@dataclass(frozen=True)
class Interval:
    """A figure, its standard error and its 90 % interval; NaN where too few draws define it."""

    value: float
    se: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Bootstrap:
    """Intervals of one model's metric and of its difference from each of the others."""

    metric: Interval
    differences: Mapping[str, Interval]
    """By the other's name; above 0 the model is better, whatever the metric's direction."""
    others: Mapping[str, float]
    """The metric of each other model."""
    draws: int


def compare(
    model: Statistic,
    others: Mapping[str, Statistic],
    *,
    rows: int,
    less_is_better: bool,
    seed: int,
    draws: int | None = None,
) -> Bootstrap:
    """Bootstrap a model's metric, paired with those of others on the same rows.

    The same seed gives the same figures. Takes at most 2,000 draws, fewer from 20,000 rows on, unless `draws` says how
    many.
    """
    every = {"": model, **others}
    once = np.ones((1, rows))
    values = {name: float(prepared(once)[0]) for name, prepared in every.items()}
    drawn: dict[str, list[Floats]] = {name: [] for name in every}
    for weights in _weights(rows, draws or draws_for(rows), seed):
        for name, prepared in every.items():
            drawn[name].append(prepared(weights))
    joined = {name: np.concatenate(blocks) for name, blocks in drawn.items()}
    turn = -1.0 if less_is_better else 1.0
    return Bootstrap(
        metric=_interval(values[""], joined[""]),
        differences={
            name: _interval(turn * (values[""] - values[name]), turn * (joined[""] - joined[name])) for name in others
        },
        others={name: values[name] for name in others},
        draws=len(joined[""]),
    )


def draws_for(rows: int) -> int:
    """How often these rows are drawn."""
    return max(_LEAST_DRAWS, min(_MOST_DRAWS, _BUDGET // max(rows, 1)))


def _interval(value: float, drawn: Floats) -> Interval:
    """Percentiles of the draws that define the figure; at least half must."""
    defined = drawn[np.isfinite(drawn)]
    if 2 * len(defined) < len(drawn) or not math.isfinite(value):
        return Interval(value, math.nan, math.nan, math.nan)
    lower, upper = np.quantile(defined, [TAIL, 1.0 - TAIL])
    return Interval(value, float(defined.std()), float(lower), float(upper))


def _weights(rows: int, draws: int, seed: int) -> Iterator[Floats]:
    """Poisson(1) weights, shape (block, rows), in blocks; 16 random bits a weight, looked up."""
    random = np.random.Generator(np.random.PCG64(seed))
    table = _poisson_table()
    block = max(1, _BLOCK // max(rows, 1))
    for begin in range(0, draws, block):
        size = (min(block, draws - begin), rows)
        yield table[random.integers(0, _ONE_IN, size=size, dtype=np.uint16)]


def _poisson_table() -> Floats:
    """Poisson(1) quantiles at 65,536 equal steps, shape (65536,), turned so that their mean is exactly 1."""
    cumulated = np.cumsum([math.exp(-1) / math.factorial(count) for count in range(12)])
    table = np.searchsorted(cumulated, (np.arange(_ONE_IN) + 0.5) / _ONE_IN).astype(np.float64)
    even: Floats = table / table.mean()
    return even
