"""What a schedule tells of its last job."""

from __future__ import annotations

from pathlib import Path

from fakes.looked import look, serve

from engine.lifecycle.parts import Parts
from engine.lifecycle.sync_schedules import sync_all_schedules
from engine.registry.queries.schedules import list_schedules


def test_a_schedule_of_checks_tells_the_newest_check_of_its_model_and_of_no_other(parts: Parts, tmp_path: Path) -> None:
    for name in ("churn", "fraud"):
        (tmp_path / name).mkdir()
        serve(parts, tmp_path / name, name)
    sync_all_schedules(parts)
    assert [one.last_job for one in list_schedules(parts.reader).schedules] == [None, None]
    look(parts, name="fraud")
    newest = look(parts, name="fraud")
    told = {one.project: one.last_job for one in list_schedules(parts.reader).schedules}
    assert told["churn"] is None
    job = told["fraud"]
    assert job is not None
    assert (job.kind, job.status, job.result["check"]) == ("check", "succeeded", newest.id)
