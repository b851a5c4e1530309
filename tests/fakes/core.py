"""A whole engine core in a folder of its own, and what a worker would leave and post."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from engine.blobs.store import BlobStore
from engine.jobs.token import make_token
from engine.lifecycle.add_project import add_project
from engine.lifecycle.caller import Caller
from engine.lifecycle.finish_step import finish_step
from engine.lifecycle.lay_out_work import lay_out_work
from engine.lifecycle.parts import Parts
from engine.lifecycle.train_project import train_project
from engine.registry.migrate import bring_up_to_date
from engine.registry.queue import claim_next
from engine.registry.reader import Reader
from engine.registry.tables import Deployment, GatewayState, now
from engine.registry.tx import Tx
from engine.registry.writer import Writer
from engine.serving.manifest import File, Golden, Input, Manifest, dump_manifest
from engine.settings import Config, Home
from engine.wire.projects import AddProject, TrainProject
from engine.wire.work import FinishedStep, FinishStep

ADA = Caller("ada", 1000, "admin")
BEN = Caller("ben", 1001, "approver")
CY = Caller("cy", 1002, "operator")

PROJECT_FILE = """
[project]
name = "{name}"
task = "binary"
[data]
source = "data/*.csv"
target = "y"
id = "id"
[release]
approval = "{approval}"
"""


@contextmanager
def engine_core(root: Path | None = None) -> Iterator[Parts]:
    """Home, registry and blobs, in a folder of its own unless one is given."""
    folder = root or Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    home = Home(folder)
    home.prepare()
    bring_up_to_date(home.database)
    writer = Writer(home.database)
    writer.start()
    reader = Reader(home.database)
    blobs = BlobStore(home.blobs)
    blobs.start()
    try:
        yield Parts(home=home, config=Config(), writer=writer, reader=reader, blobs=blobs)
    finally:
        reader.close()
        writer.stop()
        if root is None:
            shutil.rmtree(folder)


def with_jobs(parts: Parts, **jobs: Any) -> Parts:
    """The same with other settings for jobs."""
    return replace(parts, config=parts.config.model_copy(update={"jobs": parts.config.jobs.model_copy(update=jobs)}))


def write_project(folder: Path, name: str = "fraud", approval: str = "manual") -> Path:
    """A project's folder with code, data, and what must not be stored."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "rows.csv").write_text("id,y\n1,0\n")
    (folder / "mlops.toml").write_text(PROJECT_FILE.format(name=name, approval=approval))
    (folder / "model.py").write_text("def build(params):\n    return None\n")
    return folder


def add(parts: Parts, folder: Path, name: str = "fraud", approval: str = "manual") -> None:
    """Write a project and register it."""
    add_project(parts, ADA, AddProject(folder=str(write_project(folder, name, approval))))


@dataclass
class Worked:
    """A running attempt whose steps a test posts."""

    parts: Parts
    job_id: int
    attempt: int
    run_id: int
    project: str

    @property
    def folder(self) -> Path:
        return self.parts.home.work(self.job_id, self.attempt)

    def post(self, step: str, result: dict[str, Any], attempt: int | None = None) -> FinishedStep:
        return finish_step(self.parts, self.job_id, attempt or self.attempt, step, FinishStep(result=result))

    def leave(self, path: str, content: bytes) -> dict[str, Any]:
        """Put a file into the work folder, and tell of it as a worker does."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return entry(path, content)

    def snapshot(self, **other: Any) -> dict[str, Any]:
        data, profile = b"PAR1", b"{}"
        return {
            "sha256": sha256(b"rows"), "rows": 100, "columns": 3, "left_out": 0, "data_schema": {"columns": []},
            "data": self.leave("data.parquet", data), "profile": self.leave("profile.json", profile),
            "sources": [{"path": "data/rows.csv"}],
        } | other  # fmt: skip

    def fit(self) -> dict[str, Any]:
        candidates = [
            {"name": "linear", "kind": "linear", "params": {"c": 1}, "status": "fitted", "metrics": {"roc_auc": 0.8}},
            {"name": "trees", "kind": "lightgbm", "params": {"n": 9}, "status": "fitted", "metrics": {"roc_auc": 0.9}},
        ]
        split = {"train": 60, "validation": 20, "test": 20}
        return {"candidates": candidates, "best": "trees", "split": split, "environment": {"python": "3.11"}}

    def package(self, **other: Any) -> dict[str, Any]:
        model = b"tree\n"
        manifest = Manifest(
            name=self.project, task="binary", target="y", inputs=(Input("amount", "number"),), encoding=(),
            model_format="lightgbm", model_file=File("model.txt", sha256(model), len(model)), golden=Golden((), ()),
            lineage=str(self.run_id), serving_sha256="0" * 64, classes=(0, 1), threshold=0.4, id="id",
        )  # fmt: skip
        manifest = msgspec.structs.replace(manifest, **other)
        content = dump_manifest(manifest)
        self.leave("bundle/model.txt", model)
        self.leave("bundle/manifest.json", content)
        files = [entry("manifest.json", content), entry("model.txt", model)]
        return {"files": files, "parity_rows": 10, "parity_difference": 0.0}

    def judge(
        self, *, lower: float = 0.1, champion: str | None = None, rows: int = 500, value: float = 0.7
    ) -> dict[str, Any]:
        compared = {"against": champion or "always 0", "value": 0.5, "difference": 0.2, "se": 0.02}
        compared |= {"lower": lower, "upper": 0.4}
        figures = {
            "metric": "average_precision", "value": value, "lower": 0.6, "upper": 0.8, "test_rows": 2 * rows,
            "rows_per_class": {"0": rows, "1": rows}, "champion" if champion else "baseline": compared,
        }  # fmt: skip
        return {"figures": figures, "metrics": {"average_precision": 0.7}}

    def finish(self, **judged: Any) -> FinishedStep:
        """All steps that are left of a training job."""
        for step in ("snapshot", "fit", "package"):
            self.post(step, getattr(self, step)())
        return self.post("judge", self.judge(**judged))


def entry(path: str, content: bytes) -> dict[str, Any]:
    """What a worker tells of a file."""
    return {"path": path, "sha256": sha256(content), "size_bytes": len(content)}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def claim(parts: Parts) -> Worked:
    """Start the next job as the supervisor does, without a process."""
    token = make_token().sha256

    def start(tx: Tx) -> tuple[int, int, int, int | None]:
        job = claim_next(tx, token)
        assert job is not None, "no job may start"
        return job.id or 0, job.attempt, job.run_id or 0, job.project_id

    job_id, attempt, run_id, _ = parts.writer.write_and_wait(start)
    lay_out_work(parts, job_id, attempt)
    with parts.reader.connection() as connection:
        name = connection.exec_driver_sql(
            "SELECT project.name FROM job JOIN project ON project.id = job.project_id WHERE job.id = ?", (job_id,)
        ).scalar()
    return Worked(parts, job_id, attempt, run_id, name or "")


def train(parts: Parts, name: str = "fraud", **judged: Any) -> FinishedStep:
    """A whole training run."""
    train_project(parts, ADA, name, TrainProject())
    return claim(parts).finish(**judged)


def go_live(parts: Parts, deployment_id: int) -> None:
    """Do what the reconciler does when a deployment takes its traffic (the champion moves in `records.switch`)."""
    from engine.deployment.records import switch

    def live(tx: Tx) -> None:
        if tx.get(GatewayState, 1) is None:
            tx.add(GatewayState(host="127.0.0.1", port=8000))
        switch(tx, deployment_id)
        row = tx.get(Deployment, deployment_id)
        assert row is not None
        row.status, row.live_at = "live", now()

    parts.writer.write_and_wait(live)
