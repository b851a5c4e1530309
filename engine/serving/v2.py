"""Open Inference Protocol v2 with JSON tensors: one tensor per column, or one `[n, k]` for models of numbers only.

Source: https://github.com/kserve/open-inference-protocol, `inference_rest.md`. Null is null or NaN in a number's
tensor; in text an empty string whose index is in the tensor's `parameters.nulls` (a list, or "0,7": the protocol
knows only plain values there), or null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec

from engine.serving.answers import Label, class_name
from engine.serving.manifest import Input, Manifest, Scalar, ServeSpec
from engine.serving.problems import Refused
from engine.serving.program import program_sha256
from engine.serving.rows import MAX_ROWS, RowReader, Table, check_value, shown

DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "category": "BYTES"}
"""What the metadata names for each type of input."""
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


MAX_CELLS = 4_000_000
"""Values of one request; as Python objects they take 32 bytes each, and a body can spell one in two."""

Parameters = dict[str, str | int | float | bool | list[int] | None]


class Tensor(msgspec.Struct):
    """One input of a request."""

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = msgspec.Raw(b"")
    parameters: Parameters | None = None


class WantedOutput(msgspec.Struct):
    """One output a request asks for."""

    name: str
    parameters: Parameters | None = None


class InferRequest(msgspec.Struct):
    """The body of `…/infer`."""

    inputs: list[Tensor]
    id: str | None = None
    outputs: list[WantedOutput] | None = None
    parameters: Parameters | None = None


class OutputTensor(msgspec.Struct):
    """One output of an answer."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


class InferAnswer(msgspec.Struct, omit_defaults=True):
    """The answer to `…/infer`."""

    model_name: str
    model_version: str
    outputs: list[OutputTensor]
    id: str | None = None
    parameters: dict[str, str] | None = None


class V2:
    """The protocol for one model."""

    def __init__(self, manifest: Manifest, spec: ServeSpec, reader: RowReader) -> None:
        self._manifest, self._spec, self._reader = manifest, spec, reader
        self._inputs = {column.name: column for column in manifest.inputs}
        self._all_numbers = all(column.type != "category" for column in manifest.inputs)
        self._outputs = ("value",) if manifest.task == "regression" else ("label", "probability")
        self._decoder = msgspec.json.Decoder(InferRequest)

    def server_metadata(self) -> dict[str, Any]:
        """The answer to `GET /v2`."""
        return {"name": "mlops", "version": program_sha256()[:12], "extensions": []}

    def model_metadata(self) -> dict[str, Any]:
        """The answer to `GET /v2/models/NAME`."""
        manifest = self._manifest
        inputs = [{"name": c.name, "datatype": DATATYPES[c.type], "shape": [-1]} for c in manifest.inputs]
        if manifest.task == "regression":
            outputs = [{"name": "value", "datatype": "FP64", "shape": [-1]}]
        else:
            shape = [-1] if manifest.task == "binary" else [-1, len(manifest.classes)]
            outputs = [
                {"name": "label", "datatype": self._label_datatype(), "shape": [-1]},
                {"name": "probability", "datatype": "FP64", "shape": shape},
            ]
        return {
            "name": self._spec.endpoint,
            "versions": [str(self._spec.version)],
            "platform": f"mlops_{manifest.model_format}",
            "inputs": inputs,
            "outputs": outputs,
            "parameters": {"classes": ",".join(map(class_name, manifest.classes))} if manifest.classes else {},
        }

    def read(self, body: bytes) -> tuple[InferRequest, Table]:
        """The request and its rows.

        Raises:
            Refused: 400 it is no request of the protocol; 413 too many rows; 415 a binary tensor; 422 its tensors do
                not fit the inputs.
        """
        request = self._decode(body)
        self._refuse_binary(request)
        self._check_outputs(request)
        if not request.inputs:
            raise Refused(422, "The request holds no tensors.", self._expected())
        rows = _row_count(request.inputs)
        if rows * len(self._inputs) > MAX_CELLS:
            raise Refused(413, f"The request holds more than {MAX_CELLS} values.", "Send fewer rows at once.")
        columns = self._columns(request.inputs, rows)
        missing: list[Scalar] = [None] * rows
        table = list(zip(*(columns.get(name, missing) for name in self._reader.columns), strict=True))
        strangers = [
            name for name in columns if name not in self._reader.columns and name not in self._manifest.ignored
        ]
        warnings = [f"Tensor {shown(name)} is no input of this model, and was not used." for name in strangers]
        return request, self._reader.with_unseen(table, warnings)

    def answer(
        self, request: InferRequest, scores: Sequence[Sequence[float]], labels: Sequence[Label], warnings: list[str]
    ) -> InferAnswer:
        """The answer, with the outputs asked for in the order asked for."""
        wanted = [output.name for output in request.outputs or ()] or self._outputs
        return InferAnswer(
            self._spec.endpoint,
            str(self._spec.version),
            [self._output(name, scores, labels) for name in wanted],
            request.id,
            {"warnings": "\n".join(warnings)} if warnings else None,
        )

    def _decode(self, body: bytes) -> InferRequest:
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            raise Refused(400, f"This is no request of the v2 protocol: {error}.", self._expected()) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if b"NaN" not in body and b"Infinity" not in body:
                raise Refused(400, f"The body is not JSON: {error}.", self._expected()) from error
        # Python clients write NaN, which JSON does not know; written anew it becomes null.
        try:
            return self._decoder.decode(msgspec.json.encode(json.loads(body, parse_constant=_nan_or_refuse)))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise Refused(400, f"This is no request of the v2 protocol: {error}.", self._expected()) from error

    def _expected(self) -> str:
        one = " or one FP64 tensor of the shape [n, k]" if self._all_numbers else ""
        return f"Send one tensor of the shape [n] per column{one}; GET /v2/models/{self._spec.endpoint} lists them."

    def _refuse_binary(self, request: InferRequest) -> None:
        for parameters in (
            request.parameters,
            *(tensor.parameters for tensor in request.inputs),
            *(output.parameters for output in request.outputs or ()),
        ):
            for name, value in (parameters or {}).items():
                if name.startswith("binary_data") and value is not False:
                    raise refuse_binary()

    def _check_outputs(self, request: InferRequest) -> None:
        for output in request.outputs or ():
            if output.name not in self._outputs:
                raise Refused(
                    422,
                    f"This model has no output {shown(output.name)}.",
                    f"It has {' and '.join(self._outputs)}.",
                )

    def _columns(self, tensors: Sequence[Tensor], rows: int) -> Mapping[str, Sequence[Scalar]]:
        columns: dict[str, Sequence[Scalar]] = {}
        for tensor in tensors:
            if tensor.name in columns:
                raise Refused(422, f"Tensor {shown(tensor.name)} comes twice.")
            if self._is_matrix(tensor):
                columns |= self._matrix_columns(tensor, rows)
            elif tensor.name in self._inputs:
                columns[tensor.name] = self._column(self._inputs[tensor.name], tensor, rows)
            elif tensor.name in self._reader.keys:
                columns[tensor.name] = _key_column(tensor, rows)
            else:
                columns[tensor.name] = ()
        for name in self._inputs:
            if name not in columns:
                raise Refused(422, f"There is no tensor {name!r}.", self._expected())
        return columns

    def _is_matrix(self, tensor: Tensor) -> bool:
        """Whether it holds all inputs at once, whatever its name."""
        if tensor.name in self._inputs or tensor.name in self._reader.keys or len(tensor.shape) != 2:
            return False
        if not self._all_numbers:
            raise Refused(
                422, f"Tensor {shown(tensor.name)} has two dimensions, and this model takes text too.", self._expected()
            )
        if tensor.shape[1] != len(self._inputs):
            raise Refused(
                422,
                f"Tensor {shown(tensor.name)} has {tensor.shape[1]} columns, and there are {len(self._inputs)} inputs.",
                self._expected(),
            )
        return True

    def _matrix_columns(self, tensor: Tensor, rows: int) -> dict[str, Sequence[Scalar]]:
        width = len(self._inputs)
        numbers = _elements(tensor, rows * width, FLOATS | INTEGERS)
        return {name: _fit(column, numbers[index::width]) for index, (name, column) in enumerate(self._inputs.items())}

    def _column(self, column: Input, tensor: Tensor, rows: int) -> Sequence[Scalar]:
        if tensor.shape not in ([rows], [rows, 1]):
            raise Refused(422, f"Tensor {column.name!r} has the shape {_shape(tensor)}, and [{rows}] is expected.")
        return _fit(column, _elements(tensor, rows, ACCEPTED[column.type]))

    def _output(self, name: str, scores: Sequence[Sequence[float]], labels: Sequence[Label]) -> OutputTensor:
        rows, task = len(scores), self._manifest.task
        if name == "value":
            return OutputTensor(name, "FP64", [rows], [row[0] for row in scores])
        if name == "probability" and task == "binary":
            return OutputTensor(name, "FP64", [rows], [row[1] for row in scores])
        if name == "probability":
            return OutputTensor(name, "FP64", [rows, len(self._manifest.classes)], list(chain.from_iterable(scores)))
        datatype = self._label_datatype()
        mixed = datatype == "BYTES" and not all(type(label) is str for label in self._manifest.classes)
        return OutputTensor(name, datatype, [rows], [str(label) for label in labels] if mixed else list(labels))

    def _label_datatype(self) -> str:
        kinds = {type(label) for label in self._manifest.classes}
        return "BOOL" if kinds == {bool} else "INT64" if kinds == {int} else "BYTES"


def refuse_binary() -> Refused:
    """The answer to a request of the binary extension."""
    return Refused(415, "Binary tensors are not there yet.", 'Send the tensors as JSON, in each one\'s "data".')


def _nan_or_refuse(name: str) -> None:
    if name != "NaN":
        raise Refused(422, "A tensor holds an infinite number.", "Send null for a value that is missing.")


def _row_count(tensors: Sequence[Tensor]) -> int:
    for tensor in tensors:
        if len(tensor.shape) not in (1, 2) or any(size < 0 for size in tensor.shape):
            raise Refused(422, f"Tensor {shown(tensor.name)} has the shape {_shape(tensor)}, and [n] is expected.")
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


def _elements(tensor: Tensor, count: int, accepted: frozenset[str]) -> list[Any]:
    """The tensor's values, flat and in row order, with null as None."""
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
    return Refused(422, f"Tensor {shown(tensor.name)} has the shape {_shape(tensor)}, and {found}.")


def _shape(tensor: Tensor) -> str:
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


def _fit(column: Input, values: list[Any]) -> list[Scalar]:
    """The values of one column as its type."""
    if None in values and not column.nullable:
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


def _key_column(tensor: Tensor, rows: int) -> list[Any]:
    if tensor.shape not in ([rows], [rows, 1]):
        raise Refused(422, f"Tensor {shown(tensor.name)} has the shape {_shape(tensor)}, and [{rows}] is expected.")
    return _elements(tensor, rows, frozenset({"BYTES"}) | INTEGERS | FLOATS)
