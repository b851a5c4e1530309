"""Benjamini-Hochberg: which of many tests may be called findings, when a share `q` of those may be false.

Where nothing has changed, any finding is false, so `q` is then the chance of a false alarm by all tests together; it
holds too for tests that go up and down together, as those of related columns do. Source: Benjamini and Hochberg 1995;
Benjamini and Yekutieli 2001 for dependence.
"""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(p_values: Sequence[float], q: float) -> list[bool]:
    """For each p-value, whether it is a finding. `q` lies between 0 and 1.

    >>> benjamini_hochberg([0.001, 0.6, 0.02, 0.3], q=0.05)
    [True, False, True, False]
    >>> benjamini_hochberg([0.03, 0.6, 0.4, 0.3], q=0.05)
    [False, False, False, False]
    """
    tests = len(p_values)
    limit = max((p for rank, p in enumerate(sorted(p_values), 1) if p <= q * rank / tests), default=-1.0)
    return [p <= limit for p in p_values]
