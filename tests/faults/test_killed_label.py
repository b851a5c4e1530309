"""kill -9 while labels are taken in: each file once, one alarm, none lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.core import ADA, engine_core
from fakes.scripted_label import finish

from engine.lifecycle.verify_registry import verify_registry
from engine.registry.queries.alarms import list_alarms
from engine.registry.queries.labels import list_labels

TESTS = Path(__file__).parents[1]


@pytest.fixture
def root() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("place", ["label.applied:1", "label.applied:2", "step.finished:6"])
def test_a_kill_while_labels_are_taken_in_loses_and_doubles_nothing(root: Path, place: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-m", "fakes.scripted_label", str(root / "home")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]), "MLOPS_FAILPOINT": place},
        timeout=100,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, "the failpoint was never passed"
    with engine_core(root / "home") as parts:
        for _ in range(2):
            finish(parts)
        files = list_labels(parts.reader, "fraud")
        assert [file.counts.matched for file in files.files] == [600] * len(files.files)
        if place == "label.applied:1":
            assert (files.captured, files.labelled, len(files.files)) == (600, 600, 1)
            assert list_alarms(parts.reader).alarms == []
        else:
            assert (files.captured, files.labelled, len(files.files)) == (1200, 1200, 2)
            [alarm] = list_alarms(parts.reader).alarms
            assert (alarm.kind, alarm.status, alarm.times_seen) == ("performance", "open", 1)
        stored = sorted(path.name for path in (parts.home.captures / "fraud" / "labels").iterdir())
        assert len(stored) == len(files.files)
        verified = verify_registry(parts, ADA)
        assert (verified.broken_event, verified.damaged, verified.missing) == (None, [], [])
