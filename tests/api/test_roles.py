"""Every route of the API, tried by everybody."""

from __future__ import annotations

import os
from collections import defaultdict

import pytest
from fakes.api_in_process import JOB_TOKEN, ROLES, ApiInProcess, job_of_token
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.applications import Starlette

from engine.api.app import build_app, guarded_routes
from engine.api.identity import Peer
from engine.api.problems import Refused
from engine.api.roles import Viewer, stated_role
from engine.api.tokens import Tokens
from engine.errors import Forbidden

EVERYBODY = ("owner", *ROLES, "nobody")


def routes(api: ApiInProcess) -> list[tuple[str, str, str | None]]:
    """(method, path with made-up names, stated role)."""
    found = []
    for route in iter_route_contexts(build_app(api.context).routes):
        assert isinstance(route.original_route, APIRoute), "only plain routes are served"
        path = (route.path or "").format_map(defaultdict(lambda: 1, name="fraud", job_id=12, step="fit"))
        found += [(method, path, stated_role(route.endpoint)) for method in sorted(route.methods or ())]
    return found


async def test_every_route_states_its_role(api: ApiInProcess) -> None:
    found = routes(api)
    assert len(found) >= 35
    assert [(method, path) for method, path, role in found if role is None] == []


async def test_nobody_gets_anywhere(api: ApiInProcess) -> None:
    for method, path, _ in routes(api):
        answer = await api.ask(method, path, role="nobody")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, path)


async def test_without_a_peer_nothing_is_answered(api: ApiInProcess) -> None:
    for method, path, _ in routes(api):
        assert (await api.ask(method, path, role=None)).status_code == 403, (method, path)
        assert (await api.ask(method, path, role=None, token=JOB_TOKEN)).status_code == 403, (method, path)


async def test_a_lower_role_is_refused_before_the_body_is_looked_at(api: ApiInProcess) -> None:
    for method, path, needed in routes(api):
        for role in ROLES:
            if needed == "job" or ROLES.index(role) < ROLES.index(needed or ""):
                answer = await api.ask(method, path, role=role, content=b"[[[ no JSON")
                assert answer.status_code == 403, (method, path, role)


async def test_the_needed_role_passes_the_guard(api: ApiInProcess) -> None:
    for method, path, needed in routes(api):
        if needed == "job" or path.endswith("/stream"):
            continue
        # A body that cannot be meant: what is asked for must not be done here.
        answer = await api.ask(method, path, role=needed, json=["not", "meant"] if method == "POST" else None)
        assert answer.status_code != 403, (method, path, answer.text)


async def test_promoting_needs_the_role_that_deploying_needs(api: ApiInProcess) -> None:
    stated = {path.rsplit("/", 1)[-1]: role for _, path, role in routes(api) if path.startswith("/v1/endpoints/fraud/")}
    assert (stated["deploy"], stated["promote"], stated["rollback"]) == ("operator",) * 3
    for role, status in (("viewer", 403), ("operator", 404), ("approver", 404)):
        for verb in ("deploy", "promote"):
            answer = await api.ask("POST", f"/v1/endpoints/fraud/{verb}", role=role, json={"version": 1})
            assert answer.status_code == status, (role, verb, answer.text)


async def test_a_job_may_do_its_own_work_and_nothing_else(api: ApiInProcess) -> None:
    for method, path, needed in routes(api):
        answer = await api.ask(method, path, token=JOB_TOKEN, json=["not", "meant"] if method == "POST" else None)
        assert (answer.status_code == 403) == (needed != "job"), (method, path, answer.text)


async def test_a_job_may_not_touch_the_work_of_another(api: ApiInProcess) -> None:
    for number in (13, 1, 120):
        answer = await api.ask("GET", f"/v1/jobs/{number}/work", token=JOB_TOKEN)
        assert answer.status_code == 403
        assert "job 12" in answer.json()["detail"]


async def test_even_the_owner_cannot_report_for_a_job(api: ApiInProcess) -> None:
    answer = await api.ask("POST", "/v1/jobs/12/fail", json={"failure": {"code": "x", "message": "y"}})
    assert answer.status_code == 403


@pytest.mark.parametrize("role", ["viewer", "nobody", "owner"])
async def test_ten_wrong_tokens_and_the_peer_must_wait(api: ApiInProcess, role: str) -> None:
    guesses = [await api.ask("GET", "/v1/jobs/12/work", role=role, token=f"guess-{number}") for number in range(11)]
    assert [answer.status_code for answer in guesses] == [403] * 10 + [429]
    assert (await api.ask("GET", "/v1/jobs/12/work", role=role, token=JOB_TOKEN)).status_code == 429
    other = await api.ask("GET", "/v1/jobs/12/work", role="operator", token=JOB_TOKEN)
    assert other.status_code == 404, "another user is not made to wait"


async def test_a_worker_that_was_replaced_does_not_lock_out_its_successor() -> None:
    tokens = Tokens(job_of_token)
    late, next_one = (Peer(pid=pid, uid=os.getuid(), gid=os.getgid()) for pid in (100, 101))
    for _ in range(10):
        with pytest.raises(Forbidden):
            await tokens.caller("Bearer old", late)
    with pytest.raises(Refused):
        await tokens.caller("Bearer old", late)
    assert (await tokens.caller(f"Bearer {JOB_TOKEN}", next_one)).job == (12, 1)


async def test_only_a_bearer_token_is_one() -> None:
    peer = Peer(pid=1, uid=os.getuid(), gid=os.getgid())
    for said in ("", "Bearer", "Bearer ", JOB_TOKEN, f"Basic {JOB_TOKEN}", "Bearer " + "x" * 10_000):
        with pytest.raises(Forbidden):
            await Tokens(job_of_token).caller(said, peer)


async def test_a_route_that_states_no_role_does_not_exist(api: ApiInProcess) -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    forgetful = APIRouter(prefix="/v1")

    @forgetful.get("/open")
    async def forgotten() -> str:
        return "open"

    @forgetful.get("/stated")
    async def stated(caller: Viewer) -> str:
        return "stated"

    app.include_router(forgetful)
    app.mount("/v1/mounted", Starlette())
    assert [route.pattern.pattern for route in guarded_routes(app)] == ["^/v1/stated$"]
