"""Nominal times of a schedule: when it is due, whatever the hour is when somebody looks.

An interval's nominal times are the whole multiples of it since 1970, so that no restart and no jump of the clock shifts
them; a cron line's are those of the line in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from engine.errors import InvalidInput

_INTERVAL = re.compile(r"(\d{1,9})([smhd])")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def interval_s(every: str) -> int | None:
    """Seconds of an interval such as `60s`, `15m`, `6h`, `1d`; None: it is none (a cron line, perhaps).

    Raises:
        InvalidInput: an interval of no time.

    >>> interval_s("15m"), interval_s("0 3 * * 1")
    (900, None)
    """
    match = _INTERVAL.fullmatch(every.strip())
    if match is None:
        return None
    seconds = int(match[1]) * _UNIT_S[match[2]]
    if not seconds:
        raise InvalidInput(f"{every!r} is no interval.", "Use one such as `60s`, `15m` or `6h`.")
    return seconds


def next_multiple(seconds: int, after: datetime) -> datetime:
    """The first whole multiple of `seconds` after a moment.

    >>> next_multiple(900, datetime(2026, 1, 1, 12, 15, tzinfo=UTC)).isoformat()
    '2026-01-01T12:30:00+00:00'
    """
    passed = int(after.timestamp()) // seconds
    return datetime.fromtimestamp((passed + 1) * seconds, UTC)


def newest_multiple(seconds: int, until: datetime) -> datetime:
    """The last whole multiple of `seconds` that is not after a moment."""
    return next_multiple(seconds, until) - timedelta(seconds=seconds)
