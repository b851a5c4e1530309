"""The rows of a `/predict` body, read and checked against the manifest's inputs.

Two looks. The first decodes straight into a struct made from the inputs, all in C: 4 µs for a row of 30 columns, types
and all. What it refuses (a column too many, 3.0 for an integer, or a mistake) gets a second look in Python, which
takes what can be taken with a warning, and else says what is wrong with which row and column.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from operator import itemgetter
from types import GenericAlias
from typing import Annotated, Any

import msgspec

from engine.serving.manifest import Input, Manifest, Scalar
from engine.serving.problems import Refused
from engine.serving.values import check_key, check_value, name_of, shown

MAX_ROWS = 100_000
"""Rows of one request; with 30 columns that is about the body's limit."""
SECOND_LOOK_BYTES = 8 * 1024 * 1024
"""Larger bodies must pass the first look: as Python objects JSON takes up to 15 times its size."""
MAX_WARNINGS = 20

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Key = str | Int64 | float | None
"""What a row's id and time may be."""

TYPES: dict[str, Any] = {"number": float, "integer": Int64, "boolean": bool, "category": str}


class Table(msgspec.Struct):
    """The rows of one request."""

    rows: Sequence[tuple[Scalar, ...]]
    """Values in the order of `RowReader.columns`."""
    warnings: list[str]
    unseen: list[tuple[int, str]]
    """Row and column of each category that training did not see."""


class RowReader:
    """Reader for one model's inputs."""

    def __init__(self, manifest: Manifest) -> None:
        self.inputs = manifest.inputs
        names = [column.name for column in manifest.inputs]
        self.keys = tuple(name for name in (manifest.id, manifest.time) if name is not None and name not in names)
        self.columns = (*names, *self.keys)
        """Names of a row's values: the inputs, then the row's id and time where the model has them."""
        ignored = [name for name in dict.fromkeys(manifest.ignored) if name not in self.columns]
        self._accepted = {*self.columns, *ignored}
        self._known = [
            (index, column.name, {*column.categories, None})
            for index, column in enumerate(manifest.inputs)
            if column.type == "category"
        ]
        self._cut = len(self.columns) if ignored else None
        self._has_first_look = not any(_NO_FIELD_NAME.search(name) for name in self._accepted)
        row = self._row_type(ignored) if self._has_first_look else dict
        self._one: Any = msgspec.json.Decoder(row)
        rows: Any = GenericAlias(list, (row,))
        self._many: Any = msgspec.json.Decoder(rows)
        envelope = msgspec.defstruct("Rows", [("rows", rows)], forbid_unknown_fields=True)
        self._enveloped: Any = msgspec.json.Decoder(envelope)

    def _row_type(self, ignored: Sequence[str]) -> Any:
        """A struct with one field per column; names that are no identifiers come in by renaming."""
        types = [TYPES[column.type] | None if column.takes_null else TYPES[column.type] for column in self.inputs]
        fields: list[Any] = [(f"f{index}", kind) for index, kind in enumerate(types)]
        fields += [(f"k{index}", Key, None) for index in range(len(self.keys))]
        fields += [(f"i{index}", msgspec.Raw, msgspec.Raw(b"")) for index in range(len(ignored))]
        names = dict(zip([field[0] for field in fields], [*self.columns, *ignored], strict=True))
        # gc=False: rows hold plain values only, and the collector would walk each of a batch's thousands.
        return msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, gc=False)

    def read(self, body: bytes) -> Table:
        """The rows of a body: one object, a list of objects, or `{"rows": [...]}`.

        Raises:
            Refused: 400 it is no JSON; 413 too many rows; 422 a row does not fit the inputs.
        """
        try:
            found = self._first_look(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return self._second_look(body, error)
        _check_count(len(found))
        astuple, cut = msgspec.structs.astuple, self._cut
        rows = [astuple(row) for row in found] if cut is None else [astuple(row)[:cut] for row in found]
        return self.with_unseen(rows, [])

    def _first_look(self, body: bytes) -> Any:
        if not self._has_first_look:
            raise msgspec.ValidationError("a quote, backslash or control character in a column's name allows few rows")
        shape = _SHAPE.match(body)
        if shape is None:
            return (self._one.decode(body),)
        if shape.lastindex:
            return self._enveloped.decode(body).rows
        return self._many.decode(body)

    def with_unseen(self, rows: Sequence[tuple[Scalar, ...]], warnings: list[str]) -> Table:
        """Add which categories training did not see, and a warning for each."""
        unseen: list[tuple[int, str]] = []
        for position, name, known in self._known:
            strangers = set(map(itemgetter(position), rows)) - known
            if not strangers:
                continue
            if self.inputs[position].strict:
                value = min(map(str, strangers))
                raise Refused(
                    422,
                    f"Column {name!r} holds {shown(value)}, which training did not see, and the model's own estimator "
                    "takes no unseen value.",
                    'Train it with an encoder that ignores them, such as OneHotEncoder(handle_unknown="ignore").',
                )
            unseen += [(index, name) for index, row in enumerate(rows) if row[position] in strangers]
            warnings += [
                f"Column {name!r} holds {shown(value)}, which training did not see; it is answered as unseen."
                for value in sorted(map(str, strangers))[: MAX_WARNINGS + 1]
            ]
        if len(warnings) > MAX_WARNINGS:
            warnings[MAX_WARNINGS:] = ["There are more warnings than these."]
        return Table(rows, warnings, unseen)

    def _second_look(self, body: bytes, error: Exception) -> Table:
        if len(body) > SECOND_LOOK_BYTES:
            raise Refused(
                422 if isinstance(error, msgspec.ValidationError) else 400,
                f"The body does not fit the model's inputs: {error}.",
                "Send fewer rows at once to be told more.",
            ) from error
        given = find_rows(parse_json(body), "rows" in self._accepted)
        _check_count(len(given))
        extra: dict[str, None] = {}
        rows = [self._check_row(index, row, extra) for index, row in enumerate(given)]
        return self.with_unseen(
            rows, [f"Column {shown(name)} is no input of this model, and was not used." for name in extra]
        )

    def _check_row(self, index: int, row: Any, extra: dict[str, None]) -> tuple[Scalar, ...]:
        if not isinstance(row, dict):
            raise Refused(422, f"Row {index} is {name_of(row)}, and an object of columns is expected.")
        strangers = [name for name in row if name not in self._accepted]
        values: list[Scalar] = []
        for column in self.inputs:
            if column.name not in row:
                raise Refused(
                    422, f"Row {index} has no column {column.name!r}.", _did_you_mean(column, strangers, index)
                )
            values.append(check_value(column, row[column.name], f"Row {index}, column {column.name!r}"))
        values += [check_key(row.get(name), f"Row {index}, column {name!r}") for name in self.keys]
        extra.update(dict.fromkeys(strangers))
        return tuple(values)


_NO_FIELD_NAME = re.compile(r'["\\\x00-\x1f]')
"""What msgspec takes in no struct's field: rows of a model with such a column get the second look alone."""

_SHAPE = re.compile(rb'[ \t\r\n]*(?:\[|(\{)[ \t\r\n]*"rows"[ \t\r\n]*:[ \t\r\n]*\[)')
"""A list, or an object that begins with a list of rows; anything else is taken for one row."""


def parse_json(body: bytes) -> Any:
    """Any JSON, NaN and Infinity included, so that a sentence can name where they stand.

    Raises:
        Refused: 400.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        text = body.decode("utf-8-sig")
        document = json.loads(text)
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair cannot be stored
    except UnicodeError as error:
        raise Refused(400, "The body is not UTF-8 text.", "Send JSON in UTF-8.") from error
    except RecursionError as error:
        raise Refused(400, "The body is nested too deeply.") from error
    except json.JSONDecodeError as error:
        raise Refused(
            400,
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            'Send {"rows": [{"column": value, …}]}.',
        ) from error
    except ValueError as error:
        raise Refused(400, "The body holds a number of too many digits.") from error
    return document


def find_rows(document: Any, rows_is_a_column: bool) -> list[Any]:
    """The rows in a parsed body.

    Raises:
        Refused: 422 there are none.
    """
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        raise Refused(422, f"The body is {name_of(document)}.", 'Send {"rows": [{"column": value, …}]}.')
    rows = document.get("rows")
    if "rows" not in document or (rows_is_a_column and not isinstance(rows, list)):
        return [document]
    if not isinstance(rows, list):
        raise Refused(422, f"'rows' is {name_of(rows)}, and a list of objects is expected.")
    others = [name for name in document if name != "rows"]
    if others:
        raise Refused(
            422, f"{shown(others[0])} stands beside 'rows', and nothing else may.", "Columns go into the rows."
        )
    return rows


def _did_you_mean(column: Input, strangers: Iterable[str], index: int) -> str:
    near = difflib.get_close_matches(column.name, list(strangers), 1)
    if near:
        return f"Row {index} has {shown(near[0])}: is that the same?"
    return "Send null for a value that is missing." if column.takes_null else ""


def _check_count(rows: int) -> None:
    if rows == 0:
        raise Refused(422, "The request holds no rows.")
    if rows > MAX_ROWS:
        raise Refused(413, f"The request holds {rows} rows, and at most {MAX_ROWS} may come at once.")
