"""A registry with a project, its versions and their bundles, and a reconciler over it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.gateway import FakeGateway
from fakes.runtime import FakeRuntime

from engine.blobs.store import BlobStore
from engine.deployment.reconcile import Reconciler
from engine.registry.events import ENGINE
from engine.registry.migrate import bring_up_to_date
from engine.registry.queries.rollouts import RolloutRow, RolloutRows, get_rollouts
from engine.registry.reader import Reader
from engine.registry.tables import (
    Alias,
    Deployment,
    Endpoint,
    Project,
    Revision,
    Run,
    Snapshot,
    Version,
    now,
)
from engine.registry.tx import Tx, col
from engine.registry.writer import Writer
from engine.settings import Config, Home


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """A real registry and blob store, a runtime and a gateway in memory, and a reconciler that is passed by hand."""

    home: Home
    writer: Writer
    reader: Reader
    blobs: BlobStore
    config: Config = field(default_factory=Config)
    runtime: Any = field(default_factory=FakeRuntime)
    named: str = "process"
    """What `runtime` is to the reconciler; another one, if any, is `process` in memory."""
    gateway: Any = field(default_factory=FakeGateway)
    clock: Any = field(default_factory=Clock)
    reconciler: Reconciler = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new engine: nothing is remembered but what is stored."""
        if self.reconciler is not None:
            self.reconciler.stop()
        self.reconciler = Reconciler(
            self.home,
            self.config,
            self.writer,
            self.reader,
            self.blobs,
            {"process": FakeRuntime()} | {self.named: self.runtime},
            self.gateway,
            self.clock,
        )

    def settle(self, passes: int = 40, step_s: float = 0.05) -> None:
        """Passes one after another, a little time between."""
        for _ in range(passes):
            self.reconciler.run_pass()
            self.clock.now += step_s

    def project(self, name: str = "fraud", versions: int = 3) -> None:
        """A project with some versions."""
        self.writer.write_and_wait(lambda tx: _project(tx, self.blobs, name, versions))

    def deploy(self, version: int, *, name: str = "fraud", weight: int = 10_000, **options: Any) -> int:
        """What `mlops deploy` writes; the deployment's number."""

        def write(tx: Tx) -> int:
            project = tx.first(Project, Project.name == name)
            assert project is not None
            endpoint = tx.first(Endpoint, Endpoint.project_id == project.id) or tx.add(
                Endpoint(project_id=project.id, created_at=now())
            )
            found = tx.first(Version, Version.project_id == project.id, Version.number == version)
            assert found is not None
            given: dict[str, Any] = {"runtime": "auto", "replicas": 1} | options
            row = tx.add(
                Deployment(
                    endpoint_id=endpoint.id,
                    version_id=found.id,
                    desired="running",
                    status="starting",
                    target_weight=weight,
                    promotes=weight == 10_000,
                    created_by="ada",
                    created_at=now(),
                    **given,
                )
            )
            assert row.id is not None
            return row.id

        return self.writer.write_and_wait(write)

    def give_up(self, deployment: int) -> None:
        def write(tx: Tx) -> None:
            row = tx.get(Deployment, deployment)
            assert row is not None
            row.desired = "stopped"

        self.writer.write_and_wait(write)

    def rows(self) -> RolloutRows:
        return get_rollouts(self.reader)

    def row(self, deployment: int) -> RolloutRow:
        return next(row for row in self.rows().deployments if row.id == deployment)

    def stored(self, deployment: int) -> Deployment:
        """The whole row, ended ones too."""
        found = self.writer.write_and_wait(lambda tx: tx.get(Deployment, deployment))
        assert found is not None
        return found

    def statuses(self) -> dict[int, str]:
        rows = self.writer.write_and_wait(lambda tx: tx.all(Deployment, oldest=col(Deployment.id)))
        return {row.id or 0: row.status for row in rows}

    def champion(self, name: str = "fraud") -> int | None:
        """Version's number."""

        def read(tx: Tx) -> int | None:
            project = tx.first(Project, Project.name == name)
            alias = tx.get(Alias, (project.id if project else 0, "champion"))
            version = tx.get(Version, alias.version_id) if alias else None
            return version.number if version else None

        return self.writer.write_and_wait(read)

    def verbs(self) -> list[str]:
        from engine.registry.queries.events import list_events

        return [event.verb for event in list_events(self.reader, after=0, limit=500).events]


def _project(tx: Tx, blobs: BlobStore, name: str, versions: int) -> None:
    at = now()
    project = tx.add(
        Project(name=name, folder="/data", task="binary", metric="auc", salt="s", added_at=at, added_by="ada")
    )
    pid = project.id or 0
    tx.add(Revision(project_id=pid, tree_sha256="0" * 64, files=[], config="", created_at=at, created_by="ada"))
    tx.add(
        Snapshot(
            project_id=pid,
            sha256="0" * 64,
            rows=1,
            columns=1,
            size_bytes=1,
            data_sha256="0" * 64,
            profile_sha256="0" * 64,
            data_schema={},
            sources=[],
            failures=[],
            created_at=at,
        )
    )
    for number in range(1, versions + 1):
        files = {"manifest.json": f"{name} {number}".encode(), "model.txt": b"model of " + name.encode()}
        _version(tx, blobs, pid, number, files)
    tx.event(ENGINE, "project.added", name, pid)


def _version(tx: Tx, blobs: BlobStore, project_id: int, number: int, files: dict[str, bytes]) -> None:
    revision = tx.first(Revision, Revision.project_id == project_id)
    snapshot = tx.first(Snapshot, Snapshot.project_id == project_id)
    assert revision is not None and snapshot is not None
    stored = {path: blobs.put(content) for path, content in files.items()}
    run = tx.add(Run(project_id=project_id, status="succeeded", created_by="ada", created_at=now()))
    tx.add(
        Version(
            project_id=project_id,
            number=number,
            run_id=run.id or 0,
            snapshot_id=snapshot.id or 0,
            revision_id=revision.id or 0,
            manifest_sha256=stored["manifest.json"].sha256,
            bundle=[
                {"path": path, "sha256": each.sha256, "size_bytes": each.size_bytes} for path, each in stored.items()
            ],
            candidate="logistic",
            params={},
            metrics={},
            outcome="pass",
            reasons=[],
            evidence={},
            created_at=now(),
            created_by="ada",
        )
    )


def add_version(world: World, number: int, bundle: Path, name: str = "fraud") -> None:
    """A version with a real bundle."""
    files = {path.name: path.read_bytes() for path in bundle.iterdir()}

    def write(tx: Tx) -> None:
        project = tx.first(Project, Project.name == name)
        assert project is not None
        _version(tx, world.blobs, project.id or 0, number, files)

    world.writer.write_and_wait(write)


@contextmanager
def open_world(home: Home, runtime: Any = None, gateway: Any = None, named: str = "process") -> Iterator[World]:
    """A world with fakes in it, or with the real things and their real clock."""
    bring_up_to_date(home.database)
    writer = Writer(home.database)
    writer.start()
    reader = Reader(home.database)
    blobs = BlobStore(home.blobs)
    blobs.start()
    given = {} if runtime is None else {"runtime": runtime, "gateway": gateway, "clock": time.monotonic}
    made = World(home, writer, reader, blobs, named=named, **given)
    try:
        yield made
    finally:
        made.reconciler.stop()
        reader.close()
        writer.stop()
