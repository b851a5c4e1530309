"""What stands on top of the fleet, and why."""

from __future__ import annotations

from pathlib import Path

from fakes.core import ADA, add, claim, train

from engine.lifecycle.fail_attempt import fail_attempt
from engine.lifecycle.parts import Parts
from engine.lifecycle.train_project import train_project
from engine.registry.queries.fleet import get_fleet
from engine.wire.base import Failure
from engine.wire.projects import TrainProject
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
    rows = get_fleet(parts.reader).rows
    assert [(row.name, row.needs) for row in rows] == [
        ("zebra", "training failed: The file has no rows."),
        ("alone", "train it"),
        ("waits", "approve version 1"),
    ]
    assert (rows[0].job_id, rows[0].last_job_id) == (None, worked.job_id)
