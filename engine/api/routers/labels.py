"""Outcomes of what was predicted, and realised performance."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api.context import InEngine
from engine.api.roles import Operator, Viewer
from engine.lifecycle.label_model import label_model
from engine.registry.queries import labels
from engine.wire.jobs import JobView
from engine.wire.monitoring import AskLabel, LabelList, PerformanceView

router = APIRouter(prefix="/v1/models/{name}", tags=["monitoring"])


@router.post("/labels", status_code=202)
def post_labels(engine: InEngine, caller: Operator, name: str, body: AskLabel) -> JobView:
    """Take in an uploaded file of outcomes. The job's `result` will be its counts."""
    return label_model(engine.parts, caller, name, body)


@router.get("/labels")
def list_labels(engine: InEngine, caller: Viewer, name: str) -> LabelList:
    """Files of labels, newest first, and how far captures are labelled."""
    return labels.list_labels(engine.parts.reader, name)


@router.get("/performance")
def get_performance(engine: InEngine, caller: Viewer, name: str) -> PerformanceView:
    """What each version's answers were worth, window by window, and what the gate promised."""
    return labels.performance(engine.parts.reader, name)
