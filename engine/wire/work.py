"""What a worker and the engine say to each other about one job. Every call carries the job's token.

The steps of a `train` job, in order: `snapshot`, `fit`, `package`, `judge`. The worker computes, posts the step's
result with the files it left in its work folder; the engine hashes those files again, adopts them into the blob
store and applies the effect in one transaction, fenced by the attempt. After `judge` the job has succeeded.
A `look` or `compact` job has one step, `look` or `compact`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from engine.wire.base import Body, Failure, FileEntry, StrictBody
from engine.wire.jobs import JobView
from engine.wire.runs import CurvePoint

TRAIN_STEPS = ("snapshot", "fit", "package", "judge")


class Champion(Body):
    """The version a challenger is compared with. Its bundle's files lie in the blob store."""

    version: int
    run_id: int
    bundle: list[FileEntry]
    trained_until: AwareDatetime | None
    """With `data.time`: the last event time among the rows it was fitted on (train and validation)."""


class WorkOrder(Body):
    """`GET /v1/jobs/{id}/work`: all a worker needs to know. Paths are absolute, on this host."""

    job_id: int
    attempt: int
    kind: Literal["look", "train", "compact"]
    args: dict[str, Any]
    """`look`: an `AskLook`. `compact`: a `CompactOrder`. `train`: empty."""
    work_folder: str
    """The one folder this attempt may write (besides captures/ENDPOINT for `compact`)."""
    blobs_folder: str
    """Read only; the file of a hash is `ab/cdef…`."""
    finished: dict[str, dict[str, Any]]
    """Results of the steps that are finished, by step, to resume after."""
    project_file: str = ""
    """Text of the stored revision's `mlops.toml`."""
    code_folder: str = ""
    """The stored code tree, laid out for this attempt; code runs from here only."""
    data_folder: str = ""
    """The project's own folder, from which relative data sources are read."""
    run_id: int = 0
    seed: int = 0
    salt: str = ""
    """Per project: a row never changes sides of the split."""
    split_columns: list[str] = Field(default_factory=list)
    """By which rows without an id were split when the project was judged last."""
    previous_schema: dict[str, Any] | None = None
    """Of the champion's snapshot, to notice a type that changed or a column that is gone."""
    champion: Champion | None = None
    test_uses: int = 0
    """How many runs were judged on test rows of this project before."""


class CompactOrder(Body):
    """Which capture segments to compact: of one replica folder, from an offset on."""

    endpoint: str
    deployment: int
    captures_folder: str
    """`serve/d-ID/rNN/captures`."""
    out_folder: str
    """`captures/ENDPOINT`."""
    segment: int
    byte: int
    retired: bool = False
    """The replica is gone: its last segment is closed too."""


class SnapshotResult(StrictBody):
    """Of step `snapshot`."""

    sha256: str
    """Of the content."""
    rows: int
    columns: int
    left_out: int
    """Rows without a target."""
    data_schema: dict[str, Any]
    data: FileEntry
    """Canonical Parquet, in the work folder."""
    profile: FileEntry
    reservoir: FileEntry | None = None
    sources: list[dict[str, Any]]
    """Each: path, sha256, size_bytes."""
    failures: list[dict[str, Any]] = Field(default_factory=list)
    """Failed expectations; where there is one the step's result is stored and the job then fails with BadData."""


class CandidateResult(StrictBody):
    """One candidate as fitted."""

    name: str
    kind: str
    params: dict[str, Any]
    status: Literal["fitted", "failed"]
    metrics: dict[str, float]
    note: str = ""


class FitResult(StrictBody):
    """Of step `fit`."""

    candidates: list[CandidateResult]
    best: str
    split: dict[str, Any]
    """rows of train, validation and test; with `data.time` the cut-offs; `trained_until`."""
    environment: dict[str, str]


class PackageResult(StrictBody):
    """Of step `package`: the bundle's files lie in `bundle/` of the work folder."""

    files: list[FileEntry]
    """Paths relative to the bundle's folder, `manifest.json` among them."""
    parity_rows: int
    parity_difference: float
    """Largest difference between the packaged model's scores and the fitted one's."""


class JudgeResult(StrictBody):
    """Of step `judge`: figures only; the gate decides inside the engine's transaction."""

    figures: dict[str, Any]
    """`engine.evaluation.gate.GateFigures` as a dict."""
    metrics: dict[str, float]
    """On test."""
    trained_until: AwareDatetime | None = None


class CompactResult(StrictBody):
    """Of step `compact`."""

    segment: int
    byte: int
    """Where the next compaction goes on."""
    rows: int
    requests: int
    duplicates: int
    damaged_lines: int
    dropped: int
    """Answers that the model server could not capture."""
    files: list[str]
    """Parquet files written, by name."""


class FinishStep(StrictBody):
    """`POST /v1/jobs/{id}/steps/{step}`."""

    result: dict[str, Any]
    """One of the results above, by the step's name; checked by the engine."""


class FinishedStep(Body):
    """Answer of `POST /v1/jobs/{id}/steps/{step}`, given after the commit."""

    finished: bool
    job: JobView


class ReportProgress(StrictBody):
    """`POST /v1/jobs/{id}/progress`. Points are stored durably, the rest only passes by."""

    step: str | None = None
    fraction: float | None = Field(default=None, ge=0.0, le=1.0)
    note: str = Field(default="", max_length=200)
    points: list[CurvePoint] = Field(default_factory=list, max_length=5000)
    params: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Candidates begun, by name: their parameters."""


class ReportFailure(StrictBody):
    """`POST /v1/jobs/{id}/fail`: the worker gives up; it is not tried again."""

    failure: Failure
