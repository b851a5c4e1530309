"""kill -9 between an alarm and its retrain, and up to its verdict: one retrain, one training, one version."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.core import ADA, engine_core
from fakes.loop import retrains
from fakes.scripted_retrain import come_back

from engine.lifecycle.verify_registry import verify_registry
from engine.registry.queries.events import list_events
from engine.registry.queries.jobs import list_jobs
from engine.registry.queries.models import get_version

TESTS = Path(__file__).parents[1]


@pytest.fixture
def root() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def live(root: Path, failpoint: str = "", *more: str) -> tuple[int, list[str]]:
    """Run the script in a process of its own; how it ended, and what it had acknowledged."""
    acknowledged = root / "acknowledged"
    places = [str(root / "home"), str(root / "project"), str(acknowledged)]
    process = subprocess.run(
        [sys.executable, "-m", "fakes.scripted_retrain", *places, *more],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), "MLOPS_FAILPOINT": failpoint},
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert process.returncode in (0, -signal.SIGKILL), process.stderr.decode()
    return process.returncode, acknowledged.read_text().splitlines() if acknowledged.exists() else []


def check(root: Path) -> None:
    """Once the engine that is back has done its part, twice."""
    with engine_core(root / "home") as parts:
        for _ in range(2):
            come_back(parts)
        verified = verify_registry(parts, ADA)
        assert (verified.broken_event, verified.damaged, verified.missing) == (None, [], [])
        (retrain,) = retrains(parts)
        assert (retrain.status, retrain.verdict, retrain.version) == ("done", "pass", 2)
        assert [job.id for job in list_jobs(parts.reader).jobs if job.kind == "train"] == [retrain.job_id, 1]
        assert get_version(parts.reader, "fraud", 2).approval is not None
        told = Counter(event.verb for event in list_events(parts.reader, limit=1000).events)
        once = ("alarm.opened", "retrain.wished", "retrain.began", "retrain.done")
        assert {verb: told[verb] for verb in once} == dict.fromkeys(once, 1)
        assert (told["version.registered"], told["version.deployed"]) == (2, 2)


@pytest.mark.parametrize("place", ["retrain.begin", "retrain.advanced"])
def test_a_kill_between_an_alarm_and_its_retrain_loses_and_doubles_nothing(root: Path, place: str) -> None:
    returncode, acknowledged = live(root, place)
    assert (returncode, acknowledged) == (-signal.SIGKILL, ["alarm"])
    check(root)


def check_tried_again(root: Path) -> None:
    with engine_core(root / "home") as parts:
        for _ in range(2):
            come_back(parts, fails=True)
        verified = verify_registry(parts, ADA)
        assert (verified.broken_event, verified.damaged, verified.missing) == (None, [], [])
        failed, again = retrains(parts)
        assert (failed.status, again.status, again.verdict, again.version) == ("given_up", "done", "pass", 2)
        trained = [job.id for job in list_jobs(parts.reader).jobs if job.kind == "train"]
        assert trained == [again.job_id, failed.job_id, 1]
        told = Counter(event.verb for event in list_events(parts.reader, limit=1000).events)
        times = {"alarm.opened": 1, "retrain.wished": 2, "retrain.began": 2, "retrain.given_up": 1, "retrain.done": 1}
        assert {verb: told[verb] for verb in times} == times


@pytest.mark.parametrize(
    "place", ["", "retrain.begin:2", "retrain.advanced:2", "retrain.begin:3", "retrain.advanced:3"]
)
def test_a_kill_around_a_training_that_failed_has_it_tried_again_once(root: Path, place: str) -> None:
    returncode, acknowledged = live(root, place, "fails")
    assert (returncode, acknowledged) == (-signal.SIGKILL if place else 0, ["alarm"])
    check_tried_again(root)


def test_without_a_kill_it_comes_to_the_same_end(root: Path) -> None:
    assert live(root) == (0, ["alarm"])
    check(root)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("place", ["writer.begin", "writer.written", "writer.committed", "step.finished"])
def test_a_kill_at_any_commit_from_the_alarm_on_loses_and_doubles_nothing(root: Path, place: str) -> None:
    passed = 0
    for passes in range(1, 80):
        returncode, acknowledged = live(root, f"{place}:{passes}")
        if acknowledged:
            passed += 1
            check(root)
        if returncode == 0:
            break
        for path in ("home", "project"):
            shutil.rmtree(root / path, ignore_errors=True)
        (root / "acknowledged").unlink(missing_ok=True)
    assert passed > 1, "nothing was killed after the alarm"
