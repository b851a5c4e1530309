"""Retrains and chains as an engine tells of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fakes.wire_objects import NOW

from engine.wire.monitoring import ChainLink, RetrainView, WhyView, WindowView


def retrain(**changes: Any) -> RetrainView:
    told: dict[str, Any] = {
        "id": 3, "model": "fraud", "trigger": "drift", "alarm_id": 7, "status": "waiting",
        "reason": "drift alarm 7 (amount)",
        "note": "1,204 more labelled rows after 2026-05-07 are needed (2,130 of 3,334 are there).",
        "judge_after": NOW, "rows_needed": 3334, "rows_there": 2130, "job_id": None, "run_id": None, "version": None,
        "verdict": None, "created_at": NOW, "by": "engine", "ended_at": None,
    }  # fmt: skip
    return RetrainView.model_validate(told | changes)


def window(version: int, value: float, **changes: Any) -> WindowView:
    told: dict[str, Any] = {
        "version": version, "starts_at": NOW, "ends_at": NOW + timedelta(days=7), "rows": 900, "labelled": 800,
        "metric": "average_precision", "value": value, "lower": value - 0.02, "upper": value + 0.02, "mature": True,
    }  # fmt: skip
    return WindowView.model_validate(told | changes)


def why(**changes: Any) -> WhyView:
    chain = [
        ChainLink(at=NOW, what="alarm", text="Drift alarm 7: amount no longer looks like before."),
        ChainLink(at=NOW + timedelta(hours=3), what="retrain", text="Retrain 3 began after 3 h."),
        ChainLink(at=NOW + timedelta(hours=3, minutes=2), what="takeover", text="fraud@3 took over from fraud@2."),
        ChainLink(at=NOW, what="performance", text="Realised average_precision: 0.61 before, 0.59 by this version."),
    ]
    told: dict[str, Any] = {
        "model": "fraud", "version": 3, "chain": chain, "metric": "average_precision", "before": window(2, 0.61),
        "during": window(2, 0.32), "after": window(3, 0.59), "events": [],
    }  # fmt: skip
    return WhyView.model_validate(told | changes)
