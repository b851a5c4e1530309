"""Worlds in which nothing changes, each awkward in its own way: whatever a check says about one of them is false.

A world gives rows of 50 features, one stretch after another; `start` is the number of the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEATURES = 50
ROWS_A_DAY = 200
WEEK = np.array(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])

Columns = dict[str, Any]
World = Callable[[np.random.Generator, int, int], Columns]

_NAMES = np.array([f"level {number}" for number in range(5000)])
_ZIPF = 1.0 / np.arange(1, 1001) ** 1.1


def _independent(draw: Callable[[np.random.Generator, int, int], NDArray[Any]]) -> World:
    return lambda rng, rows, start: {f"x{at}": draw(rng, rows, at) for at in range(FEATURES)}


def _autoregressive(correlation: float) -> World:
    """Each feature wanders by itself. A stretch goes on where the one before it ended only within one call."""

    def make(rng: np.random.Generator, rows: int, start: int) -> Columns:
        steps = rng.normal(size=(rows, FEATURES)) * np.sqrt(1.0 - correlation**2)
        values = np.empty((rows, FEATURES))
        values[0] = rng.normal(size=FEATURES)
        for row in range(1, rows):
            values[row] = correlation * values[row - 1] + steps[row]
        return {f"x{at}": values[:, at] for at in range(FEATURES)}

    return make


def _read_with_noise(correlation: float, share: float, *, categories: bool = False) -> World:
    """Something slow, of which this share of the variance is left beneath noise: neighbours are hardly alike."""
    wander = _autoregressive(correlation)

    def make(rng: np.random.Generator, rows: int, start: int) -> Columns:
        slow = wander(rng, rows, start)
        seen = {
            name: np.sqrt(share) * values + np.sqrt(1.0 - share) * rng.normal(size=rows)
            for name, values in slow.items()
        }
        if not categories:
            return seen
        levels = np.array(["a", "b", "c", "d"])
        return {name: levels[np.digitize(values, [-0.8, 0.0, 1.2])] for name, values in seen.items()}

    return make


def _seasonal(rng: np.random.Generator, rows: int, start: int) -> Columns:
    """By the hour and by the day of the week; 200 rows a day."""
    at = start + np.arange(rows)
    day, hour = at // ROWS_A_DAY % 7, at % ROWS_A_DAY / ROWS_A_DAY
    weekend = day >= 5
    found: Columns = {}
    for number in range(0, FEATURES, 5):
        phase = 2 * np.pi * number / FEATURES
        found[f"x{number}"] = rng.normal(size=rows) + 1.5 * np.sin(2 * np.pi * hour + phase)
        found[f"x{number + 1}"] = rng.normal(size=rows) + 1.5 * np.sin(2 * np.pi * (day + hour) / 7 + phase)
        found[f"x{number + 2}"] = WEEK[day]
        often = rng.random(rows) < np.where(weekend, 0.7, 0.2)
        found[f"x{number + 3}"] = np.where(often, "a", np.where(rng.random(rows) < 0.5, "b", "c"))
        found[f"x{number + 4}"] = np.floor(hour * 24)
    return found


def _with_nulls(rng: np.random.Generator, rows: int, at: int) -> NDArray[Any]:
    values = rng.normal(size=rows)
    values[rng.random(rows) < 0.02 * (at % 10)] = np.nan
    return values


INDEPENDENT: Mapping[str, World] = {
    "normal": _independent(lambda rng, rows, at: rng.normal(size=rows)),
    "heavy tails": _independent(lambda rng, rows, at: rng.standard_cauchy(rows)),
    "discrete": _independent(lambda rng, rows, at: rng.integers(0, 2 + at, rows).astype(np.float64)),
    "tied": _independent(lambda rng, rows, at: np.where(rng.random(rows) < 0.9, 0.0, rng.normal(size=rows))),
    "with nulls": _independent(_with_nulls),
    "rare levels": _independent(lambda rng, rows, at: _NAMES[rng.choice(1000, rows, p=_ZIPF / _ZIPF.sum())]),
    "1,000 levels": _independent(lambda rng, rows, at: _NAMES[rng.integers(0, 1000, rows)]),
    "5,000 levels": _independent(lambda rng, rows, at: _NAMES[rng.integers(0, 5000, rows)]),
}
"""Rows have nothing to do with each other."""

DEPENDENT: Mapping[str, World] = {"wandering 0.9": _autoregressive(0.9), "wandering 0.99": _autoregressive(0.99)}
"""Rows resemble the ones before them; told with the order of the reference and without it."""

NOISY: Mapping[str, World] = {
    "noise on 0.9": _read_with_noise(0.9, 0.5),
    "noise on 0.97": _read_with_noise(0.97, 0.5),
    "categories of 0.97": _read_with_noise(0.97, 0.5, categories=True),
}
"""A sensor that is read with an error; told without the order of the reference."""

SEASONAL: Mapping[str, World] = {"seasons": _seasonal}
"""A check sees less than a week; told only where the order of the reference is known."""
