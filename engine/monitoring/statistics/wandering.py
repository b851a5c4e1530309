"""How much rows that came in order wander: noise on top of something slow, which neighbours alone do not show.

A sensor that is read with an error, or a model's answer that hangs a little on something slow, resembles its neighbour
hardly at all, and yet a window of it differs from all others. So sums over 2 rows, 4, 8 … are compared with what
independent rows would make of them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST_ROWS = 64
FEWEST_BLOCKS = 8
SUSPICIOUS = 2.0
"""Standard errors by which sums must scatter too much. A false suspicion costs little: some rows less."""
SUSPICIOUS_AFTER_A_STEP = 1.5
"""The same beside one step: what is left when that is taken out is less."""
_UNDECIDED = 1.5
"""By how much a slower wandering may fit worse (chi-square) and still be the one that is reckoned with."""
SLOWEST = 0.1
"""Of the window. What is slower cannot be told from a change, and would leave nothing that could."""
_SLOWNESSES = 16
_MARGIN = 20
"""A step is not looked for in the first and the last twentieth."""


def wandering_inflation(values: Floats) -> float:
    """How many of these rows tell as much as one independent row does; 1.0 where chance explains how they scatter.

    `values`: ranks of a number, shape (rows, 1), or a column of zeros and ones for each category, shape (rows,
    categories), in the order they came; the category that wanders most tells. The model is a correlation of a·φ^k over
    k rows (noise and a first-order autoregression); of all φ that are about as likely the one that costs most holds.

    One step, and nothing beside it, is no wandering but a change within the window: 1.0.

    >>> noise, slow = np.tile([3.0, -3.0], 512), np.repeat([2.0, -2.0, -2.0, 2.0, 2.0, 2.0, -2.0, -2.0] * 2, 64)
    >>> wandering_inflation(noise[:, None]), wandering_inflation((noise + slow)[:, None]) > 2.0
    (1.0, True)
    """
    rows = len(values)
    centred = values - values.mean(axis=0) if rows else values
    centred = centred[:, (centred != 0.0).any(axis=0)]
    if rows < FEWEST_ROWS or not centred.shape[1]:
        return 1.0
    lengths, ratios = _scatter_of_sums(centred)
    excess = _excess(lengths, ratios, centred)
    most = int(np.argmax(excess))
    # the most suspicious of several categories is so by chance, too
    if excess[most] < math.sqrt(SUSPICIOUS**2 + 2.0 * math.log(max(1, centred.shape[1] - 1))):
        return 1.0
    stepless = _without_its_step(centred[:, most])[:, None]
    if not stepless.any() or _excess(*_scatter_of_sums(stepless), stepless)[0] < SUSPICIOUS_AFTER_A_STEP:
        return 1.0
    return _costliest(lengths, ratios[:, most], rows)


def _scatter_of_sums(centred: Floats) -> tuple[Floats, Floats]:
    """Lengths of blocks, and the variance of their sums over that of independent rows, shape (lengths, columns)."""
    rows, whole = len(centred), (centred * centred).mean(axis=0)
    lengths, ratios = [], []
    sums, length = centred, 1
    while len(sums) // 2 >= FEWEST_BLOCKS:
        even = len(sums) // 2 * 2
        sums, length = sums[0:even:2] + sums[1:even:2], 2 * length
        lengths.append(float(length))
        ratios.append((sums * sums).mean(axis=0) / (length * whole * (1.0 - length / rows)))
    return np.array(lengths), np.array(ratios)


def _excess(lengths: Floats, ratios: Floats, centred: Floats) -> Floats:
    """Of each column, at the length that shows it most, in standard errors of independent rows.

    Sums of few rows keep the tails of single ones: a rare category comes in one block or in the next.
    """
    # a fourth power is twenty times as slow as two squares
    squares = centred * centred
    tails = (squares * squares).mean(axis=0) / squares.mean(axis=0) ** 2 - 3.0
    errors = np.sqrt((2.0 * lengths[:, None] + tails) / len(centred))
    found: Floats = ((ratios - 1.0) / errors).max(axis=0)
    return found


def _without_its_step(centred: Floats) -> Floats:
    """Less the means before and after the place that parts it best into two."""
    rows = len(centred)
    before = np.arange(1, rows)
    gain = np.cumsum(centred)[:-1] ** 2 / (before * (rows - before))
    margin = rows // _MARGIN
    place = margin + 1 + int(np.argmax(gain[margin : rows - 1 - margin]))
    parts = centred[:place], centred[place:]
    return np.concatenate([part - part.mean() for part in parts])


def _costliest(lengths: Floats, ratios: Floats, rows: int) -> float:
    """Inflation of the mean of all rows, from least squares for each of some correlation times."""
    slowness = np.geomspace(2.0, SLOWEST * rows, _SLOWNESSES)[:, None]
    part = lengths / rows
    whole = _share_felt(float(rows), slowness)
    # sums are measured from the mean of the window, which wanders along
    shape = (_share_felt(lengths, slowness) - part * whole) / (1.0 - part)
    weight = 1.0 / (np.maximum(ratios, 1.0) ** 2 * 2.0 * part)
    amount = ((ratios - 1.0) * shape * weight).sum(axis=1) / (shape**2 * weight).sum(axis=1)
    amount = np.clip(amount, 0.0, 2.0 * slowness[:, 0])  # a is at most 1
    misfit = ((ratios - 1.0 - amount[:, None] * shape) ** 2 * weight).sum(axis=1)
    likely = misfit <= misfit.min() + _UNDECIDED
    return float((1.0 + amount * whole[:, 0])[likely].max())


def _share_felt(length: float | Floats, slowness: Floats) -> Floats:
    """Share of a correlation that fades over `slowness` rows which sums over a length feel."""
    times = length / slowness
    felt: Floats = 1.0 + np.expm1(-times) / times
    return felt
