"""A disk that fills up: one sentence, no half entry, reads go on, and writing goes on once there is room."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.core import ADA, add, engine_core

from engine.errors import DiskFull, EngineError, Unavailable
from engine.lifecycle.add_project import add_project
from engine.lifecycle.log_run import log_run
from engine.lifecycle.parts import Parts
from engine.lifecycle.verify_registry import verify_registry
from engine.registry.queries.runs import list_runs
from engine.wire.projects import AddProject
from engine.wire.runs import LogRun

TESTS = Path(__file__).parents[1]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A filesystem of 8 MB."""
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no filesystem can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def record(parts: Parts, number: int) -> int:
    ask = LogRun(project="fraud", reason=f"{number}", params={"a": "x" * 500}, metrics={"m": float(number)})
    return log_run(parts, ADA, ask).id


def test_a_full_disk_stops_writing_and_nothing_else(small_disk: Path, tmp_path: Path) -> None:
    with engine_core(small_disk / "home") as parts:
        add(parts, tmp_path)
        kept = [record(parts, 0)]
        fill(small_disk / "ballast")
        with pytest.raises(DiskFull) as refused:
            for number in range(1, 10_000):
                kept.append(record(parts, number))
        assert refused.value.hint
        assert {run.id for run in list_runs(parts.reader, limit=1000).runs} == set(kept)
        (tmp_path / "model.py").write_text("changed = True\n")
        fill(small_disk / "more")
        with pytest.raises(DiskFull):
            add_project(parts, ADA, AddProject(folder=str(tmp_path)))
        assert list((small_disk / "home" / "blobs" / "tmp").iterdir()) == []
        (small_disk / "ballast").unlink()
        kept.append(record(parts, 10_000))
        assert add_project(parts, ADA, AddProject(folder=str(tmp_path))).changed
        assert {run.id for run in list_runs(parts.reader, limit=1000).runs} == set(kept)
        checked = verify_registry(parts, ADA)
        assert (checked.broken_event, checked.damaged, checked.missing) == (None, [], [])


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as ballast:
        for size in (1 << 16, 1 << 12):
            try:
                while True:
                    ballast.write(b"\0" * size)
            except OSError:
                continue


def test_a_file_that_may_not_grow_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    # In a process of its own: the limit is the process's.
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["held"]), done.stderr


def _under_a_limit(project: Path) -> None:
    root = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    try:
        with engine_core(root) as parts:
            add(parts, project)
            kept = [record(parts, 0)]
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
            refused: EngineError | None = None
            for number in range(1, 5_000):
                try:
                    kept.append(record(parts, number))
                except EngineError as error:
                    refused = error
                    break
            assert isinstance(refused, DiskFull | Unavailable), refused
            assert {run.id for run in list_runs(parts.reader, limit=1000).runs} == set(kept)
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            kept.append(record(parts, 5_000))
            assert {run.id for run in list_runs(parts.reader, limit=1000).runs} == set(kept)
            assert verify_registry(parts, ADA).broken_event is None
    finally:
        shutil.rmtree(root)
    print("held")


if __name__ == "__main__":
    _under_a_limit(Path(sys.argv[1]))
