"""How a CSV file is written, guessed from the file: delimiter, decimal mark, and the cells that mean null."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from engine.data.schema import blank_missing
from engine.data.text_columns import Decimal, infer
from engine.project import Data

DELIMITERS = (",", ";", "\t", "|")
DEFAULT_MISSING: tuple[str, ...] = Data.model_fields["missing"].default

_PLAIN_MARKERS = ("n/a", "N.A.", "n.a.", "NAN", "Null", "NaT", "<NA>", "#N/A", "#NA", "(null)", "\\N", "-nan")
"""Beyond the defaults; they mean null in any column."""

_HEAD_BYTES = 1 << 18
_HEAD_RECORDS = 200
_SAMPLE_ROWS = 5000
_ODD_TOKENS = 5
_ODD_SHARE = 0.05


@dataclass(frozen=True)
class Marker:
    """A cell that means null, and why it is taken for one."""

    text: str
    rows: int
    columns: tuple[str, ...]
    odd: bool
    """No usual marker: a word that stands in a column of numbers or times."""


def guess_delimiter(text: bytes, target: str | None) -> str:
    """The delimiter by which the first line holds `target`, else by which most lines have as many fields as it."""
    fields = {delimiter: _head(text, delimiter) for delimiter in DELIMITERS}
    holding = [delimiter for delimiter, records in fields.items() if _names_target(records, target)]
    return max(holding or DELIMITERS, key=lambda delimiter: _evenness(fields[delimiter]))


def guess_decimal(frame: pl.DataFrame) -> Decimal:
    """A comma where it makes numbers of columns that are text otherwise, and none speaks against it."""
    commas, points = 0, 0
    for column in blank_missing(frame.head(_SAMPLE_ROWS), DEFAULT_MISSING).iter_columns():
        if not column.str.contains(r"\d[.,]\d").any():
            continue
        by_point, by_comma = infer(column, ".")[0], infer(column, ",")[0]
        commas += by_comma == "number" and by_point == "category"
        points += by_point == "number" and by_comma == "category"
    return "," if commas and not points else "."


def find_missing(frame: pl.DataFrame, decimal: Decimal, *, spare: Sequence[str] = ()) -> list[Marker]:
    """The cells of text columns that mean null, as they occur in the data.

    Besides the usual markers these are words that keep a column from being numbers, times or booleans, when at
    most five such words fill at most a twentieth of it and stand in no column of words. Columns in `spare`, such as
    the target, give no such word.
    """
    usual = [*DEFAULT_MISSING, *_PLAIN_MARKERS]
    holding = frame.select(_columns_with(frame, usual))
    found = {marker: columns for marker in usual if (columns := _columns_with(holding, [marker]))}
    blanked = blank_missing(frame, usual)
    odd: dict[str, list[str]] = {}
    words: list[pl.Series] = []
    for column in blanked.iter_columns():
        if infer(column, decimal)[0] != "category":
            continue
        tokens = _odd_tokens(column, decimal) if column.name not in spare else []
        for token in tokens:
            odd.setdefault(token, []).append(column.name)
        if not tokens:
            words.append(column)
    taken = {token for token in odd if any((column == token).any() for column in words)}
    return [Marker(text, _count(frame, text), tuple(columns), odd=False) for text, columns in found.items()] + [
        Marker(text, _count(frame, text), tuple(columns), odd=True)
        for text, columns in odd.items()
        if text not in taken
    ]


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


def _columns_with(frame: pl.DataFrame, cells: list[str]) -> list[str]:
    held = frame.select(pl.all().is_in(cells).any()).row(0) if frame.width else ()
    return [name for name, holds in zip(frame.columns, held, strict=True) if holds]


def _count(frame: pl.DataFrame, cell: str) -> int:
    return sum(frame.select((pl.all() == cell).sum()).row(0))


def _odd_tokens(column: pl.Series, decimal: Decimal) -> list[str]:
    """Words without which the column is no longer one of words; empty where there are too many."""
    counted = column.drop_nulls().value_counts(sort=True)
    words = counted.filter(~counted[column.name].str.contains(r"\d"))
    if not 0 < words.height <= _ODD_TOKENS or words["count"].sum() > _ODD_SHARE * len(column.drop_nulls()):
        return []
    tokens = words[column.name].to_list()
    kind, _ = infer(blank_missing(column.to_frame(), tokens)[column.name], decimal)
    return tokens if kind != "category" else []
