"""The HTTP face of one model version: raw ASGI, because a framework costs more than the model (115 µs against 85)."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import msgspec

from engine.serving.answers import Answers
from engine.serving.capture import CaptureLog
from engine.serving.manifest import ServeSpec
from engine.serving.metrics import Metrics
from engine.serving.model import Bundle, Values
from engine.serving.problems import Refused
from engine.serving.rows import RowReader, Table
from engine.serving.v2 import V2, refuse_binary

HELPER_ROWS = 100
"""From here on a thread scores the rows, while the event loop goes on: 1,000 rows hold LightGBM for 5 ms, in which
others would wait for their single row, and handing over takes 0.1 ms."""
BODY_LIMIT_BYTES = 32 * 1024 * 1024

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Handler = Callable[[bytes, str], Awaitable[Any]]
Headers = dict[bytes, bytes]

_sane_request_id = re.compile(rb"[A-Za-z0-9._-]{1,64}").fullmatch
_encode = msgspec.json.Encoder().encode


class PredictAnswer(msgspec.Struct):
    """The body of an answer of `/predict`."""

    endpoint: str
    version: int
    request_id: str
    predictions: list[dict[str, Any]]
    warnings: list[str]


class App:
    """ASGI application for one replica; all its state belongs to the event loop's thread."""

    def __init__(self, spec: ServeSpec, bundle: Bundle, captures: CaptureLog, reader: RowReader) -> None:
        self.ready = True
        """False from the moment it is told to end."""
        self._spec, self._model, self._captures, self._reader = spec, bundle.model, captures, reader
        self._answers = Answers(bundle.manifest)
        self._v2 = V2(bundle.manifest, spec, reader)
        self._metrics = Metrics()
        self._helpers = ThreadPoolExecutor(min(4, os.cpu_count() or 1), "scoring")
        # 64 random bits per process and a counter: unique like a UUID, at a tenth of its price.
        self._new_request_id = map((secrets.token_hex(8) + "-%x").__mod__, count()).__next__
        self._version = str(spec.version).encode()
        self._gets, self._posts = self._routes()

    def close(self) -> None:
        """End the helping threads and close the capture segment; nothing may be asked afterwards."""
        self._helpers.shutdown()
        self._captures.close()

    def _routes(self) -> tuple[dict[str, Callable[[], Any]], dict[str, tuple[str, Handler]]]:
        name = self._spec.endpoint
        gets: dict[str, Callable[[], Any]] = {
            "/v2": self._v2.server_metadata,
            "/v2/health/live": lambda: {"live": True},
            "/v2/health/ready": self._readiness,
            "/metrics": lambda: self._metrics.expose(self._spec, self._captures.captured, self._captures.dropped),
        }
        posts: dict[str, tuple[str, Handler]] = {f"/predict/{name}": ("predict", self._predict)}
        for model in (f"/v2/models/{name}", f"/v2/models/{name}/versions/{self._spec.version}"):
            gets[model] = self._v2.model_metadata
            gets[f"{model}/ready"] = lambda: {"name": name, **self._readiness()}
            posts[f"{model}/infer"] = ("v2", self._infer)
        return gets, posts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers: Headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        request_id = given.decode() if given and _sane_request_id(given) else self._new_request_id()
        more: tuple[tuple[bytes, bytes], ...] = ()
        try:
            status, body = 200, await self._answer(scope, headers, receive, request_id)
        except ClientGone:
            return
        except Refused as refused:
            status, more = refused.status, refused.headers
            body = _encode({"error": refused.message, "hint": refused.hint})
        content_type = b"text/plain; version=0.0.4; charset=utf-8" if body[:1] == b"#" else b"application/json"
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", content_type),
                    (b"content-length", b"%d" % len(body)),
                    (b"x-request-id", request_id.encode()),
                    (b"x-mlops-version", self._version),
                    *more,
                ],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Message, headers: Headers, receive: Receive, request_id: str) -> bytes:
        path, method = scope["path"], scope["method"]
        route = self._posts.get(path)
        if route is None or method != "POST":
            return self._get(path, method)
        protocol, handle = route
        status, started = 200, time.perf_counter()
        try:
            _check_headers(headers)
            body = await _read_body(receive)
            started = time.perf_counter()
            return _encode(await handle(body, request_id))
        except Refused as refused:
            status = refused.status
            raise
        except Exception as error:
            status = 500
            traceback.print_exc(limit=-4, file=sys.stderr)
            raise Refused(
                500, f"The model failed on this request: {type(error).__name__}.", "The replica's log says more."
            ) from error
        finally:
            self._metrics.answered(protocol, status, time.perf_counter() - started)

    def _get(self, path: str, method: str) -> bytes:
        handle = self._gets.get(path)
        if handle is not None and method in ("GET", "HEAD"):
            answer = handle()
            return answer if isinstance(answer, bytes) else _encode(answer)
        if handle is not None or path in self._posts:
            allowed = "GET, HEAD" if handle is not None else "POST"
            raise Refused(405, f"{method} does not go with {path}.", f"Use {allowed}.", ((b"allow", allowed.encode()),))
        name, version = self._spec.endpoint, self._spec.version
        raise Refused(
            404, "There is nothing at this path.", f"Version {version} of {name!r} answers at /predict/{name}."
        )

    def _readiness(self) -> dict[str, bool]:
        if not self.ready:
            raise Refused(503, "This replica is ending.")
        return {"ready": True}

    async def _predict(self, body: bytes, request_id: str) -> PredictAnswer:
        started_at, started = time.time(), time.perf_counter()
        table = self._reader.read(body)
        scores, labels = await self._score(table, request_id, started_at, started)
        predictions = self._answers.predictions(scores, labels)
        return PredictAnswer(self._spec.endpoint, self._spec.version, request_id, predictions, table.warnings)

    async def _infer(self, body: bytes, request_id: str) -> Any:
        started_at, started = time.time(), time.perf_counter()
        request, table = self._v2.read(body)
        scores, labels = await self._score(table, request_id, started_at, started)
        return self._v2.answer(request, scores, labels, table.warnings)

    async def _score(
        self, table: Table, request_id: str, started_at: float, started: float
    ) -> tuple[list[list[float]], Any]:
        """Score the rows and capture the answer, which is not sent before."""
        rows = table.rows
        scores = await self._scores(rows)
        labels = self._answers.labels(scores)
        self._metrics.rows += len(rows)
        self._metrics.unseen += len(table.unseen)
        latency_s = time.perf_counter() - started
        self._captures.append(request_id, started_at, latency_s, rows, scores, labels, table.unseen)
        return scores, labels

    async def _scores(self, rows: Sequence[Values]) -> list[list[float]]:
        if len(rows) == 1:
            return [self._model.score_values(rows[0])]
        if len(rows) < HELPER_ROWS:
            return self._model.score_rows(rows)
        return await asyncio.get_running_loop().run_in_executor(self._helpers, self._model.score_rows, rows)


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


def _check_headers(headers: Headers) -> None:
    if b"inference-header-content-length" in headers:
        raise refuse_binary()
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise Refused(415, "Compressed bodies are not taken.", "Send the JSON as it is.")
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > BODY_LIMIT_BYTES:
        raise _too_large()


async def _read_body(receive: Receive) -> bytes:
    """The whole body, counted while it is read."""
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        body: bytes = message["body"]
        return body
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message["body"])
        size += len(message["body"])
        if size > BODY_LIMIT_BYTES:
            raise _too_large()
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def _too_large() -> Refused:
    return Refused(413, f"The body is larger than {BODY_LIMIT_BYTES // 2**20} MB.", "Send fewer rows at once.")
