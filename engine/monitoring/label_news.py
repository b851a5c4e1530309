"""What a file of labels says that was not known: counted line by line, and only what changes anything is kept.

People send the whole file again each day, with a few lines more. Stored whole each time, the labels of a year would be
read as the square of its days.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from engine.monitoring.label_join import LABEL_SCHEMA, newest_labels, row_key


@dataclass(frozen=True)
class LabelNews:
    """One file against all that is known."""

    kept: pl.DataFrame
    """`LABEL_SCHEMA`: to be stored."""
    matched: int
    early: int
    repeated: int
    corrected: int


def label_news(known: pl.DataFrame, given: pl.DataFrame, captures: pl.DataFrame) -> LabelNews:
    """Compare the labels of a file, in the order of its lines, with those stored before and with all captures.

    `captures` needs `id`, and `request_id` and `row_index` where a label names a request.
    """
    before = newest_labels(known).select(row_key(), label_before="label", labelled_before="labelled_at")
    lines = given.with_columns(row_key())
    alone = lines["key"].is_unique()
    last_said = pl.col("label_before")
    if not alone.all():
        last_said = pl.coalesce(pl.col("label").shift(1).over("key"), last_said)
    lines = lines.join(before, on="key", how="left", maintain_order="left")
    lines = lines.with_columns(alone.alias("alone"), said=last_said)
    again = pl.col("said").is_not_null()
    counts = lines.select(
        repeated=(again & (pl.col("said") == pl.col("label"))).sum(),
        corrected=(again & (pl.col("said") != pl.col("label"))).sum(),
    ).row(0, named=True)
    matched = _matched(lines, captures)
    return LabelNews(
        kept=lines.filter(~_says_nothing_new()).select(list(LABEL_SCHEMA)),
        matched=matched,
        early=given.height - matched,
        repeated=counts["repeated"],
        corrected=counts["corrected"],
    )


def _says_nothing_new() -> pl.Expr:
    """A line that is alone of its key and leaves what is known as it is: the same again, or older than what counts."""
    no_newer = (pl.col("labelled_at") <= pl.col("labelled_before")).fill_null(value=False)
    timeless = pl.col("labelled_at").is_null() & pl.col("labelled_before").is_null()
    same = (pl.col("label") == pl.col("label_before")) & (no_newer | timeless)
    older = (pl.col("labelled_at") < pl.col("labelled_before")).fill_null(value=False)
    return pl.col("alone") & pl.col("label_before").is_not_null() & (same | older)


def _matched(lines: pl.DataFrame, captures: pl.DataFrame) -> int:
    by_id, by_request = lines.filter(pl.col("id").is_not_null()), lines.filter(pl.col("id").is_null())
    matched = by_id.join(captures.select(pl.col("id").drop_nulls().unique()), on="id", how="semi").height
    if by_request.height:
        matched += by_request.join(captures, on=["request_id", "row_index"], how="semi").height
    return matched
