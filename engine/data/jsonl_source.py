"""JSON lines to a typed frame: one object a line, a key a column, an absent key null."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from engine.data.csv_source import check_names, pick
from engine.errors import BadData

_INT64_LIMIT = 2**63


def read_jsonl(text: bytes, shown: str) -> pl.DataFrame:
    """The objects of a UTF-8 text as a frame; columns in the order in which their keys first appear.

    A column that mixes kinds (a number here, a text there) becomes text; integers and fractions become Float64.

    Raises:
        BadData: empty, not JSON, or not one object a line; names the line.
    """
    if not text.strip():
        raise BadData(f"{shown} is empty.", "A JSON lines file holds one object a line.", file=shown)
    try:
        frame = pl.read_ndjson(io.BytesIO(text), infer_schema_length=None)
    except pl.exceptions.PolarsError:
        frame = _read_slowly(text, shown)
    check_names(frame.columns, shown)
    if not frame.width:
        raise BadData(f"{shown} holds objects without a key.", "Give each object its columns as keys.", file=shown)
    return frame


def lines_of_objects(text: bytes, rows: Sequence[int]) -> list[int]:
    """The lines, from 1, on which the objects `rows`, from 0 and ascending, stand."""
    return pick((line for line, _ in filled_lines(text)), rows)


def filled_lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Lines on which something stands, with their numbers from 1."""
    return ((line, content) for line, content in enumerate(text.split(b"\n"), 1) if content.strip())


def _read_slowly(text: bytes, shown: str) -> pl.DataFrame:
    rows = [parse_object(content, line, shown) for line, content in filled_lines(text)]
    return _framed(rows)


def frame_of_objects(rows: Sequence[dict[str, Any]], shown: str) -> pl.DataFrame:
    """Objects as `read_jsonl` gives them; raises `BadData` where a name is none."""
    frame = _framed(rows)
    check_names(frame.columns, shown)
    return frame


def _framed(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame([_column(name, [row.get(name) for row in rows]) for name in names])


def parse_object(content: bytes, line: int, shown: str) -> dict[str, Any]:
    """The object on one line; raises `BadData` where it is none."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        hint = "Each line must be one JSON object, whole."
        if content.lstrip()[:1] == b"[":
            hint = "This looks like one JSON array: write its objects one a line, without the brackets."
        reason = getattr(error, "msg", "too deep")
        raise BadData(f"{shown}, line {line}: not JSON ({reason}).", hint, file=shown, line=line) from error
    if not isinstance(found, dict):
        what = {list: "an array", str: "a text", bool: "a boolean", type(None): "null"}.get(type(found), "a number")
        raise BadData(
            f"{shown}, line {line}: expected an object, got {what}.",
            "Each line must be one JSON object, such as {\"amount\": 12.5, \"country\": \"de\"}.",
            file=shown,
            line=line,
        )  # fmt: skip
    return found


def _column(name: str, cells: list[Any]) -> pl.Series:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds <= {bool}:
        return pl.Series(name, cells, dtype=pl.Boolean if kinds else pl.Null)
    if kinds == {int} and all(cell is None or -_INT64_LIMIT <= cell < _INT64_LIMIT for cell in cells):
        return pl.Series(name, cells, dtype=pl.Int64)
    if kinds <= {int, float} and float in kinds:
        return pl.Series(name, [None if cell is None else float(cell) for cell in cells], dtype=pl.Float64)
    return pl.Series(name, [cell if cell is None or isinstance(cell, str) else json.dumps(cell) for cell in cells])
