"""LightGBM text models through the C API: no `import lightgbm`, no numpy for the rows of a request."""

from __future__ import annotations

import ctypes
import struct
import threading
import weakref
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.serving.features import RowEncoder, encode_columns
from engine.serving.lightgbm_library import checked, lightgbm_library
from engine.serving.manifest import Manifest
from engine.serving.model import Values
from engine.serving.problems import BadBundle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FLOAT64 = 1
_NORMAL = 0
"""Prediction type: sigmoid or softmax already applied."""


class LightgbmModel:
    """One booster. One row goes through the `SingleRowFast` entry, 4 µs; more through `PredictForMat`."""

    def __init__(self, manifest: Manifest, content: bytes, threads: int) -> None:
        self._inputs, self._encoding = manifest.inputs, manifest.encoding
        self._encoder = RowEncoder(manifest.inputs, manifest.encoding)
        self._binary = manifest.task == "binary"
        self._width = self._encoder.width
        self._library = lightgbm_library()
        # The same handle with the interpreter's lock released during a call: batches take milliseconds.
        self._unlocked = ctypes.CDLL(None, handle=self._library._handle)
        self._booster = self._load(content)
        self._parameters = f"num_threads={threads}".encode()
        self._outputs = self._count_outputs(manifest)
        self._prepare_single_row()

    def _load(self, content: bytes) -> ctypes.c_void_p:
        booster, iterations = ctypes.c_void_p(), ctypes.c_int(0)
        checked(
            self._library.LGBM_BoosterLoadModelFromString(
                ctypes.c_char_p(content), ctypes.byref(iterations), ctypes.byref(booster)
            )
        )
        weakref.finalize(self, self._library.LGBM_BoosterFree, booster)
        return booster

    def _count_outputs(self, manifest: Manifest) -> int:
        features, classes = ctypes.c_int(0), ctypes.c_int(0)
        checked(self._library.LGBM_BoosterGetNumFeature(self._booster, ctypes.byref(features)))
        checked(self._library.LGBM_BoosterGetNumClasses(self._booster, ctypes.byref(classes)))
        if features.value != self._width:
            raise BadBundle(f"The model takes {features.value} numbers a row, and the manifest encodes {self._width}.")
        expected = len(manifest.classes) if manifest.task == "multiclass" else 1
        if classes.value != expected:
            raise BadBundle(f"The model answers {classes.value} numbers a row, and {manifest.task} needs {expected}.")
        return classes.value

    def _prepare_single_row(self) -> None:
        """One set of buffers and arguments for every single row, under a lock.

        Building them anew would cost as much as the prediction: 3 µs.
        """
        fast = ctypes.c_void_p()
        checked(
            self._library.LGBM_BoosterPredictForMatSingleRowFastInit(
                self._booster,
                _NORMAL,
                0,
                -1,
                _FLOAT64,
                ctypes.c_int32(self._width),
                b"num_threads=1",
                ctypes.byref(fast),
            )
        )
        weakref.finalize(self, self._library.LGBM_FastConfigFree, fast)
        self._row = (ctypes.c_double * self._width)()
        self._scores = (ctypes.c_double * self._outputs)()
        self._pack = struct.Struct(f"{self._width}d").pack_into
        self._arguments = (fast, self._row, ctypes.byref(ctypes.c_int64(0)), self._scores)
        self._predict = self._library.LGBM_BoosterPredictForMatSingleRowFast
        self._lock = threading.Lock()

    def score_values(self, values: Values) -> list[float]:
        """One row; see `Model`."""
        numbers = self._encoder.encode_values(values)
        with self._lock:
            self._pack(self._row, 0, *numbers)
            status = self._predict(*self._arguments)
            scores = self._scores[:]
        checked(status)
        return [1.0 - scores[0], scores[0]] if self._binary else scores

    def score_rows(self, rows: Sequence[Values]) -> list[list[float]]:
        """The rows of one request; see `Model`."""
        matrix = self._encoder.encode_rows(rows)
        scores = array("d", bytes(8 * len(rows) * self._outputs))
        self._predict_matrix(ctypes.c_char_p(matrix), len(rows), ctypes.c_void_p(scores.buffer_info()[0]))
        flat = scores.tolist()
        if self._binary:
            return [[1.0 - score, score] for score in flat]
        return [flat[start : start + self._outputs] for start in range(0, len(flat), self._outputs)]

    def score_columns(self, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        """Whole columns; see `Model`."""
        import numpy as np

        matrix = encode_columns(self._inputs, self._encoding, columns)
        scores = np.empty((len(matrix), self._outputs), dtype=np.float64)
        self._predict_matrix(ctypes.c_void_p(matrix.ctypes.data), len(matrix), ctypes.c_void_p(scores.ctypes.data))
        return np.hstack((1.0 - scores, scores)) if self._binary else scores

    def _predict_matrix(self, matrix: Any, rows: int, scores: Any) -> None:
        """Predict `rows` rows at the pointer `matrix` into the pointer `scores`, both float64 in C order."""
        if not rows:
            return
        checked(
            self._unlocked.LGBM_BoosterPredictForMat(
                self._booster,
                matrix,
                _FLOAT64,
                ctypes.c_int32(rows),
                ctypes.c_int32(self._width),
                1,
                _NORMAL,
                0,
                -1,
                self._parameters,
                ctypes.byref(ctypes.c_int64(0)),
                scores,
            )
        )
