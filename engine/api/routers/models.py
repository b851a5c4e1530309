"""Models and their versions."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api.context import InEngine
from engine.api.fields import RowId
from engine.api.roles import Approver, Viewer
from engine.lifecycle.approve_version import approve_version
from engine.registry.queries import models
from engine.wire.models import ApproveVersion, ModelList, ModelView, VersionList, VersionView

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("")
def list_models(engine: InEngine, caller: Viewer) -> ModelList:
    """All models, by name."""
    return models.list_models(engine.parts.reader)


@router.get("/{name}")
def get_model(engine: InEngine, caller: Viewer, name: str) -> ModelView:
    """One model."""
    return models.get_model(engine.parts.reader, name)


@router.get("/{name}/versions")
def list_versions(engine: InEngine, caller: Viewer, name: str) -> VersionList:
    """A model's versions, newest first."""
    return models.list_versions(engine.parts.reader, name)


@router.get("/{name}/versions/{number}")
def get_version(engine: InEngine, caller: Viewer, name: str, number: RowId) -> VersionView:
    """One version with its verdict, evidence and lineage."""
    return models.get_version(engine.parts.reader, name, number)


@router.post("/{name}/versions/{number}/approve")
def approve(engine: InEngine, caller: Approver, name: str, number: RowId, body: ApproveVersion) -> VersionView:
    """Record an approval."""
    return approve_version(engine.parts, caller, name, number, body)
