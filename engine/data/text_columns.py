"""What a column of text cells holds, and its values: numbers, integers, booleans, times, or categories.

All cells decide, never the first hundred. Each parser returns a column in which a cell that does not fit is null,
which is compared with the nulls that were there before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import polars as pl

from engine.errors import EngineError

ColumnType = Literal["number", "integer", "boolean", "category", "time"]
Decimal = Literal[".", ","]

EXACT_INTEGER = 2**53
"""Beyond it a float64 no longer tells neighbouring integers apart, so such columns are names, not quantities."""

_DATE = r"(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4})"
_TIME_SHAPE = rf"^{_DATE}([T ]\d{{1,2}}:\d{{2}}(:\d{{2}}([.,]\d+)?)? ?(Z|[+-]\d{{2}}:?\d{{2}}|UTC)?)?$"
_PLAIN_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f%#z")
_FORMATS = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z", "%d.%m.%Y %H:%M:%S%.f%#z", "%d.%m.%Y %H:%M%#z")
_GROUPED_BY_COMMA = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$"
_GROUPED_BY_POINT = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?$"
_ABOVE_12 = r"(?:1[3-9]|[23]\d)"
_SLASHED = r"^\d{1,2}[/-]\d{1,2}[/-]\d{4}(?:[T ]|$)"
_DAY_FIRST = rf"^{_ABOVE_12}[/-]\d{{1,2}}[/-]\d{{4}}(?:[T ]|$)"
_MONTH_FIRST = rf"^\d{{1,2}}[/-]{_ABOVE_12}[/-]\d{{4}}(?:[T ]|$)"
_SLASHED_PARTS = r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4})"
_PEEK_ROWS = 200


class Misfit(EngineError):
    """A cell does not fit the type its column must have. Caught within `engine.data`, never shown as it is."""

    def __init__(self, row: int, value: object, because: str = "") -> None:
        super().__init__(f"row {row}: {value!r}")
        self.row = row
        self.value = value
        self.because = because
        """Why it does not fit, where there is more to say than the type that is wanted."""


def infer(text: pl.Series, decimal: Decimal) -> tuple[ColumnType, pl.Series]:
    """The narrowest type that fits every cell that is not null, and the column in it.

    Digits with leading zeros, and integers beyond `EXACT_INTEGER`, are names: `category`. So is a column without a
    value.
    """
    peek = text.drop_nulls().head(_PEEK_ROWS)
    if not len(peek):
        return "category", text
    if _fits(_booleans(peek), peek) and _fits(found := _booleans(text), text):
        return "boolean", found
    if _fits(as_numbers(peek, decimal), peek):
        return _infer_number(text, decimal)
    if _fits(_parse_dotted(_dotted(peek, text)), peek) and _fits(found := parse_times(text), text):
        return "time", found
    return "category", text


def convert(text: pl.Series, kind: ColumnType, decimal: Decimal) -> pl.Series:
    """The column in the type that it is known to have: leading zeros are digits, yes and no are booleans.

    Raises:
        Misfit: a cell does not fit; tells the first.
    """
    if kind == "category":
        return text
    parsers: dict[str, Callable[[pl.Series], pl.Series]] = {
        "number": lambda cells: as_numbers(cells, decimal),
        "integer": lambda cells: _whole(cells, decimal),
        "boolean": _yes_or_no,
        "time": parse_times,
    }
    parsed = parsers[kind](text)
    if not _fits(parsed, text):
        row = first_true(parsed.is_null() & text.is_not_null())
        raise Misfit(row, text[row], why_no_day(text) if kind == "time" and slashed_date(text[row]) else "")
    return parsed.fill_nan(None) if kind == "number" else parsed


def first_true(mask: pl.Series) -> int:
    """The first row, from 0, at which a boolean column holds; one must."""
    row = mask.arg_max()
    assert row is not None
    return row


def parse_times(text: pl.Series) -> pl.Series:
    """ISO 8601 dates and times (also with `/`), day.month.year, and day/month/year or month/day/year; null where a
    cell is none.

    Whether the day or the month comes first in `28/12/2024` is decided by the whole column: where the first part is
    above 12 in any cell and the second in none it is the day, the other way round the month. Where neither is, or
    both are, such cells are null. Times without an offset are taken as UTC.
    """
    return _parse_dotted(_dotted(text, text))


def why_no_day(text: pl.Series) -> str:
    """Why nobody knows the day of a column's dates such as 01/02/2024; empty where the column tells."""
    day_first, month_first = _orders(text)
    if day_first and month_first:
        return "some dates of the column have the day first and some the month"
    if day_first or month_first:
        return ""
    return "its day and month cannot be told apart, as no date of the column has a day above 12"


def slashed_date(cell: str) -> bool:
    """Whether a cell is a date such as 01/02/2024, of which the day may be the first part or the second."""
    return re.match(_SLASHED, cell) is not None


def _orders(text: pl.Series) -> tuple[bool, bool]:
    """Whether any date of a column must have its day first, and whether any must have its month first."""
    return bool(text.str.contains(_DAY_FIRST).any()), bool(text.str.contains(_MONTH_FIRST).any())


def _dotted(cells: pl.Series, column: pl.Series) -> pl.Series:
    """Cells with 28/12/2024 or 12/28/2024 as 28.12.2024, in the order that all of `column` tells, if it does."""
    if not cells.str.contains(_SLASHED).any():
        return cells
    day_first, month_first = _orders(column)
    if day_first == month_first:
        return cells
    return cells.str.replace(_SLASHED_PARTS, "${1}.${2}.${3}" if day_first else "${2}.${1}.${3}")


def _parse_dotted(text: pl.Series) -> pl.Series:
    shaped = pl.select(pl.when(text.str.contains(_TIME_SHAPE)).then(text).alias(text.name)).to_series()
    found = _try_formats(shaped, None, _PLAIN_FORMATS)
    if not _fits(found, shaped):
        found = _try_formats(_one_spelling(shaped), found, _FORMATS)
    return found


def _infer_number(text: pl.Series, decimal: Decimal) -> tuple[ColumnType, pl.Series]:
    plain = _plain_numbers(text, decimal)
    whole = plain.cast(pl.Int64, strict=False)
    if plain.str.contains(r"^[+-]?0\d").any():
        return "category", text
    if _fits(whole, text):
        largest = max(abs(int(edge)) for edge in (whole.min(), whole.max()))  # type: ignore[arg-type]
        return ("integer", whole) if largest <= EXACT_INTEGER else ("category", text)
    numbers = plain.cast(pl.Float64, strict=False)
    if not _fits(numbers, text) or plain.str.contains(r"^[+-]?\d+$").all():
        return "category", text
    return "number", numbers.fill_nan(None)


def _fits(parsed: pl.Series, text: pl.Series) -> bool:
    return parsed.null_count() == text.null_count()


def _plain_numbers(text: pl.Series, decimal: Decimal) -> pl.Series:
    """Cells as "1234.5", where they were "1,234.5" or, with a decimal comma, "1.234,5"."""
    if decimal == "." and _fits(text.cast(pl.Float64, strict=False), text):
        return text
    group, grouped = (",", _GROUPED_BY_COMMA) if decimal == "." else (".", _GROUPED_BY_POINT)
    cells = pl.select(
        pl.when(text.str.contains(grouped)).then(text.str.replace_all(group, "", literal=True))
        .when(~text.str.contains(group, literal=True)).then(text)
        .alias(text.name)
    ).to_series()  # fmt: skip
    return cells if decimal == "." else cells.str.replace(",", ".", literal=True)


def as_numbers(text: pl.Series, decimal: Decimal) -> pl.Series:
    """Each cell as a number; null where it is none."""
    return _plain_numbers(text, decimal).cast(pl.Float64, strict=False)


def _whole(text: pl.Series, decimal: Decimal) -> pl.Series:
    """Integers, also where they are written with an empty fraction ("3.0"), as they are beside nulls in pandas."""
    plain = _plain_numbers(text, decimal)
    whole = plain.cast(pl.Int64, strict=False)
    if _fits(whole, text):
        return whole
    numbers = plain.cast(pl.Float64, strict=False)
    exact = (numbers == numbers.floor()) & (numbers.abs() <= EXACT_INTEGER)
    return pl.select(
        pl.when(whole.is_not_null()).then(whole).when(exact).then(numbers.cast(pl.Int64, strict=False)).alias(text.name)
    ).to_series()


def _booleans(text: pl.Series) -> pl.Series:
    return _either(text, ("true",), ("false",))


def _yes_or_no(text: pl.Series) -> pl.Series:
    return _either(text, ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0"))


def _either(text: pl.Series, true: tuple[str, ...], false: tuple[str, ...]) -> pl.Series:
    lower = text.str.to_lowercase()
    return pl.select(
        pl.when(lower.is_in(list(true))).then(True).when(lower.is_in(list(false))).then(False).alias(text.name)
    ).to_series()


def _try_formats(text: pl.Series, found: pl.Series | None, formats: tuple[str, ...]) -> pl.Series:
    for form in formats:
        parsed = text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
        found = parsed if found is None else found.zip_with(found.is_not_null(), parsed)
        if _fits(found, text):
            break
    assert found is not None
    return found


def _one_spelling(text: pl.Series) -> pl.Series:
    """Times as `2026-01-31 12:00[:01.5]+00:00`."""
    return (
        text.str.replace(r" ?(?:Z|UTC)$", "+00:00")
        .str.replace("T", " ", literal=True)
        .str.replace_all("/", "-", literal=True)
        .str.replace(",", ".", literal=True)
        .str.replace(r" ([+-]\d{2}:?\d{2})$", "$1")
        .str.replace(r"^(\d+[-.]\d+[-.]\d+)$", "$1 00:00")
        .str.replace(r"( \d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)$", "$1+00:00")
    )
