"""Two shares, of nulls or of values never seen before: did the share change?"""

from __future__ import annotations

import math

from engine.monitoring.statistics.beta import lower_beta
from engine.monitoring.statistics.chi_square import SMALLEST_EXPECTED


def shares_p_value(reference_hits: float, reference_rows: float, hits: float, rows: float) -> float:
    """How often two samples with the same share differ so much or more, either way. Counts need not be whole.

    Pooled normal approximation with Yates' correction; where either sample expects fewer than ten hits (or misses)
    the exact test of two rare counts. 1.0 where one side has no rows.

    >>> f"{shares_p_value(100, 10_000, 60, 1_000):.1e}"
    '1.3e-35'
    >>> shares_p_value(0, 10_000, 0, 1_000)
    1.0
    """
    if min(reference_rows, rows) <= 0:
        return 1.0
    together = (reference_hits + hits) / (reference_rows + rows)
    if together > 0.5:
        reference_hits, hits, together = reference_rows - reference_hits, rows - hits, 1.0 - together
    if together * min(rows, reference_rows) < SMALLEST_EXPECTED:
        more = rarer_p_value(reference_hits, reference_rows, hits, rows)
        fewer = rarer_p_value(hits, rows, reference_hits, reference_rows)
        return min(1.0, 2.0 * min(more, fewer))
    spread = math.sqrt(together * (1.0 - together) * (1.0 / rows + 1.0 / reference_rows))
    difference = abs(hits / rows - reference_hits / reference_rows)
    corrected = max(0.0, difference - 0.5 * (1.0 / rows + 1.0 / reference_rows))
    return math.erfc(corrected / spread / math.sqrt(2.0))


def rarer_p_value(reference_hits: float, reference_rows: float, hits: float, rows: float) -> float:
    """How often a rare thing that is as rare in both samples shows so often, or more, in the second.

    Given all hits together, each falls into the second sample with the chance of its part of the rows. So no hit in a
    small reference says little: one hit in as many rows has the chance 0.5 (the exact form of the rule of three).
    Source: Przyborowski and Wilenski 1940.

    >>> rarer_p_value(0, 500, 1, 500)
    0.5
    >>> f"{rarer_p_value(0, 10_000, 20, 1_000):.1e}"
    '1.5e-21'
    """
    if hits <= 0 or min(reference_rows, rows) <= 0:
        return 1.0
    return lower_beta(hits, reference_hits + 1.0, rows / (rows + reference_rows))
