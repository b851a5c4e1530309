"""The cells of a CSV file that mean null, guessed from the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from engine.data.schema import blank_missing
from engine.data.target import MOST_CLASSES
from engine.data.text_columns import ColumnType, Decimal, infer
from engine.project import Data

DEFAULT_MISSING: tuple[str, ...] = Data.model_fields["missing"].default

_PLAIN_MARKERS = (
    "n/a", "N.A.", "n.a.", "NAN", "Null", "NaT", "<NA>", "#N/A", "#NA", "(null)", "\\N", "-nan",
    "k.A.", "k. A.", "K.A.", "k.a.", "#N/V", "#NV", "#VALUE!", "#WERT!", "#DIV/0!",
)  # fmt: skip
"""Beyond the defaults; they mean null in any column."""

USUAL_MISSING = (*DEFAULT_MISSING, *_PLAIN_MARKERS)

SIGNS = ("-", "--", "---", "–", "—", ".", "..", "...", "??", "keine Angabe", "Keine Angabe", "keine angabe")
"""They mean null among numbers and times, however many they are; alone they may be a value, as in `+` and `-`."""

_ODD_TOKENS = 5
_ODD_SHARE = 0.05
_SIGNS_SHARE = 0.5
_FEW_VALUES = 10
_FEW_WORDS = 3


@dataclass(frozen=True)
class Marker:
    """A cell that means null, and why it is taken for one."""

    text: str
    rows: int
    columns: tuple[str, ...]
    odd: bool
    """No usual marker: a word that stands in a column of numbers or times."""


def find_missing(frame: pl.DataFrame, decimal: Decimal, *, spare: Sequence[str] = ()) -> list[Marker]:
    """The cells of text columns that mean null, as they occur in the data.

    Besides the usual markers these are words that keep a column from being numbers, times or booleans, when at
    most five such words fill at most a twentieth of it and stand in no column of words. Of `SIGNS` there may be more,
    and they may stand beside words that are no signs. Columns in `spare`, such as the target, give no such word
    where what is left could be classes.
    """
    holding = frame.select(_columns_with(frame, USUAL_MISSING))
    found = {marker: columns for marker in USUAL_MISSING if (columns := _columns_with(holding, [marker]))}
    odd: dict[str, None] = {}
    worded: list[pl.Series] = []
    for column in blank_missing(frame, USUAL_MISSING).iter_columns():
        kind, values, words = _beside_words(column, decimal)
        if kind == "category" or (words and column.name in spare and not _is_quantity(kind, values)):
            worded.append(column)
        else:
            odd |= dict.fromkeys(words)
    taken = {word for word in odd if any(_is_value(word, column, column.name in spare) for column in worded)}
    found_odd = {word: _columns_with(frame, [word]) for word in odd if word not in taken}
    return [Marker(text, _count(frame, text), tuple(columns), odd=False) for text, columns in found.items()] + [
        Marker(text, _count(frame, text), tuple(columns), odd=True) for text, columns in found_odd.items()
    ]


def _columns_with(frame: pl.DataFrame, cells: Sequence[str]) -> list[str]:
    held = frame.select(pl.all().is_in(list(cells)).any()).row(0) if frame.width else ()
    return [name for name, holds in zip(frame.columns, held, strict=True) if holds]


def _count(frame: pl.DataFrame, cell: str) -> int:
    return sum(frame.select((pl.all() == cell).sum()).row(0))


def _beside_words(column: pl.Series, decimal: Decimal) -> tuple[ColumnType, pl.Series, list[str]]:
    """What a column holds beside the words that keep it from holding that; none of them: it is as it stands."""
    kind, values = infer(column, decimal)
    words, are_many = _odd_words(column) if kind == "category" else ([], False)
    if not words:
        return kind, values, []
    kind, values = infer(blank_missing(column.to_frame(), words)[column.name], decimal)
    if kind == "category" or (are_many and values.drop_nulls().n_unique() <= _FEW_VALUES):
        return "category", column, []
    return kind, values, words


def _odd_words(column: pl.Series) -> tuple[list[str], bool]:
    """Words without which the column may be no longer one of words, and whether they fill much of it; empty where
    there are too many."""
    filled = column.drop_nulls()
    counted = filled.value_counts(sort=True)
    words = counted.filter(~counted[column.name].str.contains(r"\d"))
    others = words.filter(~words[column.name].is_in(list(SIGNS)))
    if others.height > _ODD_TOKENS or others["count"].sum() > _ODD_SHARE * len(filled):
        return [], False
    cells = words["count"].sum()
    if cells > _SIGNS_SHARE * len(filled):
        return [], False
    return sorted(words[column.name].to_list()), cells > _ODD_SHARE * len(filled)


def _is_quantity(kind: ColumnType, values: pl.Series) -> bool:
    """What is learnt can be no class, so that a word in it is none either."""
    return kind == "number" or (kind == "integer" and values.drop_nulls().n_unique() > MOST_CLASSES)


def _is_value(word: str, column: pl.Series, is_spare: bool) -> bool:
    """Whether a word is one of a column's values, rather than a sign that stands beside them."""
    if not (column == word).any():
        return False
    others = column.filter(~column.is_in(list(SIGNS))).drop_nulls().unique()
    stands_beside = len(others) >= _FEW_WORDS and bool(others.str.contains(r"[\p{L}\d]").all())
    return is_spare or word not in SIGNS or not stands_beside
