"""A cron line as people know it: five fields, weekdays from Sunday (0 or 7), all in UTC.

The clock's library counts weekdays from Monday, so a line passes through here on its way there.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ITEM = re.compile(r"(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?")


@dataclass(frozen=True)
class _Field:
    what: str
    first: int
    last: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 7, _WEEKDAYS),
)


def plain_cron(line: str) -> str:
    """The same times with every value written out, and weekdays by name, which means one thing everywhere.

    Raises:
        ValueError: it is no cron line; one sentence, without its end, that tells the nearest mistake.

    >>> plain_cron("0 3 * * 1-5"), plain_cron("*/20 0 1 JAN *")
    ('0 3 * * mon,tue,wed,thu,fri', '0,20,40 0 1 1 *')
    """
    fields = line.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"{line[:60]!r} has {len(fields)} fields, and a cron line has five: minute, hour, day of the month, month "
            "and weekday, such as 0 3 * * 1"
        )
    values = [_values(text, field) for text, field in zip(fields, _FIELDS, strict=True)]
    _, _, days, months, weekdays = values
    if days is not None and weekdays is not None:
        raise ValueError(f"{line!r} names both a day of the month and a weekday; name one of them, and * for the other")
    _check_days(days, months)
    told = [",".join(map(str, sorted(found))) if found is not None else "*" for found in values[:4]]
    names = "*" if weekdays is None else ",".join(_WEEKDAYS[day] for day in sorted({day % 7 for day in weekdays}))
    return " ".join([*told, names])


def _values(text: str, field: _Field) -> set[int] | None:
    """All values of a field; None: every one."""
    if text == "*":
        return None
    found: set[int] = set()
    for item in text.lower().split(","):
        place, slash, step = item.partition("/")
        match = _ITEM.fullmatch(place)
        if match is None or (slash and not re.fullmatch(r"[1-9]\d?", step)):
            raise ValueError(f"{item[:20]!r} is nothing that a {field.what} may be; write *, 5, 1-5, */15 or 1,15")
        last = field.last if field.what != "weekday" else 6
        if match["all"]:
            first = field.first
        else:
            first = _value(match["first"], field)
            last = _value(match["last"], field) if match["last"] else (last if slash else first)
        if last < first:
            raise ValueError(f"{field.what} {place[:20]} runs backwards; write it as two, such as 22-23,0-3")
        found |= set(range(first, last + 1, int(step or 1)))
    return found


def _value(text: str, field: _Field) -> int:
    if text in field.names:
        return field.names.index(text) + field.first
    if text.isascii() and text.isdigit() and field.first <= int(text[:9]) <= field.last:
        return int(text)
    if text.isdigit():
        raise ValueError(f"{field.what} {text[:9]} is not within {field.first} to {field.last}")
    near = difflib.get_close_matches(text[:3], field.names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"write a number from {field.first} to {field.last}"
    raise ValueError(f"{text[:20]!r} is no {field.what}; {hint}")


def _check_days(days: set[int] | None, months: set[int] | None) -> None:
    longest = max(_LONGEST_MONTH[month - 1] for month in months) if months else 31
    if days and min(days) > longest:
        raise ValueError(f"day {min(days)} never comes in the months it names")
