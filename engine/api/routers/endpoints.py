"""Endpoints, what is deployed behind them, and the fleet as a whole."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api.context import InEngine
from engine.api.fields import PageSize, Position, RowId, Share
from engine.api.roles import Operator, Viewer
from engine.lifecycle.deploy_version import deploy_version, promote_version
from engine.lifecycle.preview_release import preview_release
from engine.lifecycle.read_serve_log import read_serve_log
from engine.lifecycle.rollback_endpoint import rollback_endpoint
from engine.registry.queries import endpoints, fleet
from engine.wire.endpoints import (
    Deploy,
    DeploymentList,
    DeploymentView,
    EndpointList,
    EndpointView,
    ReleasePreview,
    ReleaseVerb,
    Rollback,
)
from engine.wire.fleet import Fleet
from engine.wire.jobs import LogPage

router = APIRouter(prefix="/v1", tags=["endpoints"])


@router.get("/endpoints")
def list_endpoints(engine: InEngine, caller: Viewer) -> EndpointList:
    """All endpoints, by name."""
    return endpoints.list_endpoints(engine.parts.reader, engine.observed())


@router.get("/endpoints/{name}")
def get_endpoint(engine: InEngine, caller: Viewer, name: str) -> EndpointView:
    """One endpoint with what is deployed behind it."""
    return endpoints.get_endpoint(engine.parts.reader, name, engine.observed())


@router.get("/endpoints/{name}/deployments")
def list_deployments(
    engine: InEngine, caller: Viewer, name: str, limit: PageSize = 100, before: RowId | None = None
) -> DeploymentList:
    """All that ever was behind an endpoint, newest first."""
    return endpoints.list_deployments(engine.parts.reader, name, engine.observed(), limit=limit, before=before)


@router.get("/endpoints/{name}/preview")
def preview(
    engine: InEngine,
    caller: Viewer,
    name: str,
    verb: ReleaseVerb,
    version: RowId | None = None,
    share: Share = 1.0,
) -> ReleasePreview:
    """What an order would change, and whether this caller may give it; nothing is changed."""
    return preview_release(engine.parts, caller, name, verb, version=version, share=share)


@router.post("/endpoints/{name}/deploy")
def deploy(engine: InEngine, caller: Operator, name: str, body: Deploy) -> DeploymentView:
    """Put a version behind the endpoint. Answered at once; follow the deployment to `live` or `failed`."""
    return deploy_version(engine.parts, caller, name, body)


@router.post("/endpoints/{name}/promote")
def promote(engine: InEngine, caller: Operator, name: str, body: Deploy) -> DeploymentView:
    """Deploy at full weight: the version becomes the champion."""
    return promote_version(engine.parts, caller, name, body)


@router.post("/endpoints/{name}/rollback")
def rollback(engine: InEngine, caller: Operator, name: str, body: Rollback) -> DeploymentView:
    """Back to the champion before."""
    return rollback_endpoint(engine.parts, caller, name, body)


@router.get("/endpoints/{name}/deployments/{deployment}/replicas/{replica}/log")
def get_replica_log(
    engine: InEngine,
    caller: Viewer,
    name: str,
    deployment: RowId,
    replica: Position,
    offset: Position | None = None,
    limit: Position = 65_536,
) -> LogPage:
    """What a model server wrote, from a byte on; without `offset` its last lines."""
    return read_serve_log(engine.parts, name, deployment, replica, offset=offset, limit=limit)


@router.get("/fleet")
def get_fleet(engine: InEngine, caller: Viewer) -> Fleet:
    """A row for each model, those that need somebody first."""
    return fleet.get_fleet(engine.parts.reader, engine.observed(), engine.next_times())
