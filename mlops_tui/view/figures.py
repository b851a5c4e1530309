"""Numbers with their units, short enough for a cell. None is `–`: not known."""

from __future__ import annotations

import math

UNKNOWN = "–"


def count(value: float | None) -> str:
    """A count in at most five characters.

    >>> [count(n) for n in (950, 12_300, 1_500_000)]
    ['950', '12.3k', '1.5M']
    """
    if value is None:
        return UNKNOWN
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{_three(value / size)}{unit}"
    return f"{value:.0f}"


def several(number: int, thing: str) -> str:
    """A number of things.

    >>> several(1, "file"), several(1200, "file")
    ('1 file', '1,200 files')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def size(size_bytes: int | None) -> str:
    """Bytes, in powers of 1,024.

    >>> size(1536)
    '1.5 KiB'
    """
    if size_bytes is None:
        return UNKNOWN
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{_three(value)} {unit}"
        value /= 1024
    return f"{_three(value)} TiB"


def share(part: float | None) -> str:
    """A part of one as percent; what is not nothing never reads as nothing.

    >>> share(0.1), share(0.0004), share(0.0)
    ('10%', '<0.1%', '0%')
    """
    if part is None:
        return UNKNOWN
    percent = part * 100
    if 0 < percent < 0.1:
        return "<0.1%"
    return f"{percent:.0f}%" if percent >= 10 or percent == 0 else f"{percent:.1f}%".replace(".0%", "%")


def milliseconds(value_ms: float | None) -> str:
    """A latency.

    >>> milliseconds(3.25), milliseconds(1500.0)
    ('3.2 ms', '1.5 s')
    """
    if value_ms is None:
        return UNKNOWN
    return f"{_three(value_ms / 1000)} s" if value_ms >= 1000 else f"{_three(value_ms)} ms"


def rate(per_s: float | None) -> str:
    """Requests per second; what is not nothing never reads as nothing.

    >>> rate(12.5), rate(0.02)
    ('12.5/s', '<0.1/s')
    """
    if per_s is not None and 0 < per_s < 0.1:
        return "<0.1/s"
    return UNKNOWN if per_s is None else f"{_three(per_s) if per_s < 1000 else count(per_s)}/s"


def metric(value: float | None) -> str:
    """A metric in four significant figures.

    >>> metric(0.98765), metric(12345.6), metric(0.00001234)
    ('0.9877', '12346', '1.234e-05')
    """
    if value is None:
        return UNKNOWN
    if not math.isfinite(value):
        return str(value)
    if value and (abs(value) >= 1e9 or abs(value) < 1e-4):
        return f"{value:.3e}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _three(value: float) -> str:
    shown = f"{value:.1f}" if abs(value) < 99.95 else f"{value:.0f}"
    return shown.removesuffix(".0")
