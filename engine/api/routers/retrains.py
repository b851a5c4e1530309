"""Retrains, and why a version came to be."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api.context import InEngine
from engine.api.fields import PageSize, RowId
from engine.api.roles import Operator, Viewer
from engine.lifecycle.retrain_model import retrain_model
from engine.registry.queries import retrains
from engine.registry.queries.why import read_why
from engine.wire.monitoring import AskRetrain, RetrainAnswer, RetrainList, RetrainView, WhyView

router = APIRouter(prefix="/v1", tags=["retrains"])


@router.post("/models/{name}/retrain")
def post_retrain(engine: InEngine, caller: Operator, name: str, body: AskRetrain) -> RetrainAnswer:
    """Have a model trained again as soon as it can be judged fairly, or now."""
    return retrain_model(engine.parts, caller, name, body)


@router.get("/retrains")
def list_retrains(
    engine: InEngine, caller: Viewer, model: str | None = None, limit: PageSize = 100, before: RowId | None = None
) -> RetrainList:
    """Retrains, newest first."""
    return retrains.list_retrains(engine.parts.reader, model=model, limit=limit, before=before)


@router.get("/retrains/{retrain_id}")
def get_retrain(engine: InEngine, caller: Viewer, retrain_id: RowId) -> RetrainView:
    """One retrain."""
    return retrains.get_retrain(engine.parts.reader, retrain_id)


@router.get("/models/{name}/versions/{number}/why")
def get_why(engine: InEngine, caller: Viewer, name: str, number: RowId) -> WhyView:
    """How a version came to be and what became of it."""
    return read_why(engine.parts.reader, name, number)
