"""Wire objects with everything filled in, to change one thing of."""

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.wire.about import About, EngineStatus
from engine.wire.endpoints import DeploymentView, EndpointView, ReleasePreview, ReleaseStep, ReplicaView, Traffic
from engine.wire.events import EventView
from engine.wire.fleet import FleetRow
from engine.wire.jobs import JobView
from engine.wire.models import Lineage, ModelView, VerdictView, VersionView
from engine.wire.projects import ProjectView, RevisionView
from engine.wire.runs import CandidateView, RunView, SnapshotView

NOW = datetime(2026, 11, 3, 14, 5, 9, tzinfo=UTC)
HASH = "ab" * 32


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def about(**changes: Any) -> About:
    return About(**{
        "version": "0.1.0", "api_version": 1, "schema_revision": "0001", "home": "/srv/mlops", "pid": 4711,
        "started_at": ago(hours=2), "user": "ada", "role": "admin",
    } | changes)  # fmt: skip


def status(**changes: Any) -> EngineStatus:
    return EngineStatus(**{
        "about": about(), "projects": 2, "jobs_running": 1, "jobs_queued": 3, "versions": 5, "endpoints": 1,
        "gateway_url": "http://127.0.0.1:18080", "gateway_alive": True, "last_event": 90,
    } | changes)  # fmt: skip


def job(id: int = 12, **changes: Any) -> JobView:
    return JobView(**{
        "id": id, "kind": "train", "project": "fraud", "status": "succeeded", "attempt": 1, "step": None,
        "fraction": 1.0, "note": "", "reason": "", "by": "ada", "created_at": ago(minutes=3),
        "started_at": ago(minutes=2), "ended_at": ago(minutes=1), "waits_for": "", "failure": None, "run_id": 7,
        "result": {},
    } | changes)  # fmt: skip


def running(id: int = 13, **changes: Any) -> JobView:
    return job(id, **{
        "status": "running", "step": "fit", "fraction": 0.4, "note": "lightgbm, 120 trees", "ended_at": None,
        "started_at": ago(seconds=40),
    } | changes)  # fmt: skip


def verdict(outcome: str = "pass", *reasons: str) -> VerdictView:
    told = list(reasons) or ["average_precision 0.71 reaches the 0.60 asked for."]
    return VerdictView(outcome=outcome, reasons=told, evidence={"rows": 4000, "margin": 0.02})  # type: ignore[arg-type]


def version(number: int = 3, **changes: Any) -> VersionView:
    return VersionView(**{
        "model": "fraud", "number": number, "task": "binary", "verdict": verdict(), "aliases": [], "approval": None,
        "lineage": Lineage(
            run_id=7, snapshot_id=2, snapshot_sha256=HASH, code_sha256=HASH, git_commit=None, git_dirty=False,
            params={"leaves": 31}, candidate="lightgbm", environment={"python": "3.11"}, seed=7, by="ada", reason="",
        ),
        "metrics": {"average_precision": 0.7123, "roc_auc": 0.94}, "metric": "average_precision",
        "created_at": ago(minutes=1), "bundle": [], "target": "is_fraud", "classes": [0, 1], "threshold": 0.5,
        "inputs": [
            {"name": "amount", "type": "number", "nullable": False},
            {"name": "items", "type": "integer", "nullable": True},
            {"name": "country", "type": "category", "nullable": True, "categories": ["de", "fr"]},
            {"name": "online", "type": "boolean", "nullable": True},
        ],
        "id_column": "transaction_id",
    } | changes)  # fmt: skip


def model(name: str = "fraud", **changes: Any) -> ModelView:
    return ModelView(**{
        "name": name, "task": "binary", "metric": "average_precision", "champion": 2, "latest": 3, "versions": 3,
        "last_verdict": "pass", "last_metric": 0.7123, "created_at": ago(days=4),
    } | changes)  # fmt: skip


def project(name: str = "fraud", **changes: Any) -> ProjectView:
    return ProjectView(**{
        "id": 1, "name": name, "task": "binary", "folder": "/home/ada/fraud", "metric": "average_precision",
        "revision": RevisionView(
            id=1, tree_sha256=HASH, git_commit=None, git_dirty=False, files=3, size_bytes=2048,
            created_at=ago(days=1), by="ada",
        ),
        "added_at": ago(days=4), "by": "ada",
        "config": '[project]\nname = "fraud"\ntask = "binary"\n[data]\nsource = "d.csv"\ntarget = "is_fraud"\n',
    } | changes)  # fmt: skip


def run(id: int = 7, **changes: Any) -> RunView:
    return RunView(**{
        "id": id, "project": "fraud", "job_id": 12, "status": "succeeded", "reason": "first try", "by": "ada",
        "seed": 7, "created_at": ago(minutes=3), "started_at": ago(minutes=2), "ended_at": ago(minutes=1),
        "metric": "average_precision", "metrics": {"average_precision": 0.73, "test.average_precision": 0.7123},
        "snapshot_id": 2, "snapshot_sha256": HASH, "code_sha256": HASH, "git_commit": None, "verdict": "pass",
        "version": 3, "failure": None,
        "candidates": [CandidateView(
            name="lightgbm", kind="lightgbm", params={}, status="fitted", metrics={"average_precision": 0.73}, best=True
        )],
    } | changes)  # fmt: skip


def deployment(id: int = 5, **changes: Any) -> DeploymentView:
    return DeploymentView(**{
        "id": id, "endpoint": "fraud", "version": 3, "status": "live", "share": 1.0, "target_share": 1.0,
        "reason": "", "by": "ada", "note": "", "created_at": ago(minutes=1), "live_at": ago(seconds=50),
        "ended_at": None, "champion": True,
        "replicas": [ReplicaView(
            index=0, runtime="process", pid=99, healthy=True, restarts=0, memory_bytes=64 * 1024 * 1024
        )],
        "traffic": Traffic(requests_per_s=12.5, p50_ms=0.8, p95_ms=2.1, p99_ms=4.0, error_share=0.0),
    } | changes)  # fmt: skip


def preview(verb: str = "promote", **changes: Any) -> ReleasePreview:
    steps = [
        ReleaseStep(version=2, deployment=4, before=1.0, after=0.0, ends=True, replicas=1, runtime="process"),
        ReleaseStep(version=3, deployment=None, before=0.0, after=1.0, ends=False, replicas=2, runtime="auto"),
    ]
    return ReleasePreview(**{
        "verb": verb, "name": "fraud", "version": 3, "champion_before": 2, "champion_after": 3, "steps": steps,
        "outcome": "pass", "reasons": ["average_precision 0.71 reaches the 0.60 asked for."], "approved_by": None,
        "approves": True, "needs_override": False, "refusal": None,
    } | changes)  # fmt: skip


def approval_preview(verb: str = "approve", **changes: Any) -> ReleasePreview:
    return preview(verb, **{"steps": [], "champion_after": 2} | changes)


def snapshot(id: int = 2, **changes: Any) -> SnapshotView:
    columns = [
        {"name": "transaction_id", "type": "category", "nullable": True, "nulls": 0, "distinct": 300_000},
        {"name": "amount", "type": "number", "nullable": False, "nulls": 0, "distinct": 91_230},
        {"name": "country", "type": "category", "nullable": True, "nulls": 120, "distinct": 14},
    ]
    return SnapshotView(**{
        "id": id, "project": "fraud", "sha256": HASH, "rows": 300_000, "columns": 3, "size_bytes": 12_000_000,
        "created_at": ago(hours=3), "job_id": 12, "failures": [], "data_schema": {"columns": columns},
        "sources": [{"path": "data/a.csv", "format": "csv", "sha256": HASH, "size_bytes": 40_000_000, "rows": 300_000}],
    } | changes)  # fmt: skip


def endpoint(*deployments: DeploymentView, **changes: Any) -> EndpointView:
    return EndpointView(**{
        "name": "fraud", "url": "http://127.0.0.1:18080/predict/fraud",
        "v2_url": "http://127.0.0.1:18080/v2/models/fraud", "generation": 4, "acknowledged": 4,
        "deployments": list(deployments) or [deployment()],
    } | changes)  # fmt: skip


def event(seq: int = 1, **changes: Any) -> EventView:
    return EventView(**{
        "seq": seq, "at": ago(minutes=1), "actor": "ada", "role": "admin", "verb": "version.approved",
        "subject": "fraud@3", "project": "fraud", "evidence": {"verdict": "pass"}, "hash": HASH, "prev_hash": HASH,
    } | changes)  # fmt: skip


def fleet_row(name: str = "fraud", **changes: Any) -> FleetRow:
    return FleetRow(**{
        "name": name, "task": "binary", "data_rows": 300_000, "data_at": ago(hours=3), "train_status": "succeeded",
        "train_fraction": None, "train_at": ago(minutes=2), "job_id": None, "gate": "pass", "gate_version": 3,
        "live_status": "live", "live_version": 2, "champion": 2, "challenger": None, "challenger_share": None,
        "metric": "average_precision", "metric_history": [0.61, 0.66, 0.71], "champion_metric": 0.66,
        "open_alarms": 0, "needs": "",
        "traffic": Traffic(requests_per_s=12.5, p50_ms=0.8, p95_ms=2.1, p99_ms=4.0, error_share=0.0),
    } | changes)  # fmt: skip
