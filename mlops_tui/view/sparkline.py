"""A row of figures as one short line."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """The newest `width` values, lowest to highest as `▁` to `█`; all the same is a line in the middle.

    What is not finite is left blank.

    >>> sparkline([1, 2, 3], 8)
    '▁▅█'
    """
    newest = list(values)[-width:] if width > 0 else []
    finite = [value for value in newest if math.isfinite(value)]
    if not finite:
        return ""
    low, high = min(finite), max(finite)
    return "".join(_bar(value, low, high) if math.isfinite(value) else " " for value in newest)


def _bar(value: float, low: float, high: float) -> str:
    if high == low:
        return _BARS[3]
    return _BARS[round((value - low) / (high - low) * (len(_BARS) - 1))]


def progress_bar(fraction: float | None, width: int) -> str:
    """A bar of `width` columns, by halves of one; not known is an open one. Full only when all is done.

    >>> progress_bar(0.5, 4), progress_bar(0.2, 4)
    ('━━──', '╸───')
    """
    if fraction is None:
        return "┄" * width
    halves = int(min(max(fraction, 0.0), 1.0) * width * 2)
    done = "━" * (halves // 2) + "╸" * (halves % 2)
    return done + "─" * (width - len(done))
