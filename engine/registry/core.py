"""The tables as SQLAlchemy Core sees them: for inserts of many rows at once, and for queries that want columns."""

from __future__ import annotations

import sqlalchemy

from engine.registry import tables


def core(table: type[tables.Table]) -> sqlalchemy.Table:
    """The Core table behind a mapped class."""
    found = getattr(table, "__table__", None)
    if not isinstance(found, sqlalchemy.Table):
        raise TypeError(f"{table.__name__} is no table")
    return found


ALARM = core(tables.Alarm)
ALIAS = core(tables.Alias)
APPROVAL = core(tables.Approval)
BLOB = core(tables.Blob)
CANDIDATE = core(tables.Candidate)
CAPTURE_FILE = core(tables.CaptureFile)
CAPTURE_OFFSET = core(tables.CaptureOffset)
CHECK_FIGURE = core(tables.CheckFigure)
DEPLOYMENT = core(tables.Deployment)
ENDPOINT = core(tables.Endpoint)
EVENT = core(tables.Event)
EVENT_HEAD = core(tables.EventHead)
GATEWAY_STATE = core(tables.GatewayState)
JOB = core(tables.Job)
JOB_STEP = core(tables.JobStep)
LABEL_FILE = core(tables.LabelFile)
LABEL_SUMMARY = core(tables.LabelSummary)
METRIC = core(tables.Metric)
METRIC_POINT = core(tables.MetricPoint)
MODEL_CHECK = core(tables.ModelCheck)
PARAM = core(tables.Param)
PERFORMANCE_WINDOW = core(tables.PerformanceWindow)
PROJECT = core(tables.Project)
REPLICA = core(tables.Replica)
RETRAIN = core(tables.Retrain)
REVISION = core(tables.Revision)
RUN = core(tables.Run)
SCHEDULE = core(tables.Schedule)
SCHEDULE_RUN = core(tables.ScheduleRun)
SNAPSHOT = core(tables.Snapshot)
VERSION = core(tables.Version)
