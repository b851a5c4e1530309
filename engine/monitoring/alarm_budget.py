"""The rule that turns what a check measured into an alarm, or not: a budget of false alarms a year.

Pure, and light enough for the engine: it decides inside the transaction that records the check.

Half of the budget is for this family: the values of each column, its nulls, its new categories, and the predictions.
All of them are tested together by Benjamini-Hochberg, at the share of false discoveries that the budget leaves to one
check; what is found must also be large enough to matter. The p-values already count rows that depend on each other for
what they tell. The other half is for realised performance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from engine.monitoring.statistics.benjamini_hochberg import benjamini_hochberg
from engine.monitoring.statistics.kolmogorov import both_rows, ks_critical_distance
from engine.monitoring.statistics.power import shift_of_distance, smallest_distance
from engine.wire.monitoring import CheckOutcome, Threshold
from engine.wire.work import ColumnFigures, QualityFinding

MIN_DISTANCE = 0.1
"""Kolmogorov-Smirnov of numbers, Jensen-Shannon of categories: smaller changes are real, and nobody's concern."""
MIN_PSI = 0.1
MIN_NULL_SHARE = 0.02
"""By which the share of nulls must have changed."""
MIN_NEW_SHARE = 0.01
"""Of rows with a value that the reference does not have."""
PSI_ROWS = 500
"""Effective rows below which the PSI measures how few they are."""
DRIFT_PART = 0.5
"""Of the budget."""
LARGEST_Q = 0.2
"""However many alarms a year are bearable, at most every fifth discovery may be false."""

Cause = Literal["values", "nulls", "new_categories"]


@dataclass(frozen=True)
class DriftedColumn:
    """A column, or the predictions, that moved."""

    column: str
    kind: Literal["number", "category", "prediction"]
    causes: tuple[Cause, ...]
    strength: float
    """How many times as large as the least that matters."""
    sentence: str
    """What moved, with its figures."""


@dataclass(frozen=True)
class Decision:
    """What a check amounts to."""

    moved: tuple[DriftedColumn, ...]
    """The strongest first."""
    findings: tuple[QualityFinding, ...]
    """Of data quality, those first that are an alarm."""
    threshold: Threshold

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the columns that moved, the strongest first."""
        return tuple(moved.column for moved in self.moved)

    @property
    def outcome(self) -> CheckOutcome:
        """`alarm` where something moved, or a fault is one."""
        return "alarm" if self.moved or any(finding.alarming for finding in self.findings) else "quiet"


@dataclass(frozen=True)
class _Test:
    column: ColumnFigures
    cause: Cause
    p_value: float
    strength: float
    """Below 1: too small to matter, or usual."""


def decide(
    columns: Sequence[ColumnFigures],
    findings: Sequence[QualityFinding],
    *,
    rows: int,
    reference_rows: int,
    alarms_per_year: float,
    checks_per_year: float,
) -> Decision:
    """Which columns drifted, which faults are an alarm, and what it took. Not for a check with too few rows.

    `checks_per_year` is the number of checks among which the budget is parted. Columns with an alarming fault of
    quality are left out of drift: what they hold is wrong, so nothing is known of the world by it.
    """
    broken = {finding.column for finding in findings if finding.alarming}
    sound = [column for column in columns if column.kind == "prediction" or column.column not in broken]
    tests = [test for column in sound for test in _tests(column)]
    q = min(LARGEST_Q, DRIFT_PART * alarms_per_year / checks_per_year)
    found = benjamini_hochberg([test.p_value for test in tests], q)
    alarming = [test for test, seen in zip(tests, found, strict=True) if seen and test.strength >= 1.0]
    alpha = q / max(1, len(tests))
    needed = [_needed(column, alpha, rows, reference_rows) for column in sound if _is_measured_number(column)]
    return Decision(
        tuple(_drifted(alarming)),
        tuple(sorted(findings, key=lambda finding: not finding.alarming)),
        Threshold(
            alarms_per_year=alarms_per_year,
            checks_per_year=checks_per_year,
            q=q,
            alpha=alpha,
            min_distance=MIN_DISTANCE,
            min_psi=MIN_PSI,
            min_null_share=MIN_NULL_SHARE,
            min_new_share=MIN_NEW_SHARE,
            smallest_shift=_smallest_shift(needed),
            smallest_distance=median(one.distance for one in needed) if needed else None,
        ),
    )


def _tests(column: ColumnFigures) -> Iterator[_Test]:
    """All that is tested of a column, whatever it shows: a family that grew with its findings would not be one."""
    if column.p_value is not None:
        yield _Test(column, "values", column.p_value, _strength_of_values(column))
    if column.null_p_value is not None:
        change = abs(column.null_share - column.reference_null_share)
        yield _Test(column, "nulls", column.null_p_value, change / MIN_NULL_SHARE)
    if column.new_p_value is not None:
        yield _Test(column, "new_categories", column.new_p_value, column.new_share / MIN_NEW_SHARE)


def _strength_of_values(column: ColumnFigures) -> float:
    if column.within_usual:
        return 0.0
    psi = column.psi if column.psi is not None and column.effective_rows >= PSI_ROWS else 0.0
    return max((column.distance or 0.0) / MIN_DISTANCE, psi / MIN_PSI)


def _drifted(alarming: Sequence[_Test]) -> list[DriftedColumn]:
    by_column: dict[tuple[str, str], list[_Test]] = {}
    for test in alarming:
        by_column.setdefault((test.column.kind, test.column.column), []).append(test)
    drifted = [
        DriftedColumn(
            tests[0].column.column,
            tests[0].column.kind,
            tuple(test.cause for test in tests),
            max(test.strength for test in tests),
            "; ".join(_sentence(test) for test in tests),
        )
        for tests in by_column.values()
    ]
    return sorted(drifted, key=lambda found: -found.strength)


def _sentence(test: _Test) -> str:
    column = test.column
    if test.cause == "nulls":
        return f"{column.null_share:.1%} of rows have no value, in the training data {column.reference_null_share:.1%}"
    if test.cause == "new_categories":
        named = ", ".join(repr(value[:40]) for value in column.new_values[:3])
        more = ", …" if len(column.new_values) > 3 else ""
        return f"{column.new_share:.1%} of rows have a value that the training data has not ({named}{more})"
    measure = "Jensen-Shannon" if column.kind == "category" else "Kolmogorov-Smirnov"
    psi = f", PSI {column.psi:.2f}" if column.psi is not None else ""
    moved = f", {column.wasserstein:.2f} standard deviations on average" if column.wasserstein is not None else ""
    return f"distance {column.distance or 0.0:.2f} ({measure}){psi}{moved}"


@dataclass(frozen=True)
class _Needed:
    distance: float
    """That an alarm took."""
    rows: float
    """Behind it, of both sides together."""


def _is_measured_number(column: ColumnFigures) -> bool:
    return column.kind == "number" and column.p_value is not None


def _needed(column: ColumnFigures, alpha: float, rows: int, reference_rows: int) -> _Needed:
    ours = column.effective_rows or float(rows)
    theirs = column.effective_reference_rows or float(reference_rows)
    return _Needed(max(MIN_DISTANCE, ks_critical_distance(alpha, theirs, ours)), both_rows(theirs, ours))


def _smallest_shift(needed: Sequence[_Needed]) -> float | None:
    """Of the number in the middle; None where no shift would have done."""
    shifts = [shift_of_distance(smallest_distance(one.distance, one.rows)) for one in needed]
    middle = median(math.inf if shift is None else shift for shift in shifts) if shifts else math.inf
    return middle if math.isfinite(middle) else None
