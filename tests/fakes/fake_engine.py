"""An engine in memory, behind the real client: it answers the routes that the terminal and the command line ask."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
from fakes import wire_objects as made
from fakes.retrained import retrain
from pydantic import BaseModel

from engine.client import AsyncEngineClient, EngineClient
from engine.errors import Conflict, EngineError, NotFound
from engine.settings import Home
from engine.wire.base import Failure
from engine.wire.endpoints import DeploymentView, EndpointView, ReleasePreview
from engine.wire.events import EventView, Progress, Verification
from engine.wire.fleet import FleetRow
from engine.wire.jobs import JobView, ScheduleView
from engine.wire.models import VersionView
from engine.wire.monitoring import AlarmView, CheckView, DriftView, PerformanceView, RetrainView, WhyView
from engine.wire.projects import ProjectView
from engine.wire.runs import CurvePoint, RunView, SnapshotProfile, SnapshotView

Answer = BaseModel | dict[str, Any] | list[Any]


class FakeEngine:
    """State to set, calls that were made, and clients that believe it."""

    def __init__(self) -> None:
        self.is_up = True
        self.jobs: dict[int, JobView] = {}
        self.fleet: list[FleetRow] = []
        self.projects: dict[str, ProjectView] = {}
        self.versions: dict[tuple[str, int], VersionView] = {}
        self.endpoints: dict[str, EndpointView] = {}
        self.runs: dict[int, RunView] = {}
        self.curves: dict[int, list[CurvePoint]] = {}
        self.snapshots: dict[int, SnapshotView] = {}
        self.profiles: dict[int, SnapshotProfile] = {}
        self.drifts: dict[str, DriftView] = {}
        self.checks: dict[int, CheckView] = {}
        """As one alone is told, with its figures; lists leave them out."""
        self.alarms: dict[int, AlarmView] = {}
        self.performances: dict[str, PerformanceView] = {}
        self.retrains: dict[int, RetrainView] = {}
        self.whys: dict[tuple[str, int], WhyView] = {}
        self.previews: dict[str, ReleasePreview] = {}
        """By verb: what is told instead of a champion @2 that @3 takes over from."""
        self.role = "admin"
        self.events: list[EventView] = []
        self.logs: dict[int, str] = {}
        self.calls: list[tuple[str, str, Any]] = []
        self.refusals: dict[str, EngineError] = {}
        """By path: what is answered instead."""
        self.answers: dict[tuple[str, str], Any] = {}
        """By (method, path): what is answered, where no state of its own stands behind it."""
        self.on_look: Callable[[dict[str, Any]], dict[str, Any] | Failure | None] | None = None
        """What is seen, by what is asked; None: the job goes on and on. Not set: the newest job is the look."""
        self.schedules: list[ScheduleView] = []
        self.on_job_asked: Callable[[JobView], JobView] = lambda job: job
        """How a job has moved on when it is asked for; what it gives is kept."""
        self.on_endpoint_asked: Callable[[EndpointView], EndpointView] = lambda endpoint: endpoint
        self.gateway_note = ""
        self.history: dict[str, list[DeploymentView]] = {}
        """Deployments that are over, by endpoint."""
        self.replica_logs: dict[tuple[str, int, int], str] = {}
        """By endpoint, deployment and replica."""
        self.verification = Verification(events=9, broken_event=None, blobs=4, damaged=[], missing=[])
        self._streams: set[asyncio.Queue[str | None]] = set()

    def client(self) -> EngineClient:
        client = EngineClient(Home(Path("/nowhere")))
        client._http = httpx.Client(transport=httpx.MockTransport(self._answer), base_url="http://engine")
        return client

    def async_client(self) -> AsyncEngineClient:
        client = AsyncEngineClient(Home(Path("/nowhere")))
        client._http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer_async), base_url="http://engine")
        return client

    def asked(self, method: str, path: str) -> list[Any]:
        """Bodies of the calls to a path."""
        return [body for called, at, body in self.calls if (called, at) == (method, path)]

    def tell(self, news: EventView | Progress) -> None:
        """To all who follow."""
        kind = "event" if isinstance(news, EventView) else "progress"
        number = f"id: {news.seq}\n" if isinstance(news, EventView) else ""
        if isinstance(news, EventView):
            self.events.append(news)
        for stream in self._streams:
            stream.put_nowait(f"event: {kind}\n{number}data: {news.model_dump_json()}\n\n")

    def go_down(self) -> None:
        self.is_up = False
        for stream in self._streams:
            stream.put_nowait(None)

    @property
    def followers(self) -> int:
        return len(self._streams)

    async def _answer_async(self, request: httpx.Request) -> httpx.Response:
        if self.is_up and request.url.path == "/v1/events/stream":
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=_Stream(self, request))
        return self._answer(request)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if not self.is_up:
            raise httpx.ConnectError("no engine", request=request)
        path = request.url.path.removeprefix("/v1")
        body = json.loads(request.content) if request.content else None
        self.calls.append((request.method, path, body))
        try:
            if path in self.refusals:
                raise self.refusals[path]
            found = self._route(request.method, path, dict(request.url.params), body)
        except EngineError as error:
            return httpx.Response(error.status, json=error.to_problem())
        return httpx.Response(200, content=_json(found))

    def _route(self, method: str, path: str, params: dict[str, str], body: Any) -> Answer:
        if (method, path) in self.answers:
            return self.answers[method, path]
        for pattern, verb, answer in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                return answer(self, match.groups(), params, body)
        raise NotFound(f"no route {method} {path}")


class _Stream(httpx.AsyncByteStream):
    def __init__(self, engine: FakeEngine, request: httpx.Request) -> None:
        self._engine = engine
        self._after = request.url.params.get("after")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        engine = self._engine
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        engine._streams.add(queue)
        try:
            last = engine.events[-1].seq if engine.events else 0
            after = int(self._after) if self._after is not None else last
            yield f'event: connected\nid: {after}\ndata: {{"after": {after}}}\n\n'.encode()
            for event in engine.events:
                if event.seq > after:
                    yield f"event: event\nid: {event.seq}\ndata: {event.model_dump_json()}\n\n".encode()
            while (sent := await queue.get()) is not None:
                yield sent.encode()
        finally:
            engine._streams.discard(queue)


def _json(found: Answer) -> str:
    if isinstance(found, BaseModel):
        return found.model_dump_json()
    return json.dumps(found, default=lambda one: one.model_dump(mode="json"))


def _need(table: dict[Any, Any], key: Any, what: str) -> Any:
    if key not in table:
        raise NotFound(f"There is no {what}.", "Look at the list.")
    return table[key]


def _job(engine: FakeEngine, job_id: int) -> JobView:
    moved = engine.on_job_asked(_need(engine.jobs, job_id, f"job {job_id}"))
    engine.jobs[job_id] = moved
    return moved


def _jobs(engine: FakeEngine, params: dict[str, str]) -> Answer:
    before, limit = int(params.get("before", 10**9)), int(params.get("limit", 100))
    wanted = params.get("status")
    newest = [one for at, one in sorted(engine.jobs.items(), reverse=True) if at < before]
    kept = [one for one in newest if wanted in (None, one.status)]
    return {"jobs": kept[:limit], "next_before": kept[limit - 1].id if len(kept) > limit else None}


def _page(things: dict[int, Any], name: str, params: dict[str, str]) -> Answer:
    before, limit, project = int(params.get("before", 10**9)), int(params.get("limit", 100)), params.get("project")
    newest = [one for at, one in sorted(things.items(), reverse=True) if at < before]
    kept = [one for one in newest if project in (None, one.project)]
    return {name: kept[:limit], "next_before": kept[limit - 1].id if len(kept) > limit else None}


def _of_model(things: dict[int, Any], name: str, params: dict[str, str], model: str | None) -> Answer:
    before, limit = int(params.get("before", 10**9)), int(params.get("limit", 100))
    kept = [one for at, one in sorted(things.items(), reverse=True) if at < before and model in (None, one.model)]
    return {name: kept[:limit], "next_before": kept[limit - 1].id if len(kept) > limit else None}


def _checks(engine: FakeEngine, name: str, params: dict[str, str]) -> Answer:
    alone = {at: one.model_copy(update={"figures": []}) for at, one in engine.checks.items()}
    return _of_model(alone, "checks", params, name)


def _check_now(engine: FakeEngine, name: str) -> JobView:
    number = max(engine.jobs, default=0) + 1
    engine.jobs[number] = made.job(number, kind="check", project=name, status="queued", started_at=None, ended_at=None)
    return engine.jobs[number]


def _answer_alarm(engine: FakeEngine, number: int, verb: str, body: dict[str, Any]) -> AlarmView:
    past = "closed" if verb == "close" else "acknowledged"
    answered = {"status": past, f"{past}_at": made.NOW, f"{past}_by": "ada", "note": body["note"]}
    found = _need(engine.alarms, number, f"alarm {number}")
    engine.alarms[number] = found.model_copy(update=answered)
    return engine.alarms[number]


def _retrain(engine: FakeEngine, name: str, body: dict[str, Any]) -> Answer:
    number = max(engine.retrains, default=0) + 1
    job = _train(engine, name)["job"] if body["now"] else None  # type: ignore[index]
    engine.retrains[number] = retrain(
        id=number, model=name, status="waiting" if job is None else "training", job_id=None if job is None else job.id
    )
    return {"retrain": engine.retrains[number], "job": job}


def _preview(engine: FakeEngine, name: str, params: dict[str, str]) -> ReleasePreview:
    verb = params["verb"]
    version = int(params["version"]) if "version" in params else 3
    default = made.approval_preview if verb == "approve" else made.preview
    return engine.previews.get(verb) or default(verb=verb, name=name, version=version)


def _log(engine: FakeEngine, job_id: int, params: dict[str, str]) -> Answer:
    whole = _need(engine.logs, job_id, f"log of job {job_id}").encode()
    offset = int(params.get("offset", 0))
    part = whole[offset : offset + int(params.get("limit", 65_536))]
    end = offset + len(part)
    over = engine.jobs[job_id].ended_at is not None and end == len(whole)
    return {"text": part.decode(), "offset": offset, "next_offset": end, "ended": over}


def _train(engine: FakeEngine, name: str) -> Answer:
    _need(engine.projects, name, f"project {name}")
    number = max(engine.jobs, default=0) + 1
    engine.jobs[number] = made.job(number, project=name, status="queued", attempt=0, started_at=None, ended_at=None)
    return {"job": engine.jobs[number], "stored_again": False}


def _look(engine: FakeEngine, body: dict[str, Any]) -> JobView:
    if engine.on_look is None:
        return engine.jobs[max(engine.jobs)]
    number = max(engine.jobs, default=0) + 1
    begun = {"kind": "look", "project": None}
    seen = engine.on_look(body)
    if isinstance(seen, Failure):
        ended = begun | {"status": "failed", "failure": seen}
    elif seen is None:
        ended = begun | {"status": "running", "fraction": None, "note": "reading the data", "ended_at": None}
    else:
        ended = begun | {"result": seen}
    engine.jobs[number] = made.job(number, **ended)
    return engine.jobs[number]


def _cancel(engine: FakeEngine, job_id: int) -> JobView:
    job = _need(engine.jobs, job_id, f"job {job_id}")
    if job.ended_at is not None:
        raise Conflict(f"Job {job_id} is over.", "There is nothing to cancel.")
    engine.jobs[job_id] = job.model_copy(update={"status": "cancelled", "ended_at": made.NOW})
    return engine.jobs[job_id]


def _deploy(engine: FakeEngine, name: str, body: dict[str, Any]) -> DeploymentView:
    begun = made.deployment(
        6, endpoint=name, version=body.get("version") or 3, status="starting", share=0.0, live_at=None, champion=False
    )
    old = engine.endpoints.get(name)
    engine.endpoints[name] = made.endpoint(begun, *(old.deployments if old else ()), name=name)
    return begun


def _endpoint(engine: FakeEngine, name: str) -> EndpointView:
    found = engine.on_endpoint_asked(_need(engine.endpoints, name, f"endpoint {name}"))
    engine.endpoints[name] = found
    return found


def _approve(engine: FakeEngine, name: str, number: int, body: dict[str, Any]) -> VersionView:
    found = _need(engine.versions, (name, number), f"version {name}@{number}")
    approval = {"by": "ada", "at": made.NOW, "override": body.get("override")}
    engine.versions[name, number] = VersionView.model_validate(found.model_dump() | {"approval": approval})
    return engine.versions[name, number]


def _events(engine: FakeEngine, params: dict[str, str]) -> Answer:
    after, before = int(params.get("after", 0)), int(params.get("before", 10**9))
    limit, wanted = int(params.get("limit", 100)), params.get("matching", "")
    kept = [one for one in engine.events if after < one.seq < before and _passes(one, wanted)]
    if params.get("newest") != "true":
        return {"events": kept[:limit], "next_after": kept[limit - 1].seq if len(kept) >= limit else None}
    page = kept[-limit:]
    return {"events": page, "next_after": None, "next_before": page[0].seq if len(page) == limit else None}


def _passes(event: EventView, matching: str) -> bool:
    inverse, parts = matching.startswith("!"), matching.lstrip("!").lower().split()
    fields = {"who": event.actor, "what": event.verb, "model": event.project or "", "to": event.subject}
    whole = f"{' '.join(fields.values())} {event.role} {event.evidence}".lower()

    def passes(part: str) -> bool:
        name, colon, value = part.partition(":")
        return value in fields[name].lower() if colon and name in fields else part in whole

    return not parts or all(map(passes, parts)) != inverse


def _history(engine: FakeEngine, name: str, params: dict[str, str]) -> Answer:
    limit, before = int(params.get("limit", 100)), int(params.get("before", 10**9))
    active = _need(engine.endpoints, name, f"endpoint {name}").deployments
    found = [one for one in (*active, *engine.history.get(name, ())) if one.id < before]
    newest = sorted(found, key=lambda one: -one.id)
    return {"deployments": newest[:limit], "next_before": newest[limit - 1].id if len(newest) > limit else None}


def _replica_log(engine: FakeEngine, key: tuple[str, int, int], params: dict[str, str]) -> Answer:
    whole = engine.replica_logs.get(key, "").encode()
    offset = int(params.get("offset", 0))
    part = whole[offset : offset + int(params.get("limit", 65_536))]
    end = offset + len(part)
    return {"text": part.decode(), "offset": offset, "next_offset": end, "ended": False}


Handler = Callable[[FakeEngine, tuple[str, ...], dict[str, str], Any], Answer]

_ROUTES: list[tuple[str, str, Handler]] = [
    ("/about", "GET", lambda e, g, p, b: made.about(role=e.role)),
    ("/status", "GET", lambda e, g, p, b: made.status(gateway_note=e.gateway_note)),
    ("/doctor", "GET", lambda e, g, p, b: []),
    ("/down", "POST", lambda e, g, p, b: {}),
    ("/fleet", "GET", lambda e, g, p, b: {"rows": e.fleet}),
    ("/projects", "POST", lambda e, g, p, b: {"project": made.project(folder=b["folder"]), "changed": True}),
    (r"/projects/([\w-]+)", "GET", lambda e, g, p, b: _need(e.projects, g[0], f"project {g[0]}")),
    (r"/projects/([\w-]+)/train", "POST", lambda e, g, p, b: _train(e, g[0])),
    ("/looks", "POST", lambda e, g, p, b: _look(e, b)),
    ("/schedules", "GET", lambda e, g, p, b: {"schedules": e.schedules}),
    ("/jobs", "GET", lambda e, g, p, b: _jobs(e, p)),
    (r"/jobs/(\d+)", "GET", lambda e, g, p, b: _job(e, int(g[0]))),
    (r"/jobs/(\d+)/log", "GET", lambda e, g, p, b: _log(e, int(g[0]), p)),
    (r"/jobs/(\d+)/cancel", "POST", lambda e, g, p, b: _cancel(e, int(g[0]))),
    ("/runs", "GET", lambda e, g, p, b: _page(e.runs, "runs", p)),
    (r"/runs/(\d+)/curves", "GET", lambda e, g, p, b: {"points": e.curves.get(int(g[0]), [])}),
    ("/snapshots", "GET", lambda e, g, p, b: _page(e.snapshots, "snapshots", p)),
    (r"/snapshots/(\d+)", "GET", lambda e, g, p, b: _need(e.snapshots, int(g[0]), f"snapshot {g[0]}")),
    (r"/snapshots/(\d+)/profile", "GET", lambda e, g, p, b: _need(e.profiles, int(g[0]), f"profile of {g[0]}")),
    (r"/endpoints/([\w-]+)/preview", "GET", lambda e, g, p, b: _preview(e, g[0], p)),
    (r"/runs/(\d+)", "GET", lambda e, g, p, b: _need(e.runs, int(g[0]), f"run {g[0]}")),
    ("/models", "GET", lambda e, g, p, b: {"models": [made.model(n) for n in sorted({n for n, _ in e.versions})]}),
    (r"/models/([\w-]+)", "GET", lambda e, g, p, b: made.model(g[0])),
    (
        r"/models/([\w-]+)/versions",
        "GET",
        lambda e, g, p, b: {"versions": [v for (n, _), v in sorted(e.versions.items(), reverse=True) if n == g[0]]},
    ),
    (
        r"/models/([\w-]+)/versions/(\d+)",
        "GET",
        lambda e, g, p, b: _need(e.versions, (g[0], int(g[1])), f"version {g[0]}@{g[1]}"),
    ),
    (r"/models/([\w-]+)/checks", "GET", lambda e, g, p, b: _checks(e, g[0], p)),
    (r"/models/([\w-]+)/checks", "POST", lambda e, g, p, b: _check_now(e, g[0])),
    (r"/models/([\w-]+)/checks/(\d+)", "GET", lambda e, g, p, b: _need(e.checks, int(g[1]), f"check {g[1]}")),
    (r"/models/([\w-]+)/drift", "GET", lambda e, g, p, b: _need(e.drifts, g[0], f"model {g[0]}")),
    (r"/models/([\w-]+)/performance", "GET", lambda e, g, p, b: _need(e.performances, g[0], f"model {g[0]}")),
    (r"/models/([\w-]+)/retrain", "POST", lambda e, g, p, b: _retrain(e, g[0], b)),
    (
        r"/models/([\w-]+)/versions/(\d+)/why",
        "GET",
        lambda e, g, p, b: _need(e.whys, (g[0], int(g[1])), f"version {g[0]}@{g[1]}"),
    ),
    ("/alarms", "GET", lambda e, g, p, b: _of_model(e.alarms, "alarms", p, p.get("model"))),
    (r"/alarms/(\d+)", "GET", lambda e, g, p, b: _need(e.alarms, int(g[0]), f"alarm {g[0]}")),
    (r"/alarms/(\d+)/(acknowledge|close)", "POST", lambda e, g, p, b: _answer_alarm(e, int(g[0]), g[1], b)),
    ("/retrains", "GET", lambda e, g, p, b: _of_model(e.retrains, "retrains", p, p.get("model"))),
    (r"/retrains/(\d+)", "GET", lambda e, g, p, b: _need(e.retrains, int(g[0]), f"retrain {g[0]}")),
    (r"/models/([\w-]+)/versions/(\d+)/approve", "POST", lambda e, g, p, b: _approve(e, g[0], int(g[1]), b)),
    ("/endpoints", "GET", lambda e, g, p, b: {"endpoints": list(e.endpoints.values())}),
    (r"/endpoints/([\w-]+)", "GET", lambda e, g, p, b: _endpoint(e, g[0])),
    (r"/endpoints/([\w-]+)/deployments", "GET", lambda e, g, p, b: _history(e, g[0], p)),
    (
        r"/endpoints/([\w-]+)/deployments/(\d+)/replicas/(\d+)/log",
        "GET",
        lambda e, g, p, b: _replica_log(e, (g[0], int(g[1]), int(g[2])), p),
    ),
    (r"/endpoints/([\w-]+)/(?:deploy|promote|rollback)", "POST", lambda e, g, p, b: _deploy(e, g[0], b)),
    ("/events", "GET", lambda e, g, p, b: _events(e, p)),
    ("/verify", "POST", lambda e, g, p, b: e.verification),
]
