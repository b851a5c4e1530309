"""kill -9 between a nominal time and its alarm: one check, one alarm, none lost."""

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
from fakes.core import ADA, engine_core, write_project
from fakes.looked import alarms
from fakes.scripted_check import come_back

from engine.lifecycle.verify_registry import verify_registry
from engine.registry.queries.checks import list_checks
from engine.registry.queries.events import list_events
from engine.registry.queries.jobs import list_jobs

TESTS = Path(__file__).parents[1]
PLACES = ("watch.begin", "watch.enqueued", "check.applied")


@pytest.fixture
def root() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def live(root: Path, failpoint: str) -> tuple[int, list[str]]:
    """Run the script in a process of its own; how it ended, and what it had acknowledged."""
    acknowledged, project = root / "acknowledged", write_project(root / "project")
    process = subprocess.run(
        [sys.executable, "-m", "fakes.scripted_check", str(root / "home"), str(project), str(acknowledged)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), "MLOPS_FAILPOINT": failpoint},
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert process.returncode in (0, -signal.SIGKILL), process.stderr.decode()
    return process.returncode, acknowledged.read_text().splitlines()


def count_events(root: Path) -> tuple[Counter[str], list[int]]:
    """Events by verb, and the checks' ids, once the engine that is back has done its part, twice."""
    with engine_core(root / "home") as parts:
        for _ in range(2):
            come_back(parts)
        verified = verify_registry(parts, ADA)
        assert (verified.broken_event, verified.damaged, verified.missing) == (None, [], [])
        assert [job.status for job in list_jobs(parts.reader).jobs if job.kind == "check"] == ["succeeded"]
        assert [(alarm.subject, alarm.times_seen) for alarm in alarms(parts)] == [("a", 1)]
        told = Counter(event.verb for event in list_events(parts.reader, after=0, limit=1000).events)
        return told, [check.id for check in list_checks(parts.reader, "fraud").checks]


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_between_a_nominal_time_and_its_alarm_loses_and_doubles_nothing(root: Path, place: str) -> None:
    returncode, _ = live(root, place)
    assert returncode == -signal.SIGKILL, "the failpoint was never passed"
    verbs, checks = count_events(root)
    assert (verbs["check.done"], verbs["alarm.opened"], verbs["alarm.grew"], len(checks)) == (1, 1, 0, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "place", ["writer.begin", "writer.written", "writer.committed", "step.adopted", "blob.renamed"]
)
def test_a_kill_at_any_commit_of_it_loses_and_doubles_nothing(root: Path, place: str) -> None:
    passed = 0
    for passes in range(1, 60):
        returncode, acknowledged = live(root, f"{place}:{passes}")
        if "captured" in acknowledged:
            passed += 1
            verbs, _ = count_events(root)
            assert (verbs["check.done"], verbs["alarm.opened"]) == (1, 1)
        if returncode == 0:
            break
        for path in ("home", "project"):
            shutil.rmtree(root / path, ignore_errors=True)
        (root / "acknowledged").unlink(missing_ok=True)
    assert passed, "nothing was killed after there was something to look at"
