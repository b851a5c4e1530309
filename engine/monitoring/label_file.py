"""A file of outcomes as somebody gives it → labels by key, each as the target's own classes or numbers.

Columns: the project's id column (or `id`), or `request_id` and `row_index`; the target column (or `label`); where there
is one, `labelled_at` (or `time`). Other columns are not looked at. CSV is read as the project's data is. A line that is
no label, or has another number of fields than the first, is refused with a reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from engine.data.schema import blank_missing
from engine.data.sources import Dialect, Table
from engine.data.text_columns import as_numbers, parse_times
from engine.data.typed_columns import as_text, from_typed, unix_time
from engine.data.usable_lines import UsableLines, read_usable_lines
from engine.errors import BadData
from engine.monitoring.label_join import LABEL_SCHEMA, TIME, canonical_id
from engine.project import Project
from engine.serving.answers import class_name

MOST_EXAMPLES = 10

_SHOWN = 60


@dataclass(frozen=True)
class LabelFileRead:
    """What a file held."""

    labels: pl.DataFrame
    """`LABEL_SCHEMA`, in the order of its lines."""
    rows: int
    """Lines, refused ones too."""
    examples: list[str]
    """Sentences about the first refused lines."""


@dataclass(frozen=True)
class _Columns:
    id: str | None
    by_request: bool
    target: str
    time: str | None


def read_label_file(path: Path, project: Project, classes: Sequence[Any], seen_at: datetime) -> LabelFileRead:
    """Read a file; its name tells its format. `classes` are all that any version knows, none for regression.

    Raises:
        BadData: it cannot be read, has no key or no target, or not one line is a label.
    """
    read = read_usable_lines(path, Dialect(project.data.delimiter, project.data.encoding))
    table = read.table
    columns = _find_columns(table, project)
    frame = blank_missing(table.frame, project.data.missing) if table.text else table.frame
    found = pl.DataFrame(
        [
            *_keys(frame, columns),
            _labels(frame[columns.target], project, classes),
            *_times(frame, columns),
            pl.Series("given", _as_texts(frame[columns.target])),
        ]
    )
    refused = _refusals(found, columns, project, classes)
    kept = found.filter(refused.is_null()).with_columns(seen_at=pl.lit(seen_at, dtype=TIME))
    examples = _examples(read, refused)
    if not kept.height:
        raise BadData(f"No line of {path.name} is a label. {examples[0]}", "Give the file that holds the outcomes.")
    labels = kept.select(list(LABEL_SCHEMA)).cast(LABEL_SCHEMA)  # type: ignore[arg-type]
    return LabelFileRead(labels, table.frame.height + len(read.damaged), examples)


def _find_columns(table: Table, project: Project) -> _Columns:
    names, shown = table.frame.columns, table.files[0].shown
    row_id = next((name for name in (project.data.id, "id") if name is not None and name in names), None)
    by_request = {"request_id", "row_index"} <= set(names)
    target = next((name for name in (project.data.target, "label") if name in names), None)
    times = ["labelled_at", *(["time"] if project.data.time != "time" else [])]
    listed = ", ".join(name[:40] for name in names[:12]) + (", …" if len(names) > 12 else "")
    hint = f"Its columns: {listed}."
    if table.text and len(names) == 1:
        hint = (
            f"The first line is one field, {names[0][:_SHOWN]!r}: fields must be parted as in the project's data, by "
            f"{project.data.delimiter!r}."
        )
    if row_id is None and not by_request:
        called = f"{project.data.id!r} or 'id'" if project.data.id not in (None, "id") else "'id'"
        raise BadData(
            f"{shown} has no key: no column {called}, and not both 'request_id' and 'row_index'.", hint, file=shown
        )
    if target is None:
        raise BadData(f"{shown} has no outcome: no column {project.data.target!r} or 'label'.", hint, file=shown)
    return _Columns(row_id, by_request, target, next((name for name in times if name in names), None))


def _keys(frame: pl.DataFrame, columns: _Columns) -> list[pl.Series]:
    """Columns `id`, `request_id`, `row_index`; a row with an id needs no request."""
    nothing = pl.Series([None] * frame.height, dtype=pl.String)
    ids = _as_texts(frame[columns.id]) if columns.id is not None else nothing
    row_id = pl.select(canonical_id(pl.lit(ids))).to_series()
    request, index = nothing, nothing.cast(pl.Int64)
    if columns.by_request:
        request = _as_texts(frame["request_id"]).str.strip_chars()
        index = canonical_whole(_as_texts(frame["row_index"]))
    by_request = row_id.is_null() & request.is_not_null() & (request != "") & index.is_not_null()
    return [
        row_id.alias("id"),
        request.zip_with(by_request, nothing).alias("request_id"),
        index.zip_with(by_request, nothing.cast(pl.Int64)).alias("row_index"),
    ]


def canonical_whole(texts: pl.Series) -> pl.Series:
    """Texts of whole numbers from 0 on, such as 3 and 3.0, as integers; null where it is none."""
    whole = pl.select(canonical_id(pl.lit(texts))).to_series().cast(pl.Int64, strict=False)
    return whole.set(whole < 0, None)


def _as_texts(column: pl.Series) -> pl.Series:
    """Cells as people write them; 7.0 in a column of whole numbers is 7, true is true."""
    if column.dtype == pl.String():
        return column
    if column.dtype == pl.Null():
        return column.cast(pl.String)
    return as_text(*from_typed(column))


def _labels(column: pl.Series, project: Project, classes: Sequence[Any]) -> pl.Series:
    """Column `label`: the class's name, or the number's shortest text; null where it is none."""
    texts = _as_texts(column).str.strip_chars()
    if project.task == "regression":
        values = column.cast(pl.Float64, strict=False)
        if column.dtype in (pl.String(), pl.Null()):
            values = as_numbers(texts, project.data.decimal)
        finite = values.set(~values.is_finite(), None)
        return finite.cast(pl.String).alias("label")
    meaning = class_meanings(classes)
    known = texts.unique().drop_nulls()
    told = {text: found for text in known.to_list() if (found := _meant(text, meaning)) is not None}
    return texts.replace_strict(list(told), list(told.values()), default=None, return_dtype=pl.String).alias("label")


def class_meanings(classes: Sequence[Any]) -> dict[str, str]:
    """What may be written for each class: its own text; 1, yes, True… where the classes are true and false or 1 and 0.

    >>> class_meanings([False, True])["yes"], class_meanings([0, 1])["true"], class_meanings(["ham", "spam"])
    ('true', '1', {'ham': 'ham', 'spam': 'spam'})
    """
    own = {class_name(label): class_name(label) for label in classes}
    loose: dict[str, str] = {}
    for said, spellings in _SPELLINGS.items():
        meant = [class_name(label) for label in classes if _says(label) == said]
        if len(meant) == 1:
            loose |= dict.fromkeys(spellings, meant[0])
    return loose | own


_SPELLINGS = {"true": ("true", "t", "yes", "y", "1"), "false": ("false", "f", "no", "n", "0")}
_SPELLED = frozenset(spelling for spellings in _SPELLINGS.values() for spelling in spellings)


def _says(label: object) -> str:
    if isinstance(label, bool | int) and label in (0, 1):
        return "true" if label else "false"
    text = str(label).lower()
    return next((said for said, spellings in _SPELLINGS.items() if text in spellings), "")


def _meant(text: str, meaning: dict[str, str]) -> str | None:
    """A class by its own text, also as a number with an empty fraction; of true and false in letters of any case."""
    whole = text.removesuffix(".0")
    lower = text.lower() if text.lower() in _SPELLED else text
    return meaning.get(text) or meaning.get(whole) or meaning.get(lower)


def _times(frame: pl.DataFrame, columns: _Columns) -> list[pl.Series]:
    """Columns `labelled_at`, and `timeless` where something stands there that is no time."""
    if columns.time is None:
        nothing = pl.Series("labelled_at", [None] * frame.height, dtype=TIME)
        return [nothing, pl.Series("timeless", [False] * frame.height)]
    column = frame[columns.time]
    if column.dtype == pl.String():
        found = parse_times(column)
        plain = column.cast(pl.Float64, strict=False)
        if found.null_count() == frame.height and plain.null_count() < frame.height:
            found = unix_time(plain)
    else:
        kind, values = from_typed(column)
        found = values if kind == "time" else unix_time(values) if kind in ("integer", "number") else parse_times(
            values.cast(pl.String)
        )  # fmt: skip
    return [found.cast(TIME).alias("labelled_at"), (column.is_not_null() & found.is_null()).alias("timeless")]


def _refusals(found: pl.DataFrame, columns: _Columns, project: Project, classes: Sequence[Any]) -> pl.Series:
    """Why a line is no label; null where it is one."""
    keys = " and no ".join(
        [
            *([f"value in {columns.id!r}"] if columns.id is not None else []),
            *(["'request_id' with a whole 'row_index'"] if columns.by_request else []),
        ]
    )
    keyless = pl.col("id").is_null() & pl.col("request_id").is_null()
    wanted = "no number"
    if project.task != "regression":
        shown = ", ".join(class_name(label)[:40] for label in classes[:8]) + (", …" if len(classes) > 8 else "")
        wanted = f"none of the classes {shown}"
    given = pl.col("given").str.slice(0, _SHOWN)
    return found.select(
        pl.when(keyless).then(pl.lit(f"no {keys}"))
        .when(pl.col("given").is_null() | (pl.col("given") == "")).then(pl.lit(f"no value in {columns.target!r}"))
        .when(pl.col("label").is_null()).then(pl.concat_str(pl.lit("'"), given, pl.lit(f"' is {wanted}")))
        .when("timeless").then(pl.lit(f"what stands in {columns.time!r} is no time"))
    ).to_series()  # fmt: skip


def _examples(read: UsableLines, refused: pl.Series) -> list[str]:
    rows = refused.is_not_null().arg_true().head(MOST_EXAMPLES).to_list()
    shown = read.table.files[0].shown
    told = [(place, refused[row]) for place, row in zip(read.where_all(rows), rows, strict=True)]
    told += [(f"{shown}, line {line}", why) for line, why in read.damaged[:MOST_EXAMPLES]]
    if read.damaged:
        told.sort(key=lambda one: int(one[0].rpartition(" ")[2]))
    return [f"{place}: {why}." for place, why in told[:MOST_EXAMPLES]]
