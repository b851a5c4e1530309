"""Checks, drift and alarms as the engine tells them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.wire.monitoring import AlarmView, CheckView, Distribution, DriftView, FigureView, Threshold

NOW = datetime(2026, 5, 8, 12, tzinfo=UTC)

THRESHOLD = Threshold(
    alarms_per_year=1.0, checks_per_year=365.0, q=1.4e-3, alpha=3.4e-5, min_distance=0.1, min_psi=0.1,
    min_null_share=0.02, min_new_share=0.01, smallest_shift=0.09, smallest_distance=0.1,
)  # fmt: skip


def figure(column: str, **changes: Any) -> FigureView:
    told: dict[str, Any] = {
        "column": column, "kind": "number", "drifted": False, "distance": 0.02, "p_value": 0.4, "psi": 0.01,
        "wasserstein": 0.03, "null_share": 0.0,
    }  # fmt: skip
    return FigureView(**told | changes)


def check(outcome: str = "alarm", **changes: Any) -> CheckView:
    figures = [
        figure("amount", drifted=outcome == "alarm", distance=0.31, p_value=1e-40, psi=0.5, wasserstein=0.8),
        figure("country", kind="category", wasserstein=None, null_share=0.03),
        figure("hour"),
    ]
    told: dict[str, Any] = {
        "id": 4, "model": "fraud", "version": 2, "job_id": 9, "source": "captures", "outcome": outcome, "rows": 7012,
        "first_at": NOW - timedelta(days=1), "last_at": NOW, "drifted": ["amount"] if outcome == "alarm" else [],
        "findings": [], "threshold": None if outcome == "insufficient" else THRESHOLD, "created_at": NOW, "by": "ada",
        "figures": [] if outcome == "insufficient" else figures,
    }  # fmt: skip
    return CheckView(**told | changes)


def drift(**changes: Any) -> DriftView:
    told: dict[str, Any] = {
        "check": check(),
        "distributions": [
            Distribution(
                column="amount", kind="number", edges=[0, 1, 2, 3, 4], reference=[0.4, 0.3, 0.2, 0.1],
                current=[0.1, 0.1, 0.2, 0.6],
            ),
            Distribution(
                column="country", kind="category", labels=["de", "fr"], reference=[0.8, 0.2], current=[0.7, 0.3]
            ),
        ],
        "history": {"amount": [0.02, None, 0.31], "country": [0.01, 0.02, 0.02]},
        "waiting_rows": 40, "next_at": NOW + timedelta(minutes=15), "note": "",
    }  # fmt: skip
    return DriftView(**told | changes)


def alarm(number: int = 3, **changes: Any) -> AlarmView:
    told: dict[str, Any] = {
        "id": number, "model": "fraud", "kind": "drift", "status": "open", "version": 2, "subject": "amount, hour",
        "message": "amount, hour no longer look like what fraud@2 was trained on; amount: distance 0.31.",
        "hint": f"`mlops drift fraud` shows it; `mlops close {number}` if it is expected.",
        "evidence": {"columns": ["amount", "hour"]}, "check_id": 4, "changed_from": NOW - timedelta(days=1),
        "times_seen": 2, "opened_at": NOW, "last_seen_at": NOW, "acknowledged_at": None, "acknowledged_by": None,
        "closed_at": None, "closed_by": None, "note": "", "retrain_id": None,
    }  # fmt: skip
    return AlarmView(**told | changes)
