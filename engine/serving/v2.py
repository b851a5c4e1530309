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
from engine.serving.rows import RowReader, Table
from engine.serving.tensors import (
    ACCEPTED,
    FLOATS,
    INTEGERS,
    Parameters,
    Tensor,
    elements,
    fit,
    key_column,
    row_count,
    shape_text,
)
from engine.serving.values import shown

DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "category": "BYTES"}
"""What the metadata names for each type of input."""
MAX_CELLS = 4_000_000
"""Values of one request; as Python objects they take 32 bytes each, and a body can spell one in two."""


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
        rows = row_count(request.inputs)
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
                columns[tensor.name] = key_column(tensor, rows)
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
        numbers = elements(tensor, rows * width, FLOATS | INTEGERS)
        return {name: fit(column, numbers[index::width]) for index, (name, column) in enumerate(self._inputs.items())}

    def _column(self, column: Input, tensor: Tensor, rows: int) -> Sequence[Scalar]:
        if tensor.shape not in ([rows], [rows, 1]):
            raise Refused(422, f"Tensor {column.name!r} has the shape {shape_text(tensor)}, and [{rows}] is expected.")
        return fit(column, elements(tensor, rows, ACCEPTED[column.type]))

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
