"""The engine's side: a Unix socket that only the home's owner can open, for routes, status, drain and end."""

from __future__ import annotations

import asyncio
import errno
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
from aiohttp import web

from engine.gateway.answers import Problem, json_answer, problem_answer
from engine.gateway.metrics import Meter, merge
from engine.gateway.routes import BadRoutes, Routes, decode_routes, store_routes
from engine.gateway.status import DeploymentStatus, Figures, GatewayStatus
from engine.gateway.table import Deployment, Table

log = logging.getLogger("mlops.gateway")

ROUTES_LIMIT_BYTES = 1024 * 1024
LONGEST_DRAIN_S = 600.0


class Control:
    """Answers the engine. `about` tells what the process knows of itself; deployments are filled in here."""

    def __init__(self, table: Table, folder: Path, about: GatewayStatus) -> None:
        self._table = table
        self._folder = folder
        self._about = about
        self._one_at_a_time = asyncio.Lock()

    def app(self) -> web.Application:
        """The application to serve on the control socket."""
        app = web.Application(client_max_size=ROUTES_LIMIT_BYTES, middlewares=[_problems])
        app.router.add_put("/routes", self._put_routes)
        app.router.add_get("/routes", self._routes)
        app.router.add_get("/status", self._status)
        app.router.add_post(r"/drain/{deployment:\d{1,18}}", self._drain)
        return app

    async def _put_routes(self, request: web.Request) -> web.Response:
        try:
            routes = decode_routes(await request.read())
        except BadRoutes as error:
            raise Problem(422, str(error), "Nothing has changed.") from error
        async with self._one_at_a_time:
            await self._replace(routes)
        return json_answer({"generation": routes.generation})

    async def _replace(self, routes: Routes) -> None:
        """Store routes, then bring them in force: what is acknowledged holds after a crash too."""
        now = self._table.routes
        if routes == now:
            return
        if routes.generation <= now.generation:
            error = f"Routes of generation {now.generation} are in force; these are of {routes.generation}."
            raise Problem(409, error, "Put routes of a higher generation.")
        try:
            await asyncio.to_thread(store_routes, self._folder, routes)
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            sentence = "The disk is full" if full else f"The routes cannot be stored: {error.strerror}"
            raise Problem(507, f"{sentence}; those before stay in force.", "Make room.") from error
        self._table.put(routes)
        log.info("routes of generation %d are in force: %s", routes.generation, _summary(routes))

    async def _routes(self, request: web.Request) -> web.Response:
        return json_answer(self._table.routes)

    async def _status(self, request: web.Request) -> web.Response:
        there = self._table.deployments.values()
        names = sorted({each.endpoint for each in there})
        status = msgspec.structs.replace(
            self._about,
            generation=self._table.routes.generation,
            deployments={each.id: _told(each) for each in there},
            endpoints={name: _figures([each.meter for each in there if each.endpoint == name]) for name in names},
        )
        return json_answer(status)

    async def _drain(self, request: web.Request) -> web.Response:
        number = int(request.match_info["deployment"])
        timeout_s = _seconds(request.query.get("timeout_s", "30"))
        if self._table.takes_traffic(number):
            raise Problem(409, f"Deployment {number} takes traffic.", "Put routes without it first.")
        deployment = self._table.deployments.get(number)
        if deployment is not None:
            try:
                async with asyncio.timeout(timeout_s):
                    await deployment.idle()
            except TimeoutError as error:
                sentence = (
                    f"{deployment.in_flight} requests are in flight to deployment {number} after {timeout_s:g} s."
                )
                raise Problem(504, sentence, "Ask again, or end it all the same.") from error
        return json_answer({"deployment": number, "in_flight": 0})


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= LONGEST_DRAIN_S:
        raise Problem(422, f"timeout_s is a number from 0 to {LONGEST_DRAIN_S:g}.", "Nothing was done.")
    return value


def _figures(meters: Sequence[Meter]) -> Figures:
    recent = merge([meter.window(300) for meter in meters])
    return Figures(
        rate_per_s=sum(meter.window(60).rate_per_s for meter in meters),
        requests=recent.requests,
        error_share=recent.error_share,
        p50_s=recent.quantile_s(0.5),
        p95_s=recent.quantile_s(0.95),
        p99_s=recent.quantile_s(0.99),
    )


def _told(deployment: Deployment) -> DeploymentStatus:
    meter = deployment.meter
    return DeploymentStatus(deployment.in_flight, meter.requests, meter.errors, _figures([meter]))


def _summary(routes: Routes) -> str:
    """`fraud: v2 100 %, v1 0 %`, for the log."""
    return "; ".join(
        f"{name}: " + ", ".join(f"v{backend.version} {backend.weight / 100:g} %" for backend in endpoint.backends)
        for name, endpoint in sorted(routes.endpoints.items())
    )


@web.middleware
async def _problems(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return problem_answer(problem)
    except web.HTTPException as error:
        return problem_answer(Problem(error.status, f"{error.reason}.", "See engine/gateway/control.py."))
