"""A model whose world has changed: two alarms ring, labels have come, and it may be trained again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fakes import watched_objects as seen
from fakes import wire_objects as made
from fakes.fake_engine import FakeEngine
from fakes.retrained import retrain, window

from engine.wire.fleet import FleetRow, Watched
from engine.wire.monitoring import ChainLink, Distribution, PerformanceView, RetrainView, WhyView

WHY_CHANNEL = "distance 0.31 (Jensen-Shannon); 17.8% of rows have a value that the training data has not ('app')"


def watched_row(name: str = "fraud", **changes: Any) -> FleetRow:
    watched = {
        "outcome": "alarm", "checked_at": made.ago(minutes=3), "drifted": ["channel", "distance_km"],
        "waiting_rows": 40, "next_at": made.NOW + timedelta(minutes=12), "alarms": 2,
        "realised": [0.64, 0.62, 0.41], "retrain": 2, "retrain_status": "waiting",
        "retrain_note": "480 more labelled rows after 2026-11-01 are needed (120 of 600 are there).",
    } | changes.pop("watched", {})  # fmt: skip
    told: dict[str, Any] = {"needs": f"look at the drift alarm: mlops drift {name}", "open_alarms": 2}
    return made.fleet_row(name, **told | changes, watched=Watched.model_validate(watched))


def quiet_row(name: str) -> FleetRow:
    calm = {"outcome": "quiet", "drifted": [], "alarms": 0, "retrain": None, "retrain_status": None, "retrain_note": ""}
    return watched_row(name, needs="", open_alarms=0, watched=calm)


def channel(**changes: Any) -> Distribution:
    told: dict[str, Any] = {
        "column": "channel", "kind": "category", "labels": ["chip", "contactless", "online", "app"],
        "reference": [0.37, 0.35, 0.28, 0.0], "current": [0.31, 0.28, 0.232, 0.178],
    }  # fmt: skip
    return Distribution(**told | changes)


def distance(**changes: Any) -> Distribution:
    told: dict[str, Any] = {
        "column": "distance_km", "kind": "number", "edges": [0.0, 5.0, 10.0, 20.0, 40.0, 80.0],
        "reference": [0.4, 0.3, 0.15, 0.1, 0.05], "current": [0.1, 0.2, 0.3, 0.25, 0.15],
    }  # fmt: skip
    return Distribution(**told | changes)


def retrained(**changes: Any) -> RetrainView:
    """Waits for labels."""
    told: dict[str, Any] = {
        "id": 2, "alarm_id": 4, "created_at": made.ago(minutes=8), "judge_after": made.ago(days=2),
        "note": "480 more labelled rows after 2026-11-01 are needed (120 of 600 are there).",
        "rows_needed": 600, "rows_there": 120, "reason": "drift alarm 4 (channel, distance_km)",
    }  # fmt: skip
    return retrain(**told | changes)


def performance() -> PerformanceView:
    week = timedelta(days=7)
    begins = made.ago(days=28)
    windows = [
        window(2, value, starts_at=begins + at * week, ends_at=begins + (at + 1) * week, mature=at < 3)
        for at, value in enumerate((0.64, 0.62, 0.41, 0.39))
    ]
    promised = {"2": {"value": 0.63, "lower": 0.6, "upper": 0.66}}
    return PerformanceView(
        metric="average_precision", windows=windows, promised=promised, captured=4000, labelled=3200, note=""
    )


def chain() -> WhyView:
    told = (
        (8, "check", "Check 4 looked at 7,012 rows: drift in channel 0.31."),
        (8, "alarm", "Drift alarm 4: channel, distance_km no longer look like what fraud@2 was trained on."),
        (6, "retrain", "Retrain 2 began after 2 min, when 640 of 600 rows needed were labelled."),
        (5, "verdict", "fraud@3 was judged `pass`: average_precision 0.61 on 3,441 test rows."),
        (3, "approval", "fraud@3 was approved by ada."),
        (2, "takeover", "fraud@3 took over from fraud@2."),
    )
    links = [ChainLink(at=made.ago(minutes=at), what=what, text=text) for at, what, text in told]  # type: ignore[arg-type]
    links.insert(0, ChainLink(at=made.ago(days=3), what="data", text="Snapshot 3 has 133,870 rows."))
    links.append(ChainLink(at=made.NOW, what="performance", text="Realised average_precision: 0.62 before, 0.6 since."))
    return WhyView(
        model="fraud", version=3, chain=links, metric="average_precision", before=window(2, 0.62),
        during=window(2, 0.32), after=window(3, 0.6), events=[],
    )  # fmt: skip


def drift_alarm(**changes: Any) -> Any:
    told: dict[str, Any] = {
        "subject": "channel, distance_km", "opened_at": made.ago(minutes=9), "last_seen_at": made.ago(minutes=3),
        "message": "channel, distance_km no longer look like what fraud@2 was trained on.", "retrain_id": 2,
        "evidence": {
            "columns": ["channel", "distance_km"], "rows": 7012,
            "told": {"channel": WHY_CHANNEL, "distance_km": "23.9% of rows have no value, at training 28.9%"},
        },
    }  # fmt: skip
    return seen.alarm(4, **told | changes)


def performance_alarm(**changes: Any) -> Any:
    told: dict[str, Any] = {
        "kind": "performance", "subject": "average_precision", "opened_at": made.ago(minutes=4),
        "message": "average_precision of fraud@2 fell to 0.41, where the gate saw 0.63 (35% worse).",
        "evidence": {"realised": 0.41, "promised": 0.63}, "last_seen_at": made.ago(minutes=3), "check_id": None,
    }  # fmt: skip
    return seen.alarm(5, **told | changes)


def drift(engine: FakeEngine) -> None:
    """Let it happen to `fraud`; `tumour` stays as it was."""
    figures = [
        seen.figure("channel", kind="category", drifted=True, distance=0.309, p_value=0.0, psi=1.63, wasserstein=None),
        seen.figure("distance_km", drifted=True, distance=0.017, p_value=0.21, null_share=0.239),
        seen.figure("amount", distance=0.09),
        seen.figure("is_fraud", kind="prediction", distance=0.031),
    ]
    check = seen.check(
        figures=figures, drifted=["channel", "distance_km"], created_at=made.ago(minutes=3),
        first_at=made.ago(days=7), last_at=made.ago(minutes=5),
    )  # fmt: skip
    quiet = seen.check("quiet", id=3, created_at=made.ago(hours=7))
    few = seen.check("insufficient", id=2, created_at=made.ago(hours=9), rows=120)
    engine.fleet = [watched_row(), quiet_row("tumour")]
    engine.projects = {name: made.project(name) for name in ("fraud", "tumour")}
    engine.checks = {4: check, 3: quiet, 2: few}
    engine.drifts["fraud"] = seen.drift(
        check=check, distributions=[channel(), distance()], waiting_rows=40,
        history={"channel": [0.01, 0.02, 0.309], "distance_km": [0.01, 0.01, 0.017]},
        next_at=made.NOW + timedelta(minutes=12),
    )  # fmt: skip
    engine.alarms = {4: drift_alarm()}
    engine.performances["fraud"] = performance()
    engine.retrains = {2: retrained()}
    engine.versions = {("fraud", 2): made.version(2, aliases=["champion"]), ("fraud", 3): made.version(3)}
    engine.whys["fraud", 3] = engine.whys["fraud", 2] = chain()
    engine.jobs = {9: made.job(9, kind="check", run_id=None), 14: made.running(14, reason="retrain 2")}
    engine.logs = {9: "7,012 rows\n", 14: "fitting\n"}


def nothing_yet(engine: FakeEngine, name: str = "fraud") -> None:
    """A model that serves, and has not been looked at."""
    calm = {"outcome": None, "checked_at": None, "realised": [], "waiting_rows": 0, "alarms": 0, "retrain": None}
    engine.fleet = [watched_row(name, needs="", open_alarms=0, watched=calm | {"drifted": []})]
    note = "There is no check yet. The next check waits for 500 new rows; 0 are there."
    engine.drifts[name] = seen.drift(check=None, distributions=[], history={}, waiting_rows=0, next_at=None, note=note)
    engine.performances[name] = PerformanceView(
        metric="average_precision", windows=[], promised={}, captured=0, labelled=0,
        note=f"No labels have come yet: `mlops label {name} FILE` gives them.",
    )  # fmt: skip
