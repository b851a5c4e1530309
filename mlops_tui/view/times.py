"""Times relative to now, and exact on demand."""

from __future__ import annotations

from datetime import UTC, datetime

_STEPS = ((86_400 * 365, "y"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def utc_now() -> datetime:
    """This moment, aware."""
    return datetime.now(UTC)


def duration(seconds: float) -> str:
    """A length of time by its largest unit, two of them where the first is small.

    >>> duration(8), duration(95), duration(7_300), duration(400_000)
    ('8s', '1m35s', '2h1m', '4d15h')
    """
    whole = int(max(seconds, 0))
    for place, (length, unit) in enumerate(_STEPS):
        if whole < length:
            continue
        first, rest = divmod(whole, length)
        if first < 10 and place + 1 < len(_STEPS):
            smaller, name = _STEPS[place + 1]
            second = rest // smaller
            return f"{first}{unit}{second}{name}" if second else f"{first}{unit}"
        return f"{first}{unit}"
    return "0s"


def age(at: datetime | None, now: datetime) -> str:
    """How long ago, in one unit, or `in …`; `–` for None."""
    if at is None:
        return "–"
    seconds = (now - at).total_seconds()
    if -1 < seconds < 5:
        return "now"
    told = _one_unit(abs(seconds))
    return f"in {told}" if seconds < 0 else f"{told} ago"


def exact(at: datetime | None) -> str:
    """To the second, in UTC."""
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _one_unit(seconds: float) -> str:
    whole = int(seconds)
    length, unit = next((step for step in _STEPS if whole >= step[0]), _STEPS[-1])
    return f"{whole // length}{unit}"
