"""Faults of the data that production brings: what is wrong with a column, rather than how its distribution moved.

Plain rules with wide floors, not tests: what they tell is a fault whatever the budget of false alarms. A finding that
is not alarming is told with the check, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.data.wording import counted
from engine.monitoring.column_now import ColumnNow
from engine.monitoring.number_drift import USUAL
from engine.monitoring.reference import NumberReference, Reference
from engine.project import Column, Scalar
from engine.wire.work import QualityFinding

FEW_NULLS, MANY_NULLS, TIMES_NULLS = 0.01, 0.05, 10.0
"""Nulls are a fault where the reference has at most 1 %, and now there are 5 % and ten times as many."""
TOO_MANY_NULLS, TIMES_TOO_MANY = 0.2, 4.0
"""Or where there are 20 % and four times as many, however many there were."""
STUCK_SHARE, STUCK_BEFORE = 0.99, 0.5
STUCK_RUN, TIMES_RUN = 250, 5.0
"""Newest rows with one and the same value, and how many times as long as the longest such run before."""
FILLED_SHARE, FILLED_BEFORE = 0.2, 0.02
"""A number that is no integer hardly repeats itself: one value in a fifth of the rows was filled in for want of one."""
ALARMING_SHARE = 0.01
"""Of rows that break a limit, or do not fit the column's type."""
FAR, VERY_FAR = 1.0, 10.0
"""Times the width of the reference's range beyond it: many rows are a fault, and one is told."""
LOST_SHARE = 0.05
"""Of the answers, that were not captured."""

_NAME_LENGTH = 60


def find_faults(reference: Reference, now: ColumnNow, expected: Column | None) -> list[QualityFinding]:
    """All faults of one column; `expected` is what the project says of it."""
    found = [*_nulls(reference, now, expected), *_limits(reference, now, expected), *_stuck(reference, now)]
    if isinstance(reference, NumberReference):
        found += _far(reference, now)
    return found


def missing_column(name: str) -> QualityFinding:
    """A column that the model asks for did not come at all."""
    message = f"{name}: the column is missing; the model asks for it."
    return QualityFinding(fault="missing_column", column=name, message=message, share=1.0)


def new_column(name: str) -> QualityFinding:
    """A column came that the training data does not have."""
    message = f"{name}: the training data has no such column, so nothing is known of it."
    return QualityFinding(fault="new_column", column=name, message=message, alarming=False)


def wrong_type(name: str, kind: str, misfits: int, rows: int, example: Any) -> QualityFinding:
    """Values that are not of the column's type."""
    message = f"{name}: {_part(misfits, rows)} no {kind}, such as {str(example)[:_NAME_LENGTH]!r}."
    share = misfits / rows
    return QualityFinding(fault="type", column=name, message=message, share=share, alarming=share >= ALARMING_SHARE)


def dropped_captures(dropped: int, rows: int) -> QualityFinding:
    """Answers that were given and not captured, beside `rows` that were."""
    share = dropped / max(1, dropped + rows)
    message = f"{counted(dropped, 'answer')} of {dropped + rows:,} could not be captured, so nobody looked at them."
    return QualityFinding(fault="dropped", column="", message=message, share=share, alarming=share >= LOST_SHARE)


def _nulls(reference: Reference, now: ColumnNow, expected: Column | None) -> Iterator[QualityFinding]:
    if not now.nulls:
        return
    share, before = now.null_share, reference.null_share
    usual = reference.null_share + USUAL * reference.usual.at(now.rows).null_change
    forbidden = expected is not None and not expected.nullable
    many = before <= FEW_NULLS and share >= max(MANY_NULLS, TIMES_NULLS * before)
    too_many = share >= max(TOO_MANY_NULLS, TIMES_TOO_MANY * before)
    many = (many or too_many) and share > usual
    if many or forbidden:
        rule = (
            "[data.columns] says that it always has one"
            if forbidden
            else f"in the training data {before:.1%} have none"
        )
        message = f"{reference.name}: {_part(now.nulls, now.rows)} without a value; {rule}."
        alarming = many or share >= ALARMING_SHARE
        yield _finding("nulls", reference, message, share, alarming)


def _limits(reference: Reference, now: ColumnNow, expected: Column | None) -> Iterator[QualityFinding]:
    """What `[data.columns]` says."""
    if expected is None or not now.filled:
        return
    if isinstance(reference, NumberReference):
        for limit, side, what in ((expected.min, "left", "below"), (expected.max, "right", "above")):
            if limit is not None:
                under = int(np.searchsorted(now.ordered, limit, side=side))  # type: ignore[call-overload]
                outside = under if what == "below" else now.filled - under
                edge = float(now.ordered[0] if what == "below" else now.ordered[-1])
                if outside:
                    yield _broken(reference, now, outside, f"{what} {limit:g} ([data.columns]), as far as {edge:g}")
    if expected.allowed is not None:
        allowed = _allowed(reference, expected.allowed)
        strange = now.values.filter(now.values.is_not_null() & ~now.values.is_in(allowed))
        if len(strange):
            what = f"not among the values that [data.columns] allows, such as {_shown(strange[0])}"
            yield _broken(reference, now, len(strange), what)


def _allowed(reference: Reference, allowed: Sequence[Scalar]) -> list[Any]:
    if isinstance(reference, NumberReference):
        return [float(value) for value in allowed if not isinstance(value, str)]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in allowed]


def _broken(reference: Reference, now: ColumnNow, rows: int, what: str) -> QualityFinding:
    share = rows / now.filled
    message = f"{reference.name}: {_part(rows, now.filled)} {what}."
    return _finding("range", reference, message, share, share >= ALARMING_SHARE)


def _far(reference: NumberReference, now: ColumnNow) -> Iterator[QualityFinding]:
    """A wrong unit, or a number that stands for no value."""
    width = reference.maximum - reference.minimum
    if not now.filled or not width > 0:
        return
    far, very_far = (_beyond(reference, now, times * width) for times in (FAR, VERY_FAR))
    many = far / now.filled >= ALARMING_SHARE
    if many or very_far:
        least, most = float(now.ordered[0]), float(now.ordered[-1])
        worst = most if most - reference.maximum > reference.minimum - least else least
        message = (
            f"{reference.name}: {_part(far if many else very_far, now.filled)} far outside the training data's "
            f"{reference.minimum:g} to {reference.maximum:g}, as far as {worst:g}."
        )
        yield _finding("range", reference, message, (far if many else very_far) / now.filled, many)


def _beyond(reference: NumberReference, now: ColumnNow, margin: float) -> int:
    low = int(np.searchsorted(now.ordered, reference.minimum - margin, side="left"))
    return low + now.filled - int(np.searchsorted(now.ordered, reference.maximum + margin, side="right"))


def _stuck(reference: Reference, now: ColumnNow) -> Iterator[QualityFinding]:
    """One value nearly always, or for a long time at the end, where stretches of the reference never are so."""
    if now.filled < STUCK_RUN:
        return
    value, rows = _most_frequent(reference, now)
    share, before = rows / now.filled, _share_before(reference, value)
    stuck = share >= STUCK_SHARE and before < STUCK_BEFORE
    filled_in = reference.type == "number" and share >= FILLED_SHARE and before <= FILLED_BEFORE
    if (stuck or filled_in) and reference.usual.at(now.rows).top_share < share:
        message = f"{reference.name}: {_part(rows, now.filled)} {_shown(value)}; in the training data {_few(before)}."
        yield _finding("stuck", reference, message, share, alarming=True)
    elif share < STUCK_SHARE and now.arrival.known:
        yield from _stuck_at_the_end(reference, now)


def _stuck_at_the_end(reference: Reference, now: ColumnNow) -> Iterator[QualityFinding]:
    newest = now.values[now.arrival.newest(STUCK_RUN)]
    if newest[0] is None or newest[0] != newest[-1] or newest.null_count() or newest.n_unique() > 1:
        return
    value, before = newest[0], _share_before(reference, newest[0])
    if before >= STUCK_BEFORE:
        return
    came = now.values[now.arrival.newest(now.rows)]
    lengths = came.ne_missing(came.shift()).fill_null(value=True).cum_sum().value_counts(sort=False, name="run")
    runs = lengths.sort(came.name)["run"]
    last, longest = int(runs[-1]), int(runs[:-1].max() or 0)  # type: ignore[arg-type]
    if last >= TIMES_RUN * longest and reference.usual.at(last).top_share < STUCK_SHARE:
        newest_rows = f"the newest {counted(last, 'row')} all have {_shown(value)}"
        message = f"{reference.name}: {newest_rows}; in the training data {_few(before)}."
        yield _finding("stuck", reference, message, last / now.rows, alarming=True)


def _most_frequent(reference: Reference, now: ColumnNow) -> tuple[Any, int]:
    """Of a number, any value that a tenth of the rows has is seen."""
    if not isinstance(reference, NumberReference):
        return next(iter(now.counted.items()))
    values = np.unique(now.ordered[np.linspace(0, now.filled - 1, 21).astype(np.int64)])
    first, end = (np.searchsorted(now.ordered, values, side=side) for side in ("left", "right"))
    most = int(np.argmax(end - first))
    return float(values[most]), int(end[most] - first[most])


def _share_before(reference: Reference, value: Any) -> float:
    """At most so often does the reference have it."""
    if isinstance(reference, NumberReference):
        return reference.share_of_bin(value)
    place = reference.places.get(value)
    return float(reference.counts[place]) / reference.filled if place is not None else 0.0


def _part(rows: int, of: int) -> str:
    """`12 of 500 rows (2.4 %) are`."""
    return f"{rows:,} of {counted(of, 'row')} ({rows / of:.1%}) {'is' if rows == 1 else 'are'}"


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(str(value)[:_NAME_LENGTH])


def _few(share: float) -> str:
    if not share:
        return "none has it"
    return f"at most {share:.0%} have it" if share >= 0.005 else "hardly any has it"


def _finding(fault: Any, reference: Reference, message: str, share: float, alarming: bool) -> QualityFinding:
    return QualityFinding(fault=fault, column=reference.name, message=message, share=share, alarming=alarming)
