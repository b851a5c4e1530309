"""What stands on top of the fleet, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from fakes.core import ADA, add, claim, train

from engine.lifecycle.deploy_version import deploy_version
from engine.lifecycle.fail_attempt import fail_attempt
from engine.lifecycle.log_run import log_run
from engine.lifecycle.parts import Parts
from engine.lifecycle.train_project import train_project
from engine.registry.queries.fleet import get_fleet
from engine.registry.tables import Deployment
from engine.registry.tx import Tx
from engine.wire.base import Failure
from engine.wire.endpoints import Deploy
from engine.wire.projects import TrainProject
from engine.wire.runs import LogRun
from engine.wire.work import ReportFailure


def test_a_failed_training_stands_above_what_waits_for_somebody_and_says_why(parts: Parts, tmp_path: Path) -> None:
    for name in ("alone", "waits", "zebra"):
        (tmp_path / name).mkdir()
        add(parts, tmp_path / name, name=name)
    train(parts, "waits")
    train_project(parts, ADA, "zebra", TrainProject())
    worked = claim(parts)
    why = Failure(code="bad_data", message="The file has no rows.")
    fail_attempt(parts, worked.job_id, worked.attempt, ReportFailure(failure=why))
    log_run(parts, ADA, LogRun(project="zebra", metrics={"x": 1.0}))
    rows = get_fleet(parts.reader).rows
    assert [(row.name, row.needs) for row in rows] == [
        ("zebra", "training failed: The file has no rows."),
        ("alone", "train it"),
        ("waits", "approve version 1"),
    ]
    assert (rows[0].job_id, rows[0].last_job_id) == (None, worked.job_id)


def test_a_failed_deployment_says_why(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    begun = deploy_version(parts, ADA, "fraud", Deploy()).id

    def break_down(tx: Tx) -> None:
        deployment = tx.get(Deployment, begun)
        assert deployment is not None
        deployment.status, deployment.note = "failed", "The model server ended."
        tx.add(deployment)

    parts.writer.write_and_wait(break_down)
    assert get_fleet(parts.reader).rows[0].needs == "deployment failed: The model server ended."


def test_what_was_rolled_back_is_not_asked_for_again(parts: Parts, tmp_path: Path) -> None:
    add(parts, tmp_path)
    train(parts)
    deploy_version(parts, ADA, "fraud", Deploy())
    train(parts)
    assert get_fleet(parts.reader).rows[0].needs == "approve version 2"
    begun = deploy_version(parts, ADA, "fraud", Deploy(version=2)).id

    def served_and_was_taken_off(tx: Tx) -> None:
        deployment = tx.get(Deployment, begun)
        assert deployment is not None
        deployment.live_at, deployment.status, deployment.desired = datetime.now(UTC), "stopped", "stopped"
        tx.add(deployment)

    parts.writer.write_and_wait(served_and_was_taken_off)
    assert get_fleet(parts.reader).rows[0].needs == ""
