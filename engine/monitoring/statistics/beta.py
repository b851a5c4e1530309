"""The regularised incomplete beta function, which the tail of a binomial distribution is read from.

Source: Press et al., Numerical Recipes, 6.4 (Lentz's continued fraction).
"""

from __future__ import annotations

import math

_PRECISION = 1e-15
_TINY = 1e-300
_STEPS = 100_000


def lower_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b): the share of a beta distribution (a, b) that lies below `x`; a, b > 0 and 0 ≤ x ≤ 1.

    The chance of k or more of n, each with chance p, is I_p(k, n − k + 1); k and n need not be whole.

    >>> round(lower_beta(3, 8, 0.5), 6)  # 3 or more heads of 10
    0.945313
    """
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return min(1.0, math.exp(log_front) * _fraction(a, b, x) / a)
    return max(0.0, 1.0 - math.exp(log_front) * _fraction(b, a, 1.0 - x) / b)


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1))
    value = d
    for step in range(1, _STEPS):
        for factor in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            d = 1.0 / _away_from_zero(1.0 + factor * d)
            c = _away_from_zero(1.0 + factor / c)
            value *= c * d
        if abs(c * d - 1.0) < _PRECISION:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
