"""Checks of models in production, and alarms."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api.context import InEngine
from engine.api.fields import PageSize, RowId
from engine.api.roles import Operator, Viewer
from engine.lifecycle.answer_alarm import acknowledge, close
from engine.lifecycle.check_model import check_model
from engine.lifecycle.read_drift import read_drift
from engine.registry.queries import alarms, checks
from engine.wire.jobs import JobView
from engine.wire.monitoring import (
    AlarmList,
    AlarmStatus,
    AlarmView,
    AnswerAlarm,
    AskCheck,
    CheckList,
    CheckView,
    DriftView,
)

router = APIRouter(prefix="/v1", tags=["monitoring"])


@router.post("/models/{name}/checks", status_code=202)
def post_check(engine: InEngine, caller: Operator, name: str, body: AskCheck) -> JobView:
    """Look now. The job's `result` will name the check and its outcome."""
    return check_model(engine.parts, caller, name, body)


@router.get("/models/{name}/checks")
def list_checks(
    engine: InEngine, caller: Viewer, name: str, limit: PageSize = 100, before: RowId | None = None
) -> CheckList:
    """A model's checks, newest first."""
    return checks.list_checks(engine.parts.reader, name, limit=limit, before=before)


@router.get("/models/{name}/checks/{check_id}")
def get_check(engine: InEngine, caller: Viewer, name: str, check_id: RowId) -> CheckView:
    """One check with the figures of each column."""
    return checks.get_check(engine.parts.reader, name, check_id)


@router.get("/models/{name}/drift")
def get_drift(engine: InEngine, caller: Viewer, name: str) -> DriftView:
    """The newest check with its distributions, and how columns fared before."""
    return read_drift(engine.parts, name, engine.next_times())


@router.get("/alarms")
def list_alarms(
    engine: InEngine,
    caller: Viewer,
    model: str | None = None,
    status: AlarmStatus | None = None,
    limit: PageSize = 100,
    before: RowId | None = None,
) -> AlarmList:
    """Alarms: those that are not closed first, then the closed ones, newest first."""
    return alarms.list_alarms(engine.parts.reader, model=model, status=status, limit=limit, before=before)


@router.get("/alarms/{alarm_id}")
def get_alarm(engine: InEngine, caller: Viewer, alarm_id: RowId) -> AlarmView:
    """One alarm with its evidence."""
    return alarms.get_alarm(engine.parts.reader, alarm_id)


@router.post("/alarms/{alarm_id}/acknowledge")
def acknowledge_alarm(engine: InEngine, caller: Operator, alarm_id: RowId, body: AnswerAlarm) -> AlarmView:
    """Somebody looks after it."""
    return acknowledge(engine.parts, caller, alarm_id, body)


@router.post("/alarms/{alarm_id}/close")
def close_alarm(engine: InEngine, caller: Operator, alarm_id: RowId, body: AnswerAlarm) -> AlarmView:
    """It is over, or was expected."""
    return close(engine.parts, caller, alarm_id, body)
