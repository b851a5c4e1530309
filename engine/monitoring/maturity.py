"""Up to when captured rows are labelled as far as they ever will be.

Labels of one kind may come sooner than those of another: a fraud when the customer notices it, an honest payment when
nobody complained for two weeks. Young rows with labels are then nearly all fraud, and a metric over them says nothing.
So nothing is judged by rows that are not mature.

The horizon is how far labels are known: their newest time (the 0.999 quantile, so that a mistyped year moves nothing).
A row is as old as the horizon is later than the row. With `[watch] label_delay` a row is mature at that age. Without it
rows are mature in either of two cases, and the later cut counts:

- **Complete.** In the newest stretch with at least 500 rows and 30 labels of each class, fewer rows lack a label than a
  tenth of what its rarest class has (regression: a twentieth of all), also by one standard error more: whatever they
  are, they change little.
- **At rest.** Only some rows are ever labelled. At age A, of each class, labels have all but stopped: between A / 2
  and A fewer than a tenth were added, and after A fewer than a tenth; and the youngest such rows are labelled at least
  0.8 times as often as all of them. The smallest such A counts. Each class needs 30 labels to say so.

Classes with less than 1 % of the labels, and of the answers, are not asked, except in a binary task.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEAST_ROWS = 500
LEAST_OF_CLASS = 30
REST_OF_CLASS = 0.1
REST_OF_ROWS = 0.05
STEADY_SHARE = 0.8
RARE_SHARE = 0.01

_CUTS = 400
"""Places at which a stretch may end."""
_AGES = 48
_LOOKED_AT_ROWS = 200_000
"""The newest rows at rest tell; what was long before does not."""
_HORIZON_QUANTILE = 0.999


@dataclass(frozen=True)
class Coverage:
    """Captured rows in the order of time, and their labels."""

    at_us: Ints
    """When each happened, µs since the epoch, ascending; shape (rows,)."""
    code: Ints
    """Index of the label's class, 0 for every number; -1: no label."""
    known_us: Ints
    """When the label was known; any value where there is none."""
    answered: npt.NDArray[np.float64]
    """How often the model answers each class, as shares; shape (classes,), `[1.0]` for regression."""

    @property
    def classes(self) -> int:
        """How many there are; 1 for regression."""
        return len(self.answered)


def mature_until_us(rows: Coverage, label_delay_us: int | None) -> int | None:
    """Rows up to this time, µs since the epoch, are mature; None: none is."""
    labelled = rows.code >= 0
    if not labelled.any():
        return None
    horizon = int(np.quantile(rows.known_us[labelled], _HORIZON_QUANTILE, method="higher"))
    if label_delay_us is not None:
        return _known(rows, horizon - label_delay_us)
    asked = _asked(rows, labelled)
    cuts = [cut for cut in (_complete(rows, asked), _at_rest(rows, asked, horizon)) if cut is not None]
    return max(cuts, default=None)


def _known(rows: Coverage, cut: int) -> int | None:
    """The cut itself, no later than the newest row; None before the first."""
    return min(cut, int(rows.at_us[-1])) if cut >= rows.at_us[0] else None


def _asked(rows: Coverage, labelled: Flags) -> Ints:
    """Classes that must have come to rest."""
    if rows.classes <= 2:
        return np.arange(rows.classes)
    share = np.bincount(rows.code[labelled], minlength=rows.classes) / labelled.sum()
    return np.flatnonzero(np.maximum(share, rows.answered) >= RARE_SHARE)


def _complete(rows: Coverage, asked: Ints) -> int | None:
    total = len(rows.at_us)
    places = np.linspace(1, total, min(_CUTS, total)).astype(np.int64) - 1
    # Rows of one moment stay together: a time could not tell them apart.
    ends = np.unique(np.r_[0, np.searchsorted(rows.at_us, rows.at_us[places], side="right")])
    counts = np.stack([np.searchsorted(np.flatnonzero(rows.code == one), ends) for one in asked], axis=1)
    labels = np.searchsorted(np.flatnonzero(rows.code >= 0), ends)
    for last in range(len(ends) - 1, 0, -1):
        if ends[last] < min(total, LEAST_ROWS):
            # Those before the first that lacks its label are always complete, and chosen by that.
            return None
        enough = (ends[last] - ends[:last] >= LEAST_ROWS) & (counts[last] - counts[:last] >= LEAST_OF_CLASS).all(axis=1)
        first = int(np.flatnonzero(enough)[-1]) if enough.any() else 0
        captured, known = ends[last] - ends[first], labels[last] - labels[first]
        allowed = REST_OF_ROWS * known
        if rows.classes > 1:
            allowed = REST_OF_CLASS * (counts[last] - counts[first]).min()
        lacking = captured - known
        # The newest of many cuts is a lucky one: what lacks a label is taken for one standard error more.
        if known and lacking + np.sqrt(lacking) <= allowed:
            return int(rows.at_us[ends[last] - 1])
    return None


def _at_rest(rows: Coverage, asked: Ints, horizon: int) -> int | None:
    span = horizon - int(rows.at_us[0])
    if span <= 0:
        return None
    late = np.where(rows.code >= 0, np.maximum(rows.known_us - rows.at_us, 0), np.iinfo(np.int64).max)
    for age in np.geomspace(span / 2000, span, _AGES).astype(np.int64):
        end = int(np.searchsorted(rows.at_us, horizon - age, side="right"))
        begin = max(0, end - _LOOKED_AT_ROWS)
        if end == begin:
            return None
        if _rests(rows.code[begin:end], late[begin:end], int(age), asked):
            return _known(rows, horizon - int(age))
    return None


def _rests(code: Ints, late: Ints, age: int, asked: Ints) -> bool:
    classes = int(asked.max()) + 1
    every, by_now, by_half = (
        np.bincount(code[late <= limit], minlength=classes)[asked]
        for limit in (np.iinfo(np.int64).max - 1, age, age // 2)
    )
    if (every < LEAST_OF_CLASS).any():
        return False
    grown = 1.0 + REST_OF_CLASS
    if (every > grown * by_now).any() or (by_now > grown * by_half).any():
        return False
    youngest = code[-max(LEAST_ROWS, len(code) // 50) :]
    return bool((youngest >= 0).mean() >= STEADY_SHARE * (code >= 0).mean())
