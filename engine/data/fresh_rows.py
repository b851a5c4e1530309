"""Captured predictions whose labels have come, as rows of a project's data: what production has taught since.

They come beside the source and in its columns, types and values. The source beats captures: a row whose id it has is
taken from there. Among captures of one id the first counts, with the inputs that the decision was taken on. A row that
cannot be told in the source's types, or breaks an expectation, is left out and counted; one bad row sent by a client
must not keep a model from being trained, where a bad row in the source must.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.data.checks import broken_rows
from engine.data.content import content_sha256
from engine.data.damaged_captures import fresh_files, naming_damage
from engine.data.schema import Schema
from engine.data.text_columns import ColumnType
from engine.data.typed_columns import DTYPES, as_text, from_typed
from engine.data.wording import agreeing, counted
from engine.monitoring.label_join import (
    TIME,
    canonical_id,
    captured_at,
    first_captures,
    join_labels,
    newest_labels,
    read_label_files,
)
from engine.project import Project, Scalar
from engine.wire.work import FreshRows

INPUT_PREFIX = "input."
"""Before the name of each input in a capture file."""

_KEYS: dict[str, pl.DataType] = {
    "id": pl.String(), "request_id": pl.String(), "row_index": pl.Int64(), "event_time": TIME, "received_at": TIME,
}  # fmt: skip
_AT, _FILE, _ROW, _MISFIT = "\x00at", "\x00file", "\x00row", "\x00misfit"
"""Names that no column of a project has."""


@dataclass(frozen=True)
class FreshFigures:
    """Labelled captures as rows beside a source."""

    frame: pl.DataFrame
    """Columns and types of the source (an integer target of a regression may have become a number), oldest first."""
    shown: str
    size_bytes: int
    """Of the capture files that were read."""
    too_young: int
    """Labelled rows that are later than `mature_until`."""
    in_source: int
    """Rows whose id the source has."""
    left_out: Mapping[str, int]
    """Rows that are no rows of this data, by the reason."""

    @property
    def rows(self) -> int:
        """That are learnt from."""
        return self.frame.height

    def to_dict(self) -> dict[str, str | int]:
        """As one of a snapshot's sources: plain JSON values, the hash of the content among them."""
        return {
            "path": self.shown, "format": "captures", "sha256": content_sha256(self.frame),
            "size_bytes": self.size_bytes, "rows": self.rows,
        }  # fmt: skip

    def notes(self) -> list[str]:
        """Sentences for the job's log."""
        told = [f"{counted(self.rows, 'captured row')} with {agreeing(self.rows, 'its label', 'labels')} added."]
        if self.in_source:
            told.append(f"{counted(self.in_source, 'captured row')} left out: the source has {_them(self.in_source)}.")
        if self.too_young:
            told.append(
                f"{counted(self.too_young, 'labelled row')} left out: too young, labels of other rows of that time "
                "may still come."
            )
        for reason, count in self.left_out.items():
            told.append(f"{counted(count, 'captured row')} left out: {reason}.")
        return told


def read_fresh(fresh: FreshRows, project: Project, source: pl.DataFrame, schema: Schema) -> FreshFigures:
    """Read labelled captures as rows beside `source`, a canonical frame in which every row has a target.

    Files that retention has removed meanwhile are passed over.

    Raises:
        BadData: a file of captures or labels is damaged.
    """
    reader = _Reader(project, source, schema)
    with naming_damage(fresh_files(fresh)):
        labelled, size_bytes = _labelled(fresh, reader)
    there = labelled.height
    if fresh.mature_until is not None:
        labelled = labelled.filter(pl.col(_AT) <= fresh.mature_until)
    too_young = there - labelled.height
    labelled = first_captures(labelled.sort("received_at", "request_id", "row_index"))
    rows = labelled.height
    if project.data.id is not None:
        labelled = labelled.join(reader.source_ids.to_frame("id"), on="id", how="anti", maintain_order="left")
    frame = reader.rows(labelled.sort(_AT, "request_id", "row_index"))
    return FreshFigures(
        frame=frame,
        shown=f"captures/{Path(fresh.captures_folder).name}",
        size_bytes=size_bytes,
        too_young=too_young,
        in_source=rows - labelled.height,
        left_out=reader.left_out,
    )


def _labelled(fresh: FreshRows, reader: _Reader) -> tuple[pl.DataFrame, int]:
    """Labelled rows of all files with the inputs that the data has, and how many bytes were read.

    The keys of all files first, then a file at a time the inputs: of a million captured rows with few labels only
    those few are held.
    """
    folder = Path(fresh.captures_folder)
    newest = newest_labels(read_label_files(folder / "labels", fresh.label_files))
    keys = [
        _keys(folder / name).with_columns(pl.lit(at, pl.Int64).alias(_FILE))
        for at, name in enumerate(fresh.capture_files)
    ]
    joined = join_labels(pl.concat([_keys(None).with_columns(pl.lit(0, pl.Int64).alias(_FILE)), *keys]), newest)
    labelled = joined.filter(pl.col("label").is_not_null())
    parts, size_bytes = [reader.nothing()], 0
    for part in labelled.partition_by(_FILE, maintain_order=True):
        path = folder / fresh.capture_files[part[_FILE][0]]
        try:
            parts.append(reader.inputs(part, path))
            size_bytes += path.stat().st_size
        except FileNotFoundError:
            continue
    return pl.concat(parts), size_bytes


def _keys(path: Path | None) -> pl.DataFrame:
    """The keys of a capture file's rows with their number in it; none where it is gone."""
    there: dict[str, pl.DataType] = {}
    found = pl.DataFrame()
    if path is not None and path.exists():
        there = dict(pl.read_parquet_schema(path))
        found = pl.read_parquet(path, columns=[key for key in _KEYS if key in there], glob=False)
    keys = found.select(
        (pl.col(key) if key in there else pl.lit(None, dtype=kind)).cast(kind).alias(key) for key, kind in _KEYS.items()
    )
    if not there:
        keys = keys.clear()
    return keys.with_columns(canonical_id(pl.col("id")), captured_at().alias(_AT)).with_row_index(_ROW)


class _Reader:
    """Turns captured rows into rows of the source."""

    def __init__(self, project: Project, source: pl.DataFrame, schema: Schema) -> None:
        self._project, self._schema = project, schema
        data = project.data
        apart = {data.id, data.time, data.target, *data.ignore}
        self._features: dict[str, ColumnType] = {
            column.name: column.type for column in schema.columns if column.name not in apart
        }
        target = schema.get(data.target)
        assert target is not None
        self._target: ColumnType = target.type
        self._classes = {} if project.task == "regression" else _by_name(source[data.target])
        self.source_ids = pl.Series("id", [], dtype=pl.String)
        if data.id is not None and (key := schema.get(data.id)) is not None:
            texts = as_text(key.type, source[data.id]).to_frame("id")
            self.source_ids = texts.select(canonical_id(pl.col("id"))).to_series()
        self.left_out: dict[str, int] = {}

    def nothing(self) -> pl.DataFrame:
        """What `inputs` gives, without a row."""
        kinds = _KEYS | {_AT: TIME, "label": pl.String()}
        kinds |= {INPUT_PREFIX + name: DTYPES[kind] for name, kind in self._features.items()}
        return pl.DataFrame(schema=kinds | {_MISFIT: pl.Boolean()})

    def inputs(self, keys: pl.DataFrame, path: Path) -> pl.DataFrame:
        """Labelled rows of a file with the data's features, in their types; what does not fit is marked.

        Raises:
            FileNotFoundError: the file is gone.
        """
        there = pl.read_parquet_schema(path)
        wanted = [INPUT_PREFIX + name for name in self._features if INPUT_PREFIX + name in there]
        found = pl.read_parquet(path, columns=wanted, glob=False)[keys[_ROW]] if wanted else pl.DataFrame()
        misfit = pl.repeat(False, keys.height, dtype=pl.Boolean, eager=True)
        columns = []
        for name, kind in self._features.items():
            captured = INPUT_PREFIX + name
            given = found[captured] if captured in found.columns else pl.Series([None] * keys.height, dtype=pl.Null)
            values = _typed(given, kind)
            misfit = misfit | (given.is_not_null() & values.is_null())
            columns.append(values.rename(captured))
        kept = keys.select(*_KEYS, _AT, "label")
        return kept.with_columns(*columns, misfit.rename(_MISFIT))

    def rows(self, labelled: pl.DataFrame) -> pl.DataFrame:
        """In the columns of the source, without those that do not belong there."""
        kept = self._without(labelled, ~labelled[_MISFIT], "a value is not of its column's type")
        target = self._targets(kept["label"])
        told = "the label is none that the source knows" if self._classes else "the label is no number"
        known = target.is_not_null()
        kept, target = self._without(kept, known, told), target.filter(known)
        frame = pl.DataFrame([self._column(name, kept, target) for name in self._schema.names])
        if self._project.data.id is not None:
            frame = self._with_ids(frame, kept)
        return self._as_expected(frame)

    def _targets(self, label: pl.Series) -> pl.Series:
        if self._classes:
            texts = label.str.strip_chars()
            names, values = list(self._classes), list(self._classes.values())
            return texts.replace_strict(names, values, default=None, return_dtype=DTYPES[self._target])
        numbers = label.cast(pl.Float64, strict=False)
        numbers = pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()
        filled = numbers.drop_nulls()
        whole = self._target == "integer" and bool((filled == filled.floor()).all())
        return numbers.cast(pl.Int64) if whole else numbers

    def _column(self, name: str, kept: pl.DataFrame, target: pl.Series) -> pl.Series:
        if name == self._project.data.target:
            return target.rename(name)
        if name in self._features:
            return kept[INPUT_PREFIX + name].rename(name)
        column = self._schema.get(name)
        assert column is not None
        if name == self._project.data.time:
            return kept[_AT].rename(name)
        if name == self._project.data.id:
            return _ids(kept, column.type).rename(name)
        return pl.Series(name, [None] * kept.height, dtype=DTYPES[column.type])

    def _with_ids(self, frame: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
        name = self._project.data.id
        assert name is not None
        frame = self._without(frame, frame[name].is_not_null(), f"the id is none that {name!r} may hold")
        return self._without(frame, frame[name].is_first_distinct(), "the id is another row's too")

    def _as_expected(self, frame: pl.DataFrame) -> pl.DataFrame:
        for name, kind in self._features.items():
            if kind == "number":
                finite = ~frame[name].is_infinite().fill_null(value=False)
                frame = self._without(frame, finite, f"{name} is infinite")
        broken = pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
        for rule, rows in broken_rows(frame, self._schema, self._project):
            if news := int((rows & ~broken).sum()):
                self.left_out[f"an expectation is not met ({rule})"] = news
            broken = broken | rows
        return frame.filter(~broken)

    def _without(self, frame: pl.DataFrame, good: pl.Series, reason: str) -> pl.DataFrame:
        """Rows that are good; the others are counted."""
        if good.all():
            return frame
        self.left_out[reason] = self.left_out.get(reason, 0) + int((~good).sum())
        return frame.filter(good)


def _typed(values: pl.Series, kind: ColumnType) -> pl.Series:
    """Captured values in a column's type; null where they do not fit."""
    if values.dtype == pl.Null():
        return pl.Series([None] * len(values), dtype=DTYPES[kind])
    if kind == "category":
        return values if values.dtype == pl.String() else as_text(*from_typed(values))
    if kind == "boolean" and values.dtype == pl.String():
        return values.replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)
    if kind == "integer" and values.dtype == pl.Float64():
        whole = pl.select(pl.when(values == values.floor()).then(values)).to_series()
        return whole.cast(pl.Int64, strict=False)
    return values.cast(DTYPES[kind], strict=False)


def _by_name(target: pl.Series) -> dict[str, Scalar]:
    """The source's classes by what a label may call them."""
    found: dict[str, Scalar] = {}
    for value in target.unique().drop_nulls().sort().to_list():
        names = {str(value)}
        if isinstance(value, bool):
            names |= {str(value).lower(), str(int(value))}
        elif isinstance(value, int):
            names |= {f"{value}.0"} | ({"true"} if value == 1 else {"false"} if value == 0 else set())
        found |= dict.fromkeys(names, value)
    return found


def _ids(kept: pl.DataFrame, kind: ColumnType) -> pl.Series:
    """The rows' ids in the type of the source's; null where one cannot be said in it.

    A row that came without an id has one of its own, the same each time: its request and place, or a number below 0.
    """
    known = _typed(kept["id"], kind) if kind != "time" else pl.Series([None] * kept.height, dtype=DTYPES["time"])
    lacking = kept["id"].is_null()
    if not lacking.any() or kind in ("time", "boolean"):
        return known
    texts = kept.select(pl.concat_str("request_id", pl.lit(":"), "row_index")).to_series()
    made = texts if kind == "category" else _numbers_of(texts).cast(DTYPES[kind])
    return known.zip_with(~lacking, made)


def _numbers_of(texts: pl.Series) -> pl.Series:
    digests = (hashlib.sha256((text or "").encode()).digest() for text in texts)
    return pl.Series([-1 - int.from_bytes(digest[:6], "big") for digest in digests], dtype=pl.Int64)


def _them(count: int) -> str:
    return agreeing(count, "it", "them")
