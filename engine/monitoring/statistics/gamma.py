"""The regularised incomplete gamma function, which the tail of a chi-square distribution is read from.

Series for small arguments, Lentz's continued fraction for large ones. Source: Press et al., Numerical Recipes, 6.2.
scipy has it too; importing scipy takes longer than a whole check.
"""

from __future__ import annotations

import math

_PRECISION = 1e-15
_TINY = 1e-300
_STEPS = 100_000


def upper_gamma(shape: float, x: float) -> float:
    """Q(shape, x): the share of a gamma distribution of that shape, scale 1, that lies above `x`.

    `shape` > 0, `x` ≥ 0. Precise to about 1e-12, relative, also far out in the tail.

    >>> round(upper_gamma(1.0, 2.0), 6)  # exp(-2)
    0.135335
    >>> f"{upper_gamma(4.5, 40.0):.3e}"
    '1.616e-13'
    """
    if x <= 0:
        return 1.0
    log_front = shape * math.log(x) - x - math.lgamma(shape)
    if x < shape + 1:
        return max(0.0, 1.0 - math.exp(log_front) * _series(shape, x))
    return min(1.0, math.exp(log_front) * _fraction(shape, x))


def _series(shape: float, x: float) -> float:
    term = total = 1.0 / shape
    for step in range(1, _STEPS):
        term *= x / (shape + step)
        total += term
        if term < total * _PRECISION:
            break
    return total


def _fraction(shape: float, x: float) -> float:
    b = x + 1.0 - shape
    c, d = 1.0 / _TINY, 1.0 / b
    value = d
    for step in range(1, _STEPS):
        a = -step * (step - shape)
        b += 2.0
        d = 1.0 / _away_from_zero(a * d + b)
        c = _away_from_zero(b + a / c)
        value *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
