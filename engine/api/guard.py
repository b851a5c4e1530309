"""Deny by default, before the application sees anything: who asks, what for, and with what body.

Only the routes in the guard's own table exist; each is there with the role it states. A mounted application, or a
route that states no role, cannot be reached.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.api.body import BODY_LIMIT_BYTES, WORK_LIMIT_BYTES, Disconnected, read_body, replay, within_limit
from engine.api.identity import Identities, Peer
from engine.api.problems import Refused, problem, unexpected
from engine.api.tokens import Tokens
from engine.errors import EngineError, Forbidden, InvalidInput, NotFound, VersionMismatch
from engine.lifecycle.caller import Caller, Role
from engine.wire.base import API_HEADER, API_VERSION

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GuardedRoute:
    """One route as the guard knows it."""

    pattern: re.Pattern[str]
    methods: frozenset[str]
    role: Role
    limit_bytes: int | None = None
    """Of a body that the route reads itself, piece by piece; None: read here, as JSON."""


class Guard:
    """Wraps the application. Puts the `Caller` into the scope as `mlops.caller`."""

    def __init__(self, app: ASGIApp, routes: Iterable[GuardedRoute], identities: Identities, tokens: Tokens) -> None:
        self._app = app
        self._routes = tuple(routes)
        self._identities = identities
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise NotImplementedError(f"no {scope['type']} here")
        answer = _Answer(send)
        try:
            await self._app(scope, await self._admit(scope, receive), answer)
        except Disconnected:
            return
        except Exception as error:
            if answer.complete:
                # The application has answered with a problem of its own, logged it, and raises once more.
                return
            if answer.started:
                # Its answer broke off in the middle: the server closes the connection, which is all the client hears.
                log.error("the answer to %s broke off", scope["path"], exc_info=error)
                return
            await _told(error, scope)(scope, receive, answer)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        """Gives the body that the application may read."""
        headers = Headers(scope=scope)
        _check_version(headers)
        _check_origin(headers)
        caller = await self._caller(scope.get("mlops.peer"), headers)
        route, found = self._route(scope)
        _check_role(caller, route, found)
        scope["mlops.caller"] = caller
        if route.limit_bytes is not None:
            return within_limit(headers, receive, route.limit_bytes)
        body = await read_body(headers, receive, WORK_LIMIT_BYTES if caller.job else BODY_LIMIT_BYTES)
        return replay(body, receive)

    async def _caller(self, peer: Peer | None, headers: Headers) -> Caller:
        if peer is None:
            raise Forbidden("The engine answers on its Unix socket only.")
        if (authorization := headers.get("authorization")) is not None:
            return await self._tokens.caller(authorization, peer)
        if (known := self._identities.remembered(peer)) is not None:
            return known
        return await asyncio.to_thread(self._identities.caller, peer)

    def _route(self, scope: Scope) -> tuple[GuardedRoute, dict[str, Any]]:
        path, method = scope["path"], scope["method"]
        if "\0" in path or b"%00" in scope["query_string"]:
            raise InvalidInput("The address holds a NUL character.")
        allowed: set[str] = set()
        for route in self._routes:
            if (match := route.pattern.match(path)) is not None:
                if method in route.methods:
                    return route, match.groupdict()
                allowed |= route.methods
        if allowed:
            takes = ", ".join(sorted(allowed))
            wrong = InvalidInput(f"{method[:20]} is not for {path[:200]!r}, which takes {takes}.")
            raise Refused(wrong, 405, {"allow": takes})
        raise NotFound(f"There is no {path[:200]!r} here.", "GET /v1/openapi.json lists what there is.")


def _told(error: Exception, scope: Scope) -> Response:
    if isinstance(error, Refused):
        return problem(error.error, _closing(scope) | dict(error.headers), error.status)
    return problem(error, _closing(scope)) if isinstance(error, EngineError) else problem(unexpected(error))


def _closing(scope: Scope) -> dict[str, str]:
    """A body that was refused is not read to its end, so the connection cannot be used again."""
    headers = Headers(scope=scope)
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    return {"connection": "close"} if has_body else {}


def _check_version(headers: Headers) -> None:
    spoken = headers.get(API_HEADER)
    # Without the header it is a person with curl, who reads what comes.
    if spoken is not None and spoken != str(API_VERSION):
        raise VersionMismatch(
            f"The engine speaks version {API_VERSION} of the API, the client version {spoken[:20]}.",
            "End the engine with its own `mlops down` and start it with the newer program.",
        )


def _check_origin(headers: Headers) -> None:
    if "origin" in headers or "sec-fetch-site" in headers:
        raise Forbidden("No web page may ask the engine anything.")


def _check_role(caller: Caller, route: GuardedRoute, found: dict[str, Any]) -> None:
    if caller.job is not None:
        if route.role != "job" or found.get("job_id") != str(caller.job[0]):
            raise Forbidden(f"The token of {caller.name} is good for that job's own work and nothing else.")
    elif route.role == "job":
        raise Forbidden("Only the job itself reports its work, with its token.", "`mlops jobs` shows how it fares.")
    else:
        caller.need(route.role, "do this")


class _Answer:
    """`send` that says in every answer which version is spoken, and remembers how far one has come."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.complete = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            spoken = (API_HEADER.encode(), str(API_VERSION).encode())
            message = {**message, "headers": [*message.get("headers", ()), spoken]}
        await self._send(message)
        self.complete = message["type"] == "http.response.body" and not message.get("more_body", False)
