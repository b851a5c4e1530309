"""The application: routers, problems, and the guard around them."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import compile_path
from starlette.types import ASGIApp

from engine.api import problems
from engine.api.context import Context
from engine.api.guard import Guard, GuardedRoute
from engine.api.identity import Identities
from engine.api.roles import stated_limit, stated_role
from engine.api.routers import ALL
from engine.api.tokens import FindJob, Tokens


def build_api(context: Context, find_job: FindJob) -> ASGIApp:
    """The whole API over `context`, guarded. `find_job` knows which running attempt a token's hash belongs to."""
    app = build_app(context)
    identities = Identities(context.parts.config.roles)
    return Guard(app, guarded_routes(app), identities, Tokens(find_job))


def build_app(context: Context) -> FastAPI:
    """The application alone, which trusts whoever calls it."""
    # No documentation pages: they would fetch scripts from somebody else's server. The schema is a route of ours.
    app = FastAPI(title="mlops", version=context.version, openapi_url=None, docs_url=None, redoc_url=None)
    app.state.context = context
    problems.install(app)
    for router in ALL:
        app.include_router(router)
    return app


def guarded_routes(app: FastAPI) -> list[GuardedRoute]:
    """The guard's table: every route that states a role. Whatever states none is left out, and so does not exist."""
    found = []
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute) or route.path is None or route.endpoint is None:
            continue
        if (role := stated_role(route.endpoint)) is not None:
            pattern, methods = compile_path(route.path)[0], frozenset(route.methods or ())
            found.append(GuardedRoute(pattern, methods, role, stated_limit(route.endpoint)))
    return found
