"""Whether a version still does what the gate promised: from plain figures to an alarm, or to its end.

Pure and light, for it runs inside the engine's transaction; the worker measures the windows
(`engine.monitoring.performance`). The rule:

- Only mature windows speak, each once, in the order of time.
- A window is tested alone, and together with up to three before it: a small loss shows in more rows. One-sided, against
  the promise with its own standard error (z of the difference, both errors added in squares).
- `alarms_per_year` buys drift with one half and performance with the other. This half is shared among the windows of a
  year as they come, at least 52 of them, and between the two tests of each.
- The loss must also be at least 5 % of what was promised: many rows show a loss that matters to nobody.
- An alarm ends after two windows in a row whose 90 % interval reaches the promise again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LEAST_WINDOWS_A_YEAR = 52.0
POOLED_WINDOWS = 4
SMALLEST_DROP = 0.05
"""Of what was promised."""
CALM_WINDOWS = 2

_Z_90 = 1.6448536269514722
_YEAR = timedelta(days=365)
_SHORTEST_SPAN = timedelta(days=7)
"""What comes within an hour does not come all year."""


@dataclass(frozen=True)
class Window:
    """A mature window of one version."""

    starts_at: datetime
    ends_at: datetime
    labelled: int
    value: float | None
    se: float | None
    tested: bool


@dataclass(frozen=True)
class Promise:
    """What a version showed on its test rows."""

    value: float
    se: float


@dataclass(frozen=True)
class Loss:
    """Why there is an alarm."""

    changed_from: datetime
    """Beginning of the first window that showed it."""
    realised: float
    promised: float
    drop: float
    """Of what was promised, as a share."""
    p_value: float
    alpha: float
    """What the p-value had to stay below."""
    windows: int
    """Tested together."""
    labelled: int
    """Rows in them."""

    def evidence(self) -> dict[str, float | int]:
        """For the record."""
        return {
            "realised": self.realised, "promised": self.promised, "drop": self.drop, "p_value": self.p_value,
            "alpha": self.alpha, "windows": self.windows, "labelled": self.labelled,
        }  # fmt: skip


@dataclass(frozen=True)
class Judgement:
    """What the windows that were not tested before have changed."""

    loss: Loss | None
    """The latest that a new window showed and that still stands; None: none did, or it is over again."""
    calm: int
    """Windows in a row, up to the newest, that reach the promise."""
    alpha: float
    """Of each of the two tests of a window."""


def read_promise(promised: Mapping[str, float | None] | None) -> Promise | None:
    """From the gate's figures `value`, `lower`, `upper`; None: it promised nothing that can be tested."""
    value, lower, upper = ((promised or {}).get(key) for key in ("value", "lower", "upper"))
    if value is None or lower is None or upper is None:
        return None
    return Promise(value, (upper - lower) / (2 * _Z_90))


def judge_windows(
    windows: Sequence[Window], promise: Promise, *, alarms_per_year: float, less_is_better: bool
) -> Judgement:
    """Test the windows that were not tested yet; all are of one version, mature, oldest first.

    Those that were are gone through again, for what stands and what may be tested together follows from them.

    >>> at = datetime(2026, 1, 1)
    >>> weeks = [Window(at + i * timedelta(7), at + (i + 1) * timedelta(7), 600, 0.4, 0.03, False) for i in range(3)]
    >>> found = judge_windows(weeks, Promise(0.6, 0.02), alarms_per_year=1, less_is_better=False)
    >>> round(found.loss.drop, 2), found.loss.changed_from == at
    (0.33, True)
    """
    alpha = alarms_per_year / 2 / _windows_per_year(windows) / 2
    turn = -1.0 if less_is_better else 1.0
    defined = [window for window in windows if window.value is not None and window.se is not None]
    told: Loss | None = None
    began: datetime | None = None
    calm = first = 0
    for at, window in enumerate(defined):
        # A window that has raised an alarm raises no other together with those after it.
        begin = at if began is not None else max(first, at + 1 - POOLED_WINDOWS)
        tried = (defined[at : at + 1], defined[begin : at + 1])
        losses = [loss for those in tried if (loss := _loss(those, promise, turn, alpha)) is not None]
        if losses:
            found = min(losses, key=lambda loss: loss.p_value)
            began, calm, first = began or found.changed_from, 0, at + 1
            told = told if window.tested else _since(found, began)
            continue
        calm = calm + 1 if _reaches(window, promise, turn) else 0
        if calm >= CALM_WINDOWS:
            told = began = None
    return Judgement(told, calm, alpha)


def pooled(windows: Sequence[Window]) -> tuple[float, float]:
    """(value, standard error) of several windows together, each weighed by its labelled rows."""
    rows = [window.labelled for window in windows]
    total = sum(rows)
    value = sum(count * (window.value or 0.0) for count, window in zip(rows, windows, strict=True)) / total
    squares = sum((count * (window.se or 0.0)) ** 2 for count, window in zip(rows, windows, strict=True))
    return value, math.sqrt(squares) / total


def _loss(windows: Sequence[Window], promise: Promise, turn: float, alpha: float) -> Loss | None:
    value, se = pooled(windows)
    error = math.hypot(se, promise.se)
    shortfall = turn * (promise.value - value)
    drop = shortfall / abs(promise.value) if promise.value else math.inf
    p_value = 0.5 * math.erfc(shortfall / error / math.sqrt(2)) if error else float(shortfall <= 0)
    if p_value >= alpha or drop < SMALLEST_DROP:
        return None
    rows = sum(window.labelled for window in windows)
    return Loss(windows[0].starts_at, value, promise.value, drop, p_value, alpha, len(windows), rows)


def _since(loss: Loss, began: datetime) -> Loss:
    return replace(loss, changed_from=began)


def _reaches(window: Window, promise: Promise, turn: float) -> bool:
    return turn * (promise.value - (window.value or 0.0)) <= _Z_90 * (window.se or 0.0)


def _windows_per_year(windows: Sequence[Window]) -> float:
    if not windows:
        return LEAST_WINDOWS_A_YEAR
    span = max(windows[-1].ends_at - windows[0].starts_at, _SHORTEST_SPAN)
    return max(LEAST_WINDOWS_A_YEAR, len(windows) * (_YEAR / span))
