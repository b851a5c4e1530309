"""Several windows of realised performance as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from engine.wire.monitoring import WindowView

_Z_90 = 1.6448536269514722


def pooled(windows: Sequence[Row[Any]]) -> WindowView | None:
    """Windows as one, each weighed by its labelled rows; None: there are none."""
    if not windows:
        return None
    labelled = sum(row.labelled for row in windows)
    value = sum(row.labelled * row.value for row in windows) / labelled
    errors = [row.se for row in windows]
    half = None
    if all(se is not None for se in errors):
        half = _Z_90 * math.sqrt(sum((row.labelled * row.se) ** 2 for row in windows)) / labelled
    return WindowView(
        version=windows[0].version,
        starts_at=windows[0].starts_at,
        ends_at=windows[-1].ends_at,
        rows=sum(row.rows for row in windows),
        labelled=labelled,
        metric=windows[0].metric,
        value=value,
        lower=None if half is None else value - half,
        upper=None if half is None else value + half,
        mature=True,
    )


def realised(before: WindowView | None, during: WindowView | None, after: WindowView | None) -> str:
    """What the metric was worth before, after the change and by the newcomer, in one sentence; empty: nobody knows."""
    told = [
        f"{_figure(window)} {when}"
        for window, when in ((before, "before"), (during, "after the change"), (after, "by this version"))
        if window is not None
    ]
    if not told:
        return ""
    metric = next(window.metric for window in (after, during, before) if window is not None)
    return f"Realised {metric}: {', '.join(told)}."


def _figure(window: WindowView) -> str:
    ends = "" if window.lower is None or window.upper is None else f"{window.lower:.3g} to {window.upper:.3g}, "
    return f"{window.value:.3g} ({ends}{window.labelled:,} rows)"
