"""The engine's API over a real registry, asked without a socket, as any user the test likes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import pwd
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.api.app import build_api
from engine.api.context import Context, GatewayHealth
from engine.api.hub import EventHub
from engine.api.identity import Peer
from engine.api.tokens import FindJob
from engine.blobs.store import BlobStore
from engine.lifecycle.parts import Parts
from engine.registry.migrate import bring_up_to_date
from engine.registry.queries.endpoints import Observed
from engine.registry.queries.events import list_events
from engine.registry.reader import Reader
from engine.registry.writer import Writer
from engine.settings import Config, Home
from engine.wire.events import EventList

JOB_TOKEN = "t" * 43
"""Of attempt 1 of job 12."""
ROLES = ("viewer", "operator", "approver", "admin")

_STRANGERS = [user for user in pwd.getpwall() if user.pw_uid not in (0, os.getuid())]


def config_with_roles() -> Config:
    """A user of this machine in each role; none of them is the engine's own."""
    return Config.model_validate(
        {"roles": {role: [user.pw_name] for role, user in zip(ROLES, _STRANGERS, strict=False)}}
    )


def peer_of(role: str) -> Peer:
    """The user of `config_with_roles` in this role; `nobody` has none, `owner` is the engine's own."""
    if role == "owner":
        return Peer(pid=1, uid=os.getuid(), gid=os.getgid())
    user = _STRANGERS[(*ROLES, "nobody").index(role)]
    return Peer(pid=1, uid=user.pw_uid, gid=user.pw_gid)


def job_of_token(digest: str) -> tuple[int, int] | None:
    """What the registry would say."""
    return (12, 1) if digest == hashlib.sha256(JOB_TOKEN.encode()).hexdigest() else None


class ApiInProcess:
    """`ask` as a user in a role (`owner`, `nobody` among them), or as no peer at all.

    `stopped` tells whether and how `down` was asked.
    """

    def __init__(self, home: Home, find_job: FindJob = job_of_token) -> None:
        revision = bring_up_to_date(home.database)
        self.home = home
        self.writer = Writer(home.database)
        self.writer.start()
        self.reader = Reader(home.database)
        self.blobs = BlobStore(home.blobs)
        self.blobs.start()
        self.stopped: list[bool] = []
        self.hub = EventHub(asyncio.get_running_loop(), 0, self._page)
        self.writer.on_commit(self.hub.publish)
        self.parts = Parts(
            home=home,
            config=config_with_roles(),
            writer=self.writer,
            reader=self.reader,
            blobs=self.blobs,
            publish_progress=self.hub.publish_progress,
            stop=self.stopped.append,
        )
        self.context = Context(
            parts=self.parts,
            hub=self.hub,
            started_at=datetime.now(UTC),
            version="0.0.0",
            schema_revision=revision,
            next_times=dict,
            observed=Observed,
            gateway=lambda: GatewayHealth(alive=False),
        )
        self.app = build_api(self.context, find_job)

    def close(self) -> None:
        self.hub.close()
        self.writer.stop()
        self.reader.close()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        role: str | None = "owner",
        token: str | None = None,
        content: bytes | None = None,
        json: Any = None,
        headers: Mapping[Any, Any] | None = None,
    ) -> httpx.Response:
        said = dict(headers or {}) | ({"authorization": f"Bearer {token}"} if token else {})
        peer = peer_of(role) if role else None
        transport = httpx.ASGITransport(_from(self.app, peer), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
            return await client.request(method, path, content=content, json=json, headers=said)

    def _page(self, after: int, limit: int) -> EventList:
        return list_events(self.reader, after=after, limit=limit)


def _from(app: ASGIApp, peer: Peer | None) -> ASGIApp:
    async def with_peer(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "mlops.peer": peer}, receive, send)

    return with_peer
