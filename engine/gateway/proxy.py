"""The public side: a request comes in, finds its replica, and its answer goes out.

A request is sent again when its replica refused it or ended before answering: inference is safe to repeat, and
captures are told apart by the request id that the gateway sets. While no replica at all takes connections it waits
a moment, so that a model server which is started again behind it is not noticed.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Sequence
from itertools import count

from aiohttp.web import BaseRequest, Response, StreamResponse

from engine.gateway.answers import SERVER, Problem, json_answer, problem_answer
from engine.gateway.bodies import (
    BODY_LIMIT_BYTES,
    BODY_S,
    BodyBroken,
    BodyBudget,
    BodyTooLarge,
    BodyTooSlow,
    declared_bytes,
    read_body,
)
from engine.gateway.forwarding import answer_headers, request_head
from engine.gateway.guard import Guard
from engine.gateway.metrics import exposition
from engine.gateway.split import bucket_of
from engine.gateway.table import Deployment, Service, Table
from engine.gateway.upstream import Answer, Dropped, Refused, Replica, TooSlow

log = logging.getLogger("mlops.gateway")

PATIENCE_S = 20.0
"""How long a request waits for a replica to take connections before it is answered with 503: as long as Docker takes
to stop and start, and its containers to come back."""

MOST_WAITING = 1000
"""Requests; one that would wait beside so many is answered with 503 at once."""

PROBE_S = 0.05

SENT_IN_VAIN = 4
"""A request that this many connections did not outlive is answered with 502: it may be what ends them."""

_TARGET = re.compile(
    r"/(?:predict/(?P<rows>[^/?]+)|v2/models/(?P<model>[^/?]+)(?:/versions/(?P<version>[0-9]{1,9}))?(?P<rest>(?:/[a-z]+)*))"
)
_QUERY = re.compile(r"[!-~]*")
_SHOWN = re.compile(r"[A-Za-z0-9._-]{1,60}")


class Proxy:
    """Answers the public side from a table of routes."""

    def __init__(self, table: Table, sticky_header: str, guard: Guard) -> None:
        self._table = table
        self._guard = guard
        self._sticky_header = sticky_header
        self._budget = BodyBudget()
        self._ids = count(1)
        self._id_prefix = secrets.token_hex(6)
        self._waiting = 0
        self._prober: asyncio.Task[None] | None = None

    async def answer(self, request: BaseRequest) -> StreamResponse:
        """The answer to any request."""
        try:
            self._guard.check(request.headers)
            path, _, query = request.raw_path.partition("?")
            target = _TARGET.fullmatch(path)
            if target is None:
                return self._own(request, path)
            if not _QUERY.fullmatch(query):
                raise Problem(400, "The query string holds characters that belong encoded.", "Percent-encode them.")
            _check_method(request.method, rows=target["rows"] is not None)
            return await self._take_in(request, target["rows"] or target["model"], _version(target["version"]))
        except Problem as problem:
            answer = problem_answer(problem)
            if not request.content.is_eof():
                answer.force_close()
            return answer

    async def _take_in(self, request: BaseRequest, name: str, version: int | None) -> StreamResponse:
        """Have the body whole, then send it on."""
        self._service(name, version)
        try:
            if request.content.is_eof():
                return await self._forward(request, name, version, [request.content.read_nowait()])
            async with self._budget.hold(declared_bytes(request)):
                return await self._forward(request, name, version, await read_body(request))
        except BodyTooLarge as error:
            hint = "Send the rows in several requests."
            raise Problem(413, f"The body is larger than {BODY_LIMIT_BYTES >> 20} MB.", hint) from error
        except BodyTooSlow as error:
            raise Problem(408, f"The body was not there after {BODY_S:g} s.", "Send it faster, or less.") from error
        except BodyBroken as error:
            raise Problem(400, "The body ended before its announced end.", "Send it whole.") from error

    async def _forward(
        self, request: BaseRequest, name: str, version: int | None, body: Sequence[bytes]
    ) -> StreamResponse:
        key = request.headers.get(self._sticky_header)
        bucket = bucket_of(None if key is None else key.encode("utf-8", "surrogateescape"))
        size_bytes = sum(map(len, body))
        new_id = f"{self._id_prefix}-{next(self._ids):x}".encode()
        head = request_head(request.method, request.raw_path, request.raw_headers, size_bytes, new_id)
        started_at = asyncio.get_running_loop().time()
        answer, deployment = await self._ask(name, version, bucket, head, body)
        ended_well = False
        try:
            if answer.complete:
                response: StreamResponse = Response(
                    status=answer.status, body=answer.body, headers=answer_headers(answer.headers)
                )
                response.headers["Server"] = SERVER
            else:
                response = await _stream(request, answer)
            ended_well = answer.status < 500
            return response
        finally:
            answer.abandon()
            deployment.leave()
            deployment.meter.record(asyncio.get_running_loop().time() - started_at, error=not ended_well)

    async def _ask(
        self, name: str, version: int | None, bucket: int, head: bytes, body: Sequence[bytes]
    ) -> tuple[Answer, Deployment]:
        """An answer, and the deployment it is from, which is still entered.

        The routes are looked up again in every round: those that hold while a request waits may have changed.
        """
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        in_vain = 0
        while True:
            last: Deployment | None = None
            for deployment, replica in self._service(name, version).candidates(version, bucket):
                last = deployment
                # A kept connection may have been closed at this very moment; a new one tells.
                for fresh in (False, True) if replica.has_kept else (True,):
                    try:
                        return await _ask_one(deployment, replica, head, body, fresh=fresh), deployment
                    except Refused:
                        break
                    except Dropped as error:
                        in_vain += 1
                        if in_vain >= SENT_IN_VAIN:
                            deployment.meter.record(loop.time() - started_at, error=True)
                            raise _failed(deployment, 502, "ended while it worked on this request") from error
                    except TooSlow as error:
                        deployment.meter.record(loop.time() - started_at, error=True)
                        raise _failed(deployment, 504, "did not answer in time") from error
            remaining_s = started_at + PATIENCE_S - loop.time()
            if remaining_s <= 0 or self._waiting >= MOST_WAITING:
                if last is not None:
                    last.meter.record(loop.time() - started_at, error=True)
                raise _nobody(name)
            await self._wait(remaining_s)

    async def _wait(self, seconds: float) -> None:
        """Wait for other routes, or for a replica that takes connections again."""
        self._waiting += 1
        if self._prober is None or self._prober.done():
            self._prober = asyncio.get_running_loop().create_task(self._probe())
        try:
            await self._table.wait_for_news(seconds)
        finally:
            self._waiting -= 1

    async def _probe(self) -> None:
        """One task tries the silent replicas for all requests that wait."""
        while self._waiting:
            await asyncio.sleep(PROBE_S)
            silent = self._table.down_replicas()
            revived = [await replica.revive() for replica in silent]
            # Nobody silent: one came back between a request's attempt and its wait.
            if any(revived) or not silent:
                self._table.tell()

    def _service(self, name: str, version: int | None) -> Service:
        service = self._table.services.get(name)
        if service is None:
            shown = f"named {name}" if _SHOWN.fullmatch(name) else "of that name"
            raise Problem(404, f"There is no endpoint {shown}.", "`mlops endpoints` lists them, and so does GET /.")
        if version is not None and version not in service.versions:
            there = ", ".join(map(str, service.versions)) or "none"
            raise Problem(404, f"Version {version} is not behind endpoint {name}.", f"Versions there: {there}.")
        if version is None and not service.takes_traffic:
            raise Problem(503, f"No version of {name} takes traffic.", f"`mlops endpoints {name}` says why.")
        return service

    def _own(self, request: BaseRequest, path: str) -> Response:
        """What the gateway answers itself."""
        answers = {"/": self._hello, "/v2": _about, "/v2/health/live": _live, "/v2/health/ready": self._ready}
        if path != "/metrics" and path not in answers:
            hint = "POST rows to /predict/NAME, or speak the Open Inference Protocol v2 below /v2."
            raise Problem(404, "There is nothing at this path.", hint)
        if request.method not in ("GET", "HEAD"):
            raise Problem(405, f"{path} is only read.", "Use GET.", {"Allow": "GET, HEAD"})
        if path == "/metrics":
            return self._metrics()
        return answers[path]()

    def _hello(self) -> Response:
        names = ", ".join(sorted(self._table.services)) or "none yet"
        text = f"This is the gateway of mlops: POST rows to /predict/NAME; endpoints: {names}.\n"
        return Response(text=text, headers={"Server": SERVER})

    def _ready(self) -> Response:
        ready = any(service.takes_traffic for service in self._table.services.values())
        if not ready:
            raise Problem(503, "No endpoint takes traffic yet.", "`mlops deploy NAME` releases a version.")
        return json_answer({"ready": True})

    def _metrics(self) -> Response:
        rows = [
            (
                {"endpoint": each.endpoint, "version": str(each.version), "deployment": str(each.id)},
                each.meter,
                each.in_flight,
            )
            for each in self._table.deployments.values()
        ]
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8", "Server": SERVER}
        return Response(body=exposition(rows).encode(), headers=headers)


async def _ask_one(
    deployment: Deployment, replica: Replica, head: bytes, body: Sequence[bytes], *, fresh: bool
) -> Answer:
    deployment.enter()
    try:
        return await replica.ask(head, body, fresh=fresh)
    except BaseException as error:
        deployment.leave()
        if isinstance(error, Dropped | TooSlow):
            log.warning("version %d of %s: %s: %s", deployment.version, deployment.endpoint, replica.socket, error)
        raise


async def _stream(request: BaseRequest, answer: Answer) -> StreamResponse:
    """Pass a long answer on as it comes; when it breaks off, the client's connection does."""
    response = StreamResponse(status=answer.status, headers=answer_headers(answer.headers))
    response.headers["Server"] = SERVER
    length = next((value for name, value in answer.headers if name.lower() == b"content-length"), None)
    if length is not None:
        response.content_length = int(length)
    await response.prepare(request)
    piece = answer.body
    try:
        while piece:
            await response.write(piece)
            piece = await answer.more()
    except (Dropped, TooSlow) as error:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the answer broke off") from error
    await response.write_eof()
    return response


def _about() -> Response:
    return json_answer({"name": SERVER, "version": "2", "extensions": []})


def _live() -> Response:
    return json_answer({"live": True})


def _version(text: str | None) -> int | None:
    return None if text is None else int(text)


def _check_method(method: str, *, rows: bool) -> None:
    if rows and method != "POST":
        raise Problem(405, "Rows are sent with POST.", "POST them to /predict/NAME.", {"Allow": "POST"})
    if method not in ("GET", "POST"):
        hint = "GET tells about a model, POST asks it."
        raise Problem(405, f"{method[:20]} is not part of the protocol.", hint, {"Allow": "GET, POST"})


def _failed(deployment: Deployment, status: int, what: str) -> Problem:
    where = f"Version {deployment.version} of {deployment.endpoint}"
    return Problem(status, f"{where} {what}.", f"`mlops logs {deployment.endpoint}` shows what it said.")


def _nobody(name: str) -> Problem:
    hint = f"It may be starting; `mlops endpoints {name}` says what happens."
    return Problem(503, f"No model server of {name} takes connections.", hint, {"Retry-After": "1"})
