"""The table of calls against the API's own routes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts

from engine.api.app import guarded_routes
from engine.api.routers import ALL
from engine.client import AsyncEngineClient, EngineClient
from engine.client.call import Call, Route, path
from engine.client.routes import Routes
from engine.errors import InvalidInput
from engine.wire.base import Failure
from engine.wire.runs import LogRun
from engine.wire.work import FinishStep, ReportProgress

CALLS = {name: found for name, found in vars(Routes).items() if isinstance(found, Route)}
BODIES: dict[str, Any] = {
    "run": LogRun(project="fraud"),
    "result": FinishStep(result={}),
    "report": ReportProgress(),
    "failure": Failure(code="x", message="y"),
    "file": "/data/x.csv",
    "sha256": "0" * 64,
    "folder": "/data",
}
NOT_CALLED = {"/v1/events/stream", "/v1/openapi.json"}
"""The stream has a method of its own; the description is for people."""


def made(route: Route[Any, Any]) -> Call[Any]:
    """The call with made-up arguments."""
    build: Callable[..., Call[Any]] = route._build
    arguments = {}
    for name, parameter in list(inspect.signature(build).parameters.items())[1:]:
        if parameter.default is parameter.empty:
            whole = parameter.annotation == "int"
            arguments[name] = BODIES.get(name, 1 if whole else "fraud")
    return build(None, **arguments)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_leads_to_a_route(name: str) -> None:
    call = made(CALLS[name])
    found = [route for route in _guarded() if route.pattern.match(call.path)]
    assert any(call.method in route.methods for route in found), call.path


def test_every_route_can_be_called() -> None:
    calls = [made(route) for route in CALLS.values()]
    for route in _guarded():
        for method in route.methods:
            if not any(route.pattern.match(address) for address in NOT_CALLED):
                assert any(call.method == method and route.pattern.match(call.path) for call in calls), route


@pytest.mark.parametrize("name", CALLS)
def test_what_changes_nothing_may_be_repeated(name: str) -> None:
    call = made(CALLS[name])
    assert call.repeatable or call.method == "POST"


def test_orders_that_would_be_done_twice_are_not_repeated() -> None:
    for name in ("train", "look", "deploy", "promote", "rollback", "log_run"):
        assert not made(CALLS[name]).repeatable, name


def test_training_with_a_key_may_be_repeated() -> None:
    assert CALLS["train"]._build(None, "fraud", key="nightly").repeatable


def test_both_clients_have_every_call_with_its_docstring() -> None:
    for name in CALLS:
        assert inspect.getdoc(getattr(EngineClient, name)) == inspect.getdoc(getattr(AsyncEngineClient, name))
        assert inspect.getdoc(getattr(EngineClient, name)), name


@pytest.mark.parametrize("name", ["../x", "a/b", "a?b=c", "a#b", "a%2fb", "ü", ""])
def test_a_name_cannot_lead_elsewhere(name: str) -> None:
    quoted = path("models", name)
    assert quoted.count("/") == 3
    assert not set("?#") & set(quoted)


def test_a_value_that_cannot_be_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(InvalidInput, match="`share`"):
        CALLS["deploy"]._build(None, "fraud", share=1.5)
    with pytest.raises(InvalidInput, match="`override`"):
        CALLS["approve"]._build(None, "fraud", 1, override="x")


def _guarded() -> list[Any]:
    from fastapi import FastAPI

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for router in ALL:
        assert isinstance(router, APIRouter)
        app.include_router(router)
    assert list(iter_route_contexts(app.routes))
    return guarded_routes(app)
