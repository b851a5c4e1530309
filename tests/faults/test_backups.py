"""A backup is made under load and restores elsewhere; kill -9 leaves nothing half."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.core import ADA, add, engine_core
from fakes.engine_process import EngineProcess, end_everything

from engine.blobs.store import BlobStore
from engine.client import EngineClient
from engine.client.restore import restore
from engine.errors import Conflict, EngineError
from engine.lifecycle.make_backup import LOCK, make_backup
from engine.lifecycle.verify_registry import verify_registry
from engine.registry.queries.events import list_events
from engine.settings import Home
from engine.wire.housekeeping import MakeBackup
from engine.wire.runs import LogRun

PROJECT = '[project]\nname = "fraud"\ntask = "binary"\n[data]\nsource = "rows.csv"\ntarget = "y"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def project(client: EngineClient, tmp_path: Path) -> Path:
    """A registered project of 20 files, without a row of data."""
    made = tmp_path / "fraud"
    made.mkdir()
    (made / "mlops.toml").write_text(PROJECT)
    for number in range(20):
        (made / f"part_{number}.py").write_bytes(b"# %d\n" % number * 1000)
    client.add_project(str(made))
    return made


@pytest.fixture
def other() -> Iterator[Home]:
    """A home that is not there yet."""
    root = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    made = Home(root / "h")
    yield made
    end_everything(made)
    shutil.rmtree(root)


class Load:
    """Clients that log runs and store code until told to stop; what was acknowledged."""

    def __init__(self, engine: EngineProcess, project: Path) -> None:
        self.logged: list[int] = []
        self.failures: list[EngineError] = []
        self._engine, self._project = engine, project
        self._stop = threading.Event()
        self.under_way = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._log, self._log, self._store)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        assert self.under_way.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _log(self) -> None:
        with self._engine.client() as client:
            try:
                while not self._stop.is_set():
                    self.logged.append(client.log_run(LogRun(project="fraud", metrics={"x": 1.0})).id)
                    if len(self.logged) > 20:
                        self.under_way.set()
            except EngineError as error:
                self.failures.append(error)

    def _store(self) -> None:
        with self._engine.client() as client:
            number = 0
            try:
                while not self._stop.is_set():
                    number += 1
                    (self._project / "part_0.py").write_text(f"# {number}\n")
                    client.add_project(str(self._project))
            except EngineError as error:
                self.failures.append(error)


def test_a_backup_under_load_holds_all_that_was_acknowledged_before_and_restores_elsewhere(
    engine: EngineProcess, client: EngineClient, project: Path, folder: Path, other: Home
) -> None:
    with Load(engine, project) as load:
        before = list(load.logged)
        first = client.back_up(str(folder))
        between = list(load.logged)
        second = client.back_up(str(folder))
    assert load.failures == []
    assert client.verify().broken_event is None
    assert second.shared > 0
    for made, acknowledged in ((first, before), (second, between)):
        restored = restore(Path(made.folder), other)
        assert restored.blobs == made.blobs
        again = EngineProcess(other)
        again.start()
        with again.client() as asking:
            found = asking.verify()
            assert (found.broken_event, found.damaged, found.missing) == (None, [], [])
            runs, page = set(), asking.runs(project="fraud", limit=1000)
            while page.runs:
                runs |= {run.id for run in page.runs}
                page = asking.runs(project="fraud", limit=1000, before=min(runs))
            assert set(acknowledged) <= runs
            assert asking.log_run(LogRun(project="fraud", metrics={"x": 2.0})).id
        again.stop()
        shutil.rmtree(other.root)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["backup.registry", "backup.blobs", "backup.synced"])
def test_a_kill_in_a_backup_leaves_no_backup_and_the_next_clears_up(
    engine: EngineProcess, client: EngineClient, project: Path, folder: Path, place: str
) -> None:
    engine.stop()
    engine.start(MLOPS_FAILPOINT=place)
    with engine.client() as asking, pytest.raises(EngineError):
        asking.back_up(str(folder))
    assert engine.process is not None
    engine.process.wait(30)
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".")] == []
    engine.start()
    with engine.client() as asking:
        made = asking.back_up(str(folder))
        assert asking.verify().broken_event is None
    assert sorted(path.name for path in folder.iterdir()) == [LOCK, Path(made.folder).name]


@pytest.mark.parametrize("place", ["blob.renamed:2", "restore.copied", "restore.written", "restore.settled"])
def test_a_kill_in_a_restore_leaves_a_home_that_no_engine_takes_and_that_is_restored_anew(
    tmp_path: Path, folder: Path, other: Home, place: str
) -> None:
    with engine_core() as parts:
        add(parts, tmp_path / "fraud")
        made = make_backup(parts, ADA, MakeBackup(folder=str(folder)))
    restoring = [sys.executable, "-m", "engine", "--home", str(other.root), "--restore", made.folder]
    killed = subprocess.run(restoring, env=os.environ | {"MLOPS_FAILPOINT": place}, capture_output=True)
    assert killed.returncode == -9, killed.stderr
    refused = subprocess.run(
        [sys.executable, "-m", "engine", "--home", str(other.root)], capture_output=True, text=True
    )
    assert (refused.returncode, "was cut off" in refused.stderr) == (Conflict.exit_code, True)
    restore(Path(made.folder), other)
    with engine_core(other.root) as again:
        found = verify_registry(again, ADA)
        assert (found.broken_event, found.damaged, found.missing, found.blobs) == (None, [], [], made.blobs)
        told = list_events(again.reader, verb="registry.restored").events
        assert len(told) == 1


def test_a_kill_while_garbage_goes_takes_nothing_that_is_spoken_of(
    engine: EngineProcess, client: EngineClient, project: Path
) -> None:
    blobs = BlobStore(engine.home.blobs)
    kept = client.verify().blobs
    orphans = [blobs.put(b"orphan %d" % number).sha256 for number in range(3)]
    for orphan in orphans:
        os.utime(blobs.path(orphan), (0, 0))
    engine.stop()
    engine.start(MLOPS_FAILPOINT="gc.decided")
    with engine.client() as asking, pytest.raises(EngineError):
        asking.collect_garbage()
    assert engine.process is not None
    engine.process.wait(30)
    engine.start()
    with engine.client() as asking:
        found = asking.verify()
        assert (found.damaged, found.missing, found.blobs) == ([], [], kept)
        assert [line.count for line in asking.collect_garbage().gone] == [3]
        assert asking.collect_garbage().gone == []
        assert asking.verify().blobs == kept
    assert not any(blobs.has(orphan) for orphan in orphans)
