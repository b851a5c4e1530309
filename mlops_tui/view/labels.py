"""Labels that came in, and realised performance, as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, Tone, cell, number
from mlops_tui.view.figures import UNKNOWN, metric, share
from mlops_tui.view.metrics import arrow, less_is_better
from mlops_tui.view.monitoring import Line
from mlops_tui.view.sparkline import sparkline

if TYPE_CHECKING:
    from engine.wire.monitoring import LabelCounts, LabelList, PerformanceView, WindowView

COUNT_HEADS = ("lines", "", "meaning")
WINDOW_HEADS = (
    "version",
    "from",
    "to",
    "rows",
    "labelled",
    "value",
    "90 % interval",
    "promised",
    "difference",
    "state",
)

_SPARK_WIDTH = 40
_MARKS: dict[bool, tuple[str, Tone]] = {True: ("✓", "good"), False: ("!", "warn")}


def count_rows(counts: LabelCounts) -> list[list[Cell]]:
    """What became of the lines of a file; what did not occur is left out, but for the matched."""
    told: Sequence[tuple[int, str, str, Tone]] = (
        (counts.matched, "matched", "belong to a captured prediction", "good"),
        (counts.early, "early", "belong to none that is captured yet; kept", "plain"),
        (counts.refused, "refused", "are no label", "warn"),
        (counts.repeated, "repeated", "were known already", "dim"),
        (counts.corrected, "corrected", "say otherwise than before; the newer one counts", "plain"),
    )
    total = [number(f"{counts.rows:,}", "strong"), cell("read", "strong"), cell("")]
    return [total] + [
        [number(f"{many:,}", tone), cell(word, tone), cell(meaning)]
        for many, word, meaning, tone in told
        if many or word == "matched"
    ]


def labelled_line(whole: LabelList) -> str:
    """How far all captures are labelled now."""
    of_all = share(whole.labelled / whole.captured) if whole.captured else UNKNOWN
    told = f"{whole.labelled:,} of {whole.captured:,} captured rows are labelled now ({of_all})"
    if whole.mature_until is None:
        return f"{told}; none are old enough yet to judge by."
    return f"{told}; those up to {_moment(whole.mature_until)} as far as they ever will be."


def performance_lines(model: str, found: PerformanceView) -> list[Line]:
    """The newest settled window against its promise, how it went, and what is missing."""
    lines = []
    settled = [window for window in found.windows if window.mature and window.value is not None]
    if settled:
        lines.append(_newest(model, settled[-1], found))
        of_version = [window.value for window in settled if window.value is not None]
        if len(of_version) > 1:
            low, high = metric(min(of_version)), metric(max(of_version))
            lines.append(Line(f"  {sparkline(of_version, _SPARK_WIDTH)}  {low} to {high}", "plain"))
    if found.captured:
        of_all = share(found.labelled / found.captured)
        lines.append(Line(f"  {found.labelled:,} of {found.captured:,} captured rows are labelled ({of_all}).", "dim"))
    if found.note:
        lines.append(Line(found.note, "warn" if found.captured else "plain"))
    return lines


def _newest(model: str, window: WindowView, found: PerformanceView) -> Line:
    name = f"{model}@{window.version}"
    told = f"{found.metric} {arrow(found.metric)} of {name} was {metric(window.value)} {_interval(window)}"
    told += f" from {_moment(window.starts_at)} to {_moment(window.ends_at)}"
    promised = _promised(window, found)
    if promised is None:
        return Line(f"· {told}; the gate promised nothing by this metric.", "plain")
    glyph, tone = _MARKS[_reaches(window, found)]
    return Line(f"{glyph} {told}; the gate promised {metric(promised)}.", tone)


def window_row(model: str, window: WindowView, found: PerformanceView) -> list[Cell]:
    """One stretch of time."""
    promised = _promised(window, found)
    apart = difference(window, found)
    worse = promised is not None and window.mature and not _reaches(window, found)
    return [
        cell(f"{model}@{window.version}", "strong"),
        cell(_moment(window.starts_at)),
        cell(_moment(window.ends_at)),
        number(f"{window.rows:,}"),
        number(f"{window.labelled:,}"),
        number(metric(window.value)),
        cell(_interval(window)),
        number(metric(promised)),
        number(UNKNOWN if apart is None else f"{apart:+.1%}", "warn" if worse else "plain"),
        Cell("✓ settled", "good") if window.mature else Cell("… not settled", "dim"),
    ]


def difference(window: WindowView, found: PerformanceView) -> float | None:
    """How much better than promised, as a share of it; below 0 it is worse, whatever the metric's direction."""
    promised = _promised(window, found)
    if promised is None or window.value is None or not promised:
        return None
    apart = (window.value - promised) / abs(promised)
    return -apart if less_is_better(found.metric) else apart


def _promised(window: WindowView, found: PerformanceView) -> float | None:
    return (found.promised.get(str(window.version)) or {}).get("value")


def _reaches(window: WindowView, found: PerformanceView) -> bool:
    """Its interval and that of the promise meet, or it is better: no alarm comes from less, and few from more."""
    promised = found.promised.get(str(window.version)) or {}
    if less_is_better(found.metric):
        ends = window.lower, promised.get("upper")
    else:
        ends = promised.get("lower"), window.upper
    return ends[0] is None or ends[1] is None or ends[0] <= ends[1]


def _interval(window: WindowView) -> str:
    if window.lower is None or window.upper is None:
        return UNKNOWN
    return f"[{metric(window.lower)}, {metric(window.upper)}]"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
