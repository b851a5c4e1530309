"""JSON tensors of the v2 protocol ↔ the values of columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec

from engine.serving.manifest import Input, Scalar
from engine.serving.problems import Refused
from engine.serving.rows import MAX_ROWS
from engine.serving.values import check_value, shown

FLOATS = frozenset({"FP16", "FP32", "FP64"})
INTEGERS = frozenset({"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
ELEMENTS: dict[str, Any] = {
    **dict.fromkeys(FLOATS, float | None),
    **dict.fromkeys(INTEGERS, int | None),
    "BOOL": bool | None,
    "BYTES": str | None,
}
ACCEPTED = {
    "number": FLOATS | INTEGERS,
    "integer": INTEGERS | FLOATS,
    "boolean": frozenset({"BOOL"}) | INTEGERS | FLOATS,
    "category": frozenset({"BYTES"}),
}
"""Datatypes a tensor may have for each type of input; the values are checked besides."""


Parameters = dict[str, str | int | float | bool | list[int] | None]


class Tensor(msgspec.Struct):
    """One input of a request."""

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = msgspec.Raw(b"")
    parameters: Parameters | None = None


def row_count(tensors: Sequence[Tensor]) -> int:
    """How many rows the tensors hold, which must be the same number in each.

    Raises:
        Refused: 413 too many; 422 none, or a shape that is none.
    """
    for tensor in tensors:
        if len(tensor.shape) not in (1, 2) or any(size < 0 for size in tensor.shape):
            raise Refused(422, f"Tensor {shown(tensor.name)} has the shape {shape_text(tensor)}, and [n] is expected.")
    rows = tensors[0].shape[0]
    for tensor in tensors:
        if tensor.shape[0] != rows:
            raise Refused(
                422,
                f"Tensor {shown(tensor.name)} has {tensor.shape[0]} rows, and {shown(tensors[0].name)} has {rows}.",
            )
    if rows == 0:
        raise Refused(422, "The request holds no rows.")
    if rows > MAX_ROWS:
        raise Refused(413, f"The request holds {rows} rows, and at most {MAX_ROWS} may come at once.")
    return rows


def elements(tensor: Tensor, count: int, accepted: frozenset[str]) -> list[Any]:
    """The tensor's values, flat and in row order, with null as None.

    Raises:
        Refused: 422 they are not `count` values of its datatype, or its datatype is none of the accepted.
    """
    kind = ELEMENTS.get(tensor.datatype)
    if kind is None or tensor.datatype not in accepted:
        raise Refused(
            422,
            f"Tensor {shown(tensor.name)} has the datatype {shown(tensor.datatype)}, which its column does not take.",
            f"It takes {', '.join(sorted(accepted))}.",
        )
    raw = bytes(tensor.data)
    if not raw:
        raise Refused(422, f"Tensor {shown(tensor.name)} has no data.")
    _refuse_surplus(tensor, raw, count)
    nested = raw[1:].lstrip()[:1] == b"["
    try:
        found = msgspec.json.decode(raw, type=list[list[kind]] if nested else list[kind])  # type: ignore[valid-type]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(
            422, f"Tensor {shown(tensor.name)} holds a value that is not of the datatype {tensor.datatype}: {error}."
        ) from error
    values: list[Any] = list(chain.from_iterable(found)) if nested else found
    if len(values) != count:
        raise _wrong_count(tensor, f"{len(values)} values instead of {count}")
    return _with_nulls(tensor, values)


def _refuse_surplus(tensor: Tensor, raw: bytes, count: int) -> None:
    """Count the values roughly before any is made: commas for numbers, quotes that are not escaped for text."""
    if tensor.datatype == "BYTES":
        surplus = raw.count(b'"') - raw.count(b'\\"') > 2 * count
    else:
        surplus = raw.count(b",") >= max(count, 1)
    if surplus:
        raise _wrong_count(tensor, f"more than {count} values")


def _wrong_count(tensor: Tensor, found: str) -> Refused:
    return Refused(422, f"Tensor {shown(tensor.name)} has the shape {shape_text(tensor)}, and {found}.")


def shape_text(tensor: Tensor) -> str:
    """Its shape for a sentence."""
    return str(tensor.shape) if len(tensor.shape) <= 8 else f"[…] of {len(tensor.shape)} dimensions"


def _with_nulls(tensor: Tensor, values: list[Any]) -> list[Any]:
    nulls = (tensor.parameters or {}).get("nulls")
    if nulls is None:
        return values
    try:
        listed: Any = nulls.split(",") if isinstance(nulls, str) else nulls
        indices = [int(index) for index in listed]
        if any(index < 0 or values[index] not in ("", 0, None) for index in indices):
            raise ValueError
    except (TypeError, ValueError, IndexError) as error:
        raise Refused(
            422,
            f"Tensor {shown(tensor.name)}: parameters.nulls must list indices of empty values.",
            'For example "nulls": "0,7", with "" at 0 and 7.',
        ) from error
    for index in indices:
        values[index] = None
    return values


def fit(column: Input, values: list[Any]) -> list[Scalar]:
    """The values of one column as its type.

    Raises:
        Refused: 422 naming the row.
    """
    if None in values and not column.takes_null:
        raise Refused(422, f"Row {values.index(None)}, column {column.name!r} is null, and may not be.")
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {_KINDS[column.type]} and column.type != "integer":
        return values
    if column.type == "boolean":
        values = [_as_boolean(column, index, value) for index, value in enumerate(values)]
    return [check_value(column, value, f"Row {index}, column {column.name!r}") for index, value in enumerate(values)]


_KINDS = {"number": float, "integer": int, "boolean": bool, "category": str}


def _as_boolean(column: Input, index: int, value: Any) -> bool | None:
    if value is None:
        return None
    if value in (0, 1):
        return bool(value)
    raise Refused(422, f"Row {index}, column {column.name!r} is {value}, and true or false is expected.")


def key_column(tensor: Tensor, rows: int) -> list[Any]:
    """The rows' ids or times.

    Raises:
        Refused: 422.
    """
    if tensor.shape not in ([rows], [rows, 1]):
        raise Refused(422, f"Tensor {shown(tensor.name)} has the shape {shape_text(tensor)}, and [{rows}] is expected.")
    return elements(tensor, rows, frozenset({"BYTES"}) | INTEGERS | FLOATS)
