"""Made-up values in every field of every route: refused in a sentence, never a defect."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import quote, urlencode

import pytest
from fakes.api_in_process import JOB_TOKEN, ApiInProcess
from fastapi.routing import APIRoute, iter_route_contexts
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from engine.api.app import build_app
from engine.api.roles import stated_role
from engine.lifecycle.add_project import add_project
from engine.lifecycle.caller import Caller
from engine.lifecycle.train_project import train_project
from engine.registry.queue import claim_next
from engine.settings import Home
from engine.wire.projects import AddProject, TrainProject

TEXTS = (
    "..", "../../etc/passwd", "%2e%2e", "/", "", " ", "a" * 41, "Fraud", "fraud;x", "fraud#x", "file:/x", "$(id)",
    "`id`", "a\nb", "\x1b]52;c;x\x07", "\\", "ü", "𝕏", "'; drop table job; --", "NaN", "-1", "1", "true", "null",
    "2026-01-01T00:00:00Z", "0" * 64, "metric.auc", "metric.", "metric.'", "fit", "snapshot", "queued", "job.*",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2**31, 2**63 - 1, 2**63, 2**70, 10**200, 0.5, -0.0, 1e308)
HOSTILE = st.sampled_from((*TEXTS, *NUMBERS, True, False, None))
NESTED = st.lists(HOSTILE, max_size=2) | st.dictionaries(st.text(max_size=3), HOSTILE, max_size=2)
ANY = HOSTILE | NESTED
NAMES = st.just("fraud") | HOSTILE
IDS = st.just(1) | HOSTILE

PROJECT = """
[project]
name = "fraud"
task = "binary"
[data]
source = "rows.csv"
target = "y"
"""


class _NoContext:
    version = "0"


ROUTES = [
    route
    for route in iter_route_contexts(build_app(_NoContext()).routes)  # type: ignore[arg-type]
    if isinstance(route.original_route, APIRoute) and not (route.path or "").endswith("/stream")
]


def parameters(route: Any) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(route.endpoint).items() if name not in ("engine", "caller")}


def addresses(route: Any) -> st.SearchStrategy[str]:
    """The path with a value in each place, and any of the route's query parameters."""
    in_path = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    in_query = [
        name
        for name in inspect.signature(route.endpoint).parameters
        if name not in (*in_path, "engine", "caller", "body", "request")
    ]
    places = {name: (IDS if name in ("number", "job_id", "run_id", "snapshot_id") else NAMES) for name in in_path}
    if stated_role(route.endpoint) == "job":
        places["job_id"] = st.just(1)
    asked = st.fixed_dictionaries({}, optional=dict.fromkeys(in_query, NAMES))
    return st.builds(
        lambda filled, query: (
            route.path.format(**{name: quote(str(value), safe="") for name, value in filled.items()})
            + (f"?{urlencode(query)}" if query else "")
        ),
        st.fixed_dictionaries(places),
        asked,
    )


def bodies(route: Any) -> st.SearchStrategy[Any]:
    kind = parameters(route).get("body")
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return st.none()
    return st.fixed_dictionaries({}, optional=dict.fromkeys(kind.model_fields, NAMES | NESTED)) | ANY


@contextmanager
def busy_engine() -> Iterator[ApiInProcess]:
    """A project, and a job that runs under `JOB_TOKEN`."""
    digest = hashlib.sha256(JOB_TOKEN.encode()).hexdigest()
    root = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    home = Home(root / "h")
    home.prepare()
    (root / "mlops.toml").write_text(PROJECT)
    api = ApiInProcess(home, lambda asked: (1, 1) if asked == digest else None)
    try:
        anna = Caller(user="anna", uid=1000, role="admin")
        add_project(api.parts, anna, AddProject(folder=str(root)))
        train_project(api.parts, anna, "fraud", TrainProject())
        api.writer.write_and_wait(lambda tx: claim_next(tx, digest) and None)
        yield api
    finally:
        api.close()
        shutil.rmtree(root)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{min(route.methods)} {route.path}")
def test_no_value_makes_the_engine_fail(route: Any) -> None:
    async def ask_all(asked: list[tuple[str, Any]]) -> None:
        with busy_engine() as api:
            for address, body in asked:
                await ask(api, address, body)

    async def ask(api: ApiInProcess, address: str, body: Any) -> None:
        token = JOB_TOKEN if stated_role(route.endpoint) == "job" else None
        answer = await api.ask(min(route.methods), address, token=token, json=body)
        assert answer.status_code < 500 or answer.status_code == 501, (address, body, answer.text)
        if answer.status_code >= 400:
            told = answer.json()["detail"]
            assert told
            assert not {"\n", "\x1b"} & set(told), (address, body, told)

    # No shrinking: the failing request is told as it is, and each try makes a whole registry.
    @settings(max_examples=3, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(st.lists(st.tuples(addresses(route), bodies(route)), min_size=15, max_size=15))
    def try_them(asked: list[tuple[str, Any]]) -> None:
        asyncio.run(ask_all(asked))

    try_them()
