"""Predictions at the model server itself: LightGBM, 200 trees × 31 leaves, 30 numbers, over its Unix socket."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from fakes.bundles import make_replica

from engine.serving.manifest import Input, ServeSpec
from tests.bench.load import ask_once, ask_until_ready, http_request, load
from tests.bench.report import Result, of_load

FEATURES = 30
CONNECTIONS = (1, 16, 64)


@dataclass(frozen=True)
class Server:
    """A running model server."""

    folder: Path
    spec: ServeSpec
    process: psutil.Process
    first_answer_s: float
    """From its start to its first prediction."""

    @property
    def socket(self) -> Path:
        return self.folder / self.spec.socket


def one_row() -> bytes:
    """A body of one row."""
    return json.dumps({"rows": _rows(1)}).encode()


def request(endpoint: str, body: bytes) -> bytes:
    """A prediction for the model server or the gateway."""
    return http_request("POST", f"/predict/{endpoint}", body)


@contextmanager
def model_server(folder: Path) -> Iterator[Server]:
    """A model server with captures on, until the end of `with`."""
    spec = _make_replica(folder)
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", "engine.serving", str(folder)])
    try:
        ask_until_ready(folder / spec.socket, request(spec.endpoint, one_row()), child)
        yield Server(folder, spec, psutil.Process(child.pid), time.perf_counter() - began)
    finally:
        child.terminate()
        child.wait(30)


def measure(server: Server, seconds: float) -> Iterator[Result]:
    """The figures of one model server."""
    yield Result("model server: start to first answer", server.first_answer_s, "s", 0.5)
    one = request(server.spec.endpoint, one_row())
    for connections in CONNECTIONS:
        seen = load(server.socket, one, connections=connections, seconds=seconds)
        if connections == 16:
            yield from of_load("model server, one row", seen, per_second=15_000, p99_ms=5.0)
        else:
            yield from of_load("model server, one row", seen)
    many = request(server.spec.endpoint, json.dumps({"rows": _rows(1000)}).encode())
    status, answer = ask_once(server.socket, many)
    if status != 200 or len(json.loads(answer)["predictions"]) != 1000:
        raise RuntimeError(f"1,000 rows were answered with status {status}: {answer[:200]!r}")
    seen = load(server.socket, many, connections=2, seconds=seconds)
    yield Result("model server, 1,000 rows a request: rows", 1000 * seen.per_second, "/s", 200_000, "more")
    yield Result("model server: memory after all that", server.process.memory_info().rss / 2**20, "MiB", 120)


def _make_replica(folder: Path) -> ServeSpec:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(6000, FEATURES))
    signal = matrix[:, :8].sum(axis=1) + matrix[:, 8] * matrix[:, 9] + rng.normal(size=len(matrix))
    return make_replica(
        folder,
        "lightgbm",
        "binary",
        name="bench",
        inputs=tuple(Input(f"x{number}", "number") for number in range(FEATURES)),
        columns={f"x{number}": matrix[:, number].tolist() for number in range(FEATURES)},
        target_values=(signal > 0).astype(int),
        trees=200,
        leaves=31,
    )


def _rows(count: int) -> list[dict[str, float]]:
    values = np.random.default_rng(1).normal(size=(count, FEATURES)).round(4)
    return [{f"x{number}": value for number, value in enumerate(row)} for row in values.tolist()]
