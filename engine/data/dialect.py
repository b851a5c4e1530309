"""How a CSV file is written, guessed from the file: delimiter and decimal mark."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import dataclass

import polars as pl

from engine.data.missing_cells import SIGNS, USUAL_MISSING
from engine.data.schema import blank_missing
from engine.data.text_columns import Decimal, as_numbers

DELIMITERS = (",", ";", "\t", "|")

_HEAD_BYTES = 1 << 18
_HEAD_RECORDS = 200
_SAMPLE_ROWS = 5000
_NEARLY_ALL = 0.95


@dataclass(frozen=True)
class DecimalGuess:
    """What stands before a number's fraction, and whether the data leaves no doubt."""

    mark: Decimal
    is_settled: bool
    """Columns speak for it and none against it. Otherwise `1.234` may be a little more than one, or a thousand."""


def guess_delimiter(text: bytes, target: str | None) -> str:
    """The delimiter by which the first line holds `target`, else by which most lines have as many fields as it."""
    fields = {delimiter: _head(text, delimiter) for delimiter in DELIMITERS}
    holding = [delimiter for delimiter, records in fields.items() if _names_target(records, target)]
    return max(holding or DELIMITERS, key=lambda delimiter: _evenness(fields[delimiter]))


def guess_decimal(frame: pl.DataFrame, delimiter: str) -> DecimalGuess:
    """The mark by which more columns are numbers, whatever stands for null in them.

    A column speaks for a mark by cells that are numbers by it alone: `1,5` and `1.234.567` for the comma, `1.5` and
    `1,234.5` for the point. Where commas part the fields, one column of points speaks against all that hold commas,
    which may be lists; where semicolons do, as many columns of commas as of points are enough, and `1,234` is taken
    for a fraction. No column says anything: a point.
    """
    votes = [_vote(column) for column in _sample(frame).iter_columns()]
    commas, points = votes.count(","), votes.count(".")
    is_settled = (commas > 0) != (points > 0)
    if delimiter == ";":
        is_comma = commas >= points if commas or points else "1,234" in votes
    else:
        is_comma = commas > points and not (points and delimiter == ",")
    return DecimalGuess("," if is_comma else ".", is_settled)


def _sample(frame: pl.DataFrame) -> pl.DataFrame:
    return blank_missing(frame.head(_SAMPLE_ROWS), (*USUAL_MISSING, *SIGNS))


def _vote(column: pl.Series) -> str:
    """The mark that a column speaks for; "1,234" where its commas may also part thousands; empty: none."""
    filled = column.drop_nulls()
    if not filled.str.contains(r"\d[.,]\d").any() or filled.str.contains(r"^[+-]?0\d").any():
        return ""
    by_point, by_comma = as_numbers(filled, ".").is_not_null(), as_numbers(filled, ",").is_not_null()
    if (by_point | by_comma).sum() < _NEARLY_ALL * len(filled):
        return ""
    points, commas = int((by_point & ~by_comma).sum()), int((by_comma & ~by_point).sum())
    if points or commas:
        return "." if points >= commas else ","
    return "1,234" if filled.str.contains(",", literal=True).any() else ""


def _head(text: bytes, delimiter: str) -> list[list[str]]:
    head = text[:_HEAD_BYTES].decode("utf-8", errors="ignore")
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter, skipinitialspace=True)
    return [record for record in itertools.islice(reader, _HEAD_RECORDS) if record]


def _names_target(records: list[list[str]], target: str | None) -> bool:
    return bool(records) and target in [name.strip() for name in records[0]]


def _evenness(records: list[list[str]]) -> tuple[bool, float, int]:
    if not records:
        return (False, 0.0, 0)
    width = len(records[0])
    even = sum(len(record) == width for record in records) / len(records)
    return (width > 1, round(even, 1), width)
