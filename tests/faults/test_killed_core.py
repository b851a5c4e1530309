"""kill -9 at each durable step: what was acknowledged is kept, nothing happens twice, and the work goes on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fakes.core import ADA, claim, engine_core, write_project
from fakes.engine_process import end_everything
from fakes.scripted_core import KEY, LOOK, WORKER
from fakes.supervised import processes_of, supervised, wait_for, wait_for_status

from engine.failpoint import NAMES
from engine.lifecycle.add_project import add_project
from engine.lifecycle.finish_step import finish_step
from engine.lifecycle.parts import Parts
from engine.lifecycle.train_project import train_project
from engine.lifecycle.verify_registry import verify_registry
from engine.registry.queries.events import list_events
from engine.registry.queries.jobs import get_job, list_jobs
from engine.registry.queries.models import list_versions
from engine.registry.queries.runs import list_runs
from engine.registry.queries.snapshots import list_snapshots
from engine.registry.queue import retry_or_fail
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.settings import Home
from engine.wire.base import Failure
from engine.wire.jobs import JobView
from engine.wire.projects import AddProject, TrainProject
from engine.wire.work import FinishStep

TESTS = Path(__file__).parents[1]
OF_THE_CORE = [name for name in NAMES if name.partition(".")[0] in ("writer", "blob", "job", "step")]


@pytest.fixture
def root() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    yield folder
    end_everything(Home(folder))
    shutil.rmtree(folder)


def live(root: Path, failpoint: str = "", kill_after_s: float | None = None) -> tuple[int, list[str]]:
    """Run the script in a process of its own; how it ended, and what it had acknowledged."""
    acknowledged, project = root / "acknowledged", write_project(root / "project")
    process = subprocess.Popen(
        [sys.executable, "-m", "fakes.scripted_core", str(root / "home"), str(project), str(acknowledged)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), "MLOPS_FAILPOINT": failpoint},
        stderr=subprocess.PIPE,
    )
    try:
        _, errors = process.communicate(timeout=kill_after_s or 60.0)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), errors.decode()
    lines = acknowledged.read_text().splitlines() if acknowledged.exists() else []
    return process.returncode, lines


def check(root: Path, acknowledged: list[str]) -> None:
    """Open the home again: compare with what was acknowledged, then bring everything to its end."""
    with engine_core(root / "home") as parts:
        verified = verify_registry(parts, ADA)
        assert (verified.broken_event, verified.damaged, verified.missing) == (None, [], [])
        add_project(parts, ADA, AddProject(folder=str(root / "project")))
        reasons = Counter(run.reason for run in list_runs(parts.reader).runs if run.reason)
        assert set(reasons.values()) <= {1}
        assert {line for line in acknowledged if line.startswith("run ")} <= set(reasons)
        finish_look(parts, expected="look" in acknowledged)
        finish_training(parts, acknowledged)
        verbs = Counter(event.verb for event in list_events(parts.reader, limit=1000).events)
        assert (verbs["version.registered"], verbs["snapshot.taken"], verbs["project.added"]) == (1, 1, 1)
        assert [version.number for version in list_versions(parts.reader, "fraud").versions] == [1]
        assert len(list_snapshots(parts.reader).snapshots) == 1


def finish_look(parts: Parts, *, expected: bool) -> None:
    found = [job for job in list_jobs(parts.reader).jobs if job.kind == "look"]
    assert len(found) <= 1
    if expected:
        assert [job.status for job in found] == ["succeeded"]
    for job in found:
        with supervised(parts, WORKER) as supervisor:
            supervisor.poke()
            wait_for(lambda job=job: ready(parts, job), "a worker to begin")
            running = get_job(parts.reader, job.id)
            if running.status == "running":
                finish_step(parts, job.id, running.attempt, "look", FinishStep(result=LOOK))
                supervisor.poke()
            wait_for_status(parts, job.id, "succeeded")
            # The training may wait in the queue as well, and is begun as soon as there is room.
            wait_for(lambda job=job: job.id not in supervisor.running(), "the worker to end")
            wait_for(partial(nothing_runs, parts, job.id), "all its processes to be gone")


def nothing_runs(parts: Parts, job_id: int) -> bool:
    return not any(processes_of(parts, job_id, attempt) for attempt in (1, 2))


def ready(parts: Parts, job: JobView) -> bool:
    now = get_job(parts.reader, job.id)
    return now.status == "succeeded" or (
        now.status == "running" and (parts.home.work(job.id, now.attempt) / "ready").exists()
    )


def finish_training(parts: Parts, acknowledged: list[str]) -> None:
    job = train_project(parts, ADA, "fraud", TrainProject(key=KEY)).job
    assert [line for line in acknowledged if line.startswith("job ")] in ([], [f"job {job.id}"])
    if job.status == "running":

        def gone(tx: Tx) -> None:
            row = tx.get(Job, job.id)
            assert row is not None
            retry_or_fail(tx, row, Failure(code="worker_died", message="The worker died with its engine."))

        parts.writer.write_and_wait(gone)
    if job.status != "succeeded":
        worked = claim(parts)
        for step in ("snapshot", "fit", "package", "judge"):
            worked.post(step, getattr(worked, step)())
    assert get_job(parts.reader, job.id).result["version"] == 1


@pytest.mark.parametrize("name", OF_THE_CORE)
def test_nothing_acknowledged_is_lost_or_doubled_by_a_kill(root: Path, name: str) -> None:
    returncode, acknowledged = live(root, name)
    assert returncode == -signal.SIGKILL, "the failpoint was never passed"
    check(root, acknowledged)


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_THE_CORE)
def test_nothing_is_lost_or_doubled_by_a_kill_at_any_pass(root: Path, name: str) -> None:
    for passes in range(2, 22):
        returncode, acknowledged = live(root, f"{name}:{passes}")
        check(root, acknowledged)
        if returncode == 0:
            # It passes this place less often than that.
            break
        end_everything(Home(root))
        for path in ("home", "project"):
            shutil.rmtree(root / path)
        (root / "acknowledged").unlink(missing_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_or_doubled_by_a_kill_at_any_moment(root: Path, seed: int) -> None:
    _, acknowledged = live(root, kill_after_s=random.Random(seed).uniform(0.5, 3.0))
    if (root / "home" / "registry.db").exists():
        check(root, acknowledged)


def test_a_life_without_a_kill_comes_to_its_end(root: Path) -> None:
    returncode, acknowledged = live(root)
    assert (returncode, acknowledged[-1]) == (0, "step judge")
    check(root, acknowledged)
