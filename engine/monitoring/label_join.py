"""Captured predictions and their labels, joined when they are read.

A label belongs to a row's id, or to one predicted row (request id and row index). Label files are read in the order in
which they came. Of two labels for one key the one with the newer `labelled_at` counts; where one of them has none, the
later file, and within a file the later line. With all times given and none twice, the order of files does not matter.

A row that was predicted several times has its label at each: every answer counts for performance. For training it is
one row, with the inputs of its first capture (`first_captures`): those a decision was taken on, before anything that
followed from it could be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

TIME = pl.Datetime("us", "UTC")

LABEL_SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(), "request_id": pl.String(), "row_index": pl.Int64(), "label": pl.String(), "labelled_at": TIME,
    "seen_at": TIME,
}  # fmt: skip
"""Of a stored file of labels. A row has an `id`, or `request_id` and `row_index`; `label` is the class's name or the
number's shortest text; `seen_at` is the time of the newest capture when the file came."""

CAPTURE_SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(), "request_id": pl.String(), "row_index": pl.Int64(), "version": pl.Int64(), "event_time": TIME,
    "received_at": TIME, "probability": pl.Float64(), "value": pl.Float64(), "scores": pl.List(pl.Float64()),
}  # fmt: skip


def canonical_id(column: pl.Expr) -> pl.Expr:
    """Texts of ids such that 7, "7" and 7.0 are one; "007" is another.

    >>> pl.select(canonical_id(pl.Series(["7", "7.0", " 7", "007", "7.5", ""]))).to_series().to_list()
    ['7', '7', '7', '007', '7.5', None]
    """
    plain = column.str.strip_chars()
    whole = pl.when(plain.str.ends_with("0")).then(plain.str.replace(r"^([+-]?\d+)\.0+$", "${1}")).otherwise(plain)
    return pl.when(whole != "").then(whole)


def row_key() -> pl.Expr:
    """One text that names a label's key, from the columns of `LABEL_SCHEMA`."""
    by_request = pl.concat_str(pl.lit("r"), "row_index", pl.lit(":"), "request_id", ignore_nulls=True)
    return pl.when(pl.col("id").is_not_null()).then("i:" + pl.col("id")).otherwise(by_request).alias("key")


def read_label_files(folder: Path, files: Sequence[str]) -> pl.DataFrame:
    """All stored labels in the order in which they came, as `LABEL_SCHEMA`."""
    if not files:
        return pl.DataFrame(schema=LABEL_SCHEMA)
    parts = [pl.read_parquet(folder / name, columns=list(LABEL_SCHEMA), glob=False) for name in files]
    return pl.concat(parts).cast(LABEL_SCHEMA)  # type: ignore[arg-type]


def newest_labels(labels: pl.DataFrame) -> pl.DataFrame:
    """The label that counts for each key; `labels` in the order in which they came. Has `order` besides, that place."""
    placed = labels.with_row_index("order").with_columns(pl.col("order").cast(pl.Int64))
    keys = labels.select(row_key()).to_series() if labels["id"].null_count() else labels["id"]
    alone = keys.is_unique()
    if alone.all():
        return placed
    # Most keys are said once: to keep those out of the sort takes half of the time, and of the memory.
    repeated = placed.filter(~alone).with_columns(row_key())
    return pl.concat([placed.filter(alone), _newest_of_repeated(repeated).drop("key")])


def _newest_of_repeated(keyed: pl.DataFrame) -> pl.DataFrame:
    if not keyed["labelled_at"].null_count():
        ordered = keyed.sort("labelled_at", maintain_order=True)
    else:
        # A label without a time puts an end to all that came before it.
        epoch = pl.col("labelled_at").is_null().cum_sum().over("key").alias("epoch")
        ordered = keyed.with_columns(epoch).sort(
            "epoch", "labelled_at", nulls_last=False, maintain_order=True
        ).drop("epoch")  # fmt: skip
    return ordered.unique("key", keep="last", maintain_order=True)


def read_captures(folder: Path, files: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
    """Columns of `CAPTURE_SCHEMA` of all rows, in the order of files; what retention removed meanwhile is left out.

    `id` is canonical.
    """
    there = [folder / name for name in files if (folder / name).exists()]
    schema = {name: CAPTURE_SCHEMA[name] for name in columns}
    if not there:
        return pl.DataFrame(schema=schema)
    found = pl.scan_parquet(
        there, glob=False, schema=schema, missing_columns="insert", extra_columns="ignore"
    ).collect()
    return found.with_columns(canonical_id(pl.col("id"))) if "id" in schema else found


def captured_at() -> pl.Expr:
    """When a captured row happened: its event time, or else when it was received."""
    return pl.coalesce("event_time", "received_at").alias("at")


def join_labels(captures: pl.DataFrame, newest: pl.DataFrame) -> pl.DataFrame:
    """Captures, in their order, with `label`, `labelled_at` and `seen_at` of what `newest_labels` gave; null: none yet.

    Where a row has a label by its id and one by its request, the newer counts, else the one that came later.
    `captures` needs `id`, and `request_id` and `row_index` where labels name requests.
    """
    told = ["label", "labelled_at", "seen_at"]
    by_id = newest.filter(pl.col("id").is_not_null()).select("id", *told, "order")
    by_request = newest.filter(pl.col("id").is_null()).select("request_id", "row_index", *told, "order")
    joined = captures.join(by_id, on="id", how="left", maintain_order="left")
    if not by_request.height:
        return joined.drop("order")
    joined = joined.join(by_request, on=["request_id", "row_index"], how="left", maintain_order="left", suffix="_r")
    timed = pl.col("labelled_at").is_not_null() & pl.col("labelled_at_r").is_not_null()
    different = timed & (pl.col("labelled_at") != pl.col("labelled_at_r"))
    newer = (
        pl.when(different).then(pl.col("labelled_at_r") > pl.col("labelled_at"))
        .otherwise(pl.col("order_r") > pl.col("order"))
    )  # fmt: skip
    by_its_request = pl.col("label_r").is_not_null() & (pl.col("label").is_null() | newer)
    chosen = [pl.when(by_its_request).then(f"{name}_r").otherwise(name).alias(name) for name in told]
    return joined.with_columns(chosen).drop("order", "order_r", *(f"{name}_r" for name in told))


def first_captures(captures: pl.DataFrame) -> pl.DataFrame:
    """Each row once: of captures with the same id the one received first; those without an id all stay. Needs
    `received_at`, which each capture has; the order of rows stays.
    """
    known = captures["id"].drop_nulls()
    if known.n_unique() == len(known):
        return captures
    place = pl.col("received_at").rank("ordinal").over("id")
    return captures.filter(pl.col("id").is_null() | (place == 1))
