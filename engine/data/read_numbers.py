"""Columns of a CSV file whose numbers may have been misread: as text, or by the wrong decimal mark."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from engine.data.dialect import DecimalGuess
from engine.data.schema import Schema, blank_missing
from engine.data.text_columns import Decimal, as_numbers

_MOSTLY = 0.8
_FEW_VALUES = 20
_SHOWN = 3
_CALLED: dict[Decimal, str] = {".": "point", ",": "comma"}


def find_doubts(frame: pl.DataFrame, schema: Schema, guess: DecimalGuess, missing: Sequence[str]) -> dict[str, str]:
    """Sentences by column; `frame` holds the cells as they stand, `schema` what they were read as.

    A text column is doubted where at least four cells of five are numbers and they are more than a few; a column
    of numbers where the other mark would make others of them and no column settles which it is.
    """
    found = {}
    for column in blank_missing(frame.select(name for name in schema.names if name in frame), missing).iter_columns():
        read = schema.get(column.name)
        filled = column.drop_nulls()
        if read is None or not len(filled):
            continue
        if read.type == "category" and read.distinct > _FEW_VALUES:
            told = _read_as_text(filled, guess.mark)
        elif read.type in ("number", "integer") and not guess.is_settled:
            told = _read_otherwise(filled, guess.mark)
        else:
            told = ""
        if told:
            found[column.name] = told
    return found


def _read_as_text(filled: pl.Series, mark: Decimal) -> str:
    numbers, by_other = as_numbers(filled, mark), as_numbers(filled, _other(mark))
    others = filled.filter(numbers.is_null())
    if not len(others):  # leading zeros, or more digits than a number has: names that are written in digits
        return ""
    if len(others) <= (1 - _MOSTLY) * len(filled):
        shown = ", ".join(repr(cell[:20]) for cell in others.unique(maintain_order=True).head(_SHOWN))
        return (
            f"read as text, though numbers but for {len(others):,} of {len(filled):,} cells such as {shown}; "
            "list under `missing` in mlops.toml what means no value"
        )
    if by_other.null_count() <= (1 - _MOSTLY) * len(filled):
        return (
            f"read as text: numbers such as {others[0][:20]!r} have a decimal {_CALLED[_other(mark)]}, "
            f"and `decimal` in mlops.toml is the {_CALLED[mark]}"
        )
    return ""


def _read_otherwise(filled: pl.Series, mark: Decimal) -> str:
    marked = filled.filter(filled.str.contains(r"\d[.,]\d"))
    if not len(marked) or as_numbers(filled, _other(mark)).null_count():
        return ""
    cell = marked[0]
    read, otherwise = as_numbers(marked.head(1), mark)[0], as_numbers(marked.head(1), _other(mark))[0]
    return (
        f"{cell[:20]!r} is read as {read:.10g}; where it is {otherwise:.10g}, "
        f'write decimal = "{_other(mark)}" under [data] in mlops.toml'
    )


def _other(mark: Decimal) -> Decimal:
    return "," if mark == "." else "."
