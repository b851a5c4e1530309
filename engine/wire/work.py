"""What a worker and the engine say to each other about one job. Every call carries the job's token.

The steps of a `train` job, in order: `snapshot`, `fit`, `package`, `judge`. The worker computes, posts the step's
result with the files it left in its work folder; the engine hashes those files again, adopts them into the blob
store and applies the effect in one transaction, fenced by the attempt. After `judge` the job has succeeded.
Any other job has one step, named after its kind.
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


class FreshRows(Body):
    """Captured predictions whose labels have come: rows to learn from beside the source."""

    captures_folder: str
    """`captures/ENDPOINT`; capture files lie in it, label files in its `labels/`."""
    capture_files: list[str]
    label_files: list[str]
    """Oldest first: of two labels for one row the later counts."""
    mature_until: AwareDatetime | None = None
    """Rows later than this are left out: labels of one kind may come sooner than those of another. None: no limit."""


class WorkOrder(Body):
    """`GET /v1/jobs/{id}/work`: all a worker needs to know. Paths are absolute, on this host."""

    job_id: int
    attempt: int
    kind: Literal["look", "train", "compact", "check", "label"]
    args: dict[str, Any]
    """`look`: an `AskLook`. `compact`: a `CompactOrder`. `check`: a `CheckOrder`. `label`: a `LabelOrder`. `train`:
    `retrain`, its id, where one asked for it."""
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
    fresh: FreshRows | None = None
    """None: nothing is labelled yet."""
    judge_after: AwareDatetime | None = None
    """With `data.time`, and a champion: test rows are the later half of those after this time."""
    changed_from: AwareDatetime | None = None
    """With `data.time`, where an alarm asked for it: since when the world is another one."""


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


class WindowFigures(StrictBody):
    """Realised performance of one version in one stretch of time."""

    version: int
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    rows: int
    labelled: int
    value: float | None
    lower: float | None
    upper: float | None
    se: float | None
    mature: bool


class CheckedLabels(Body):
    """Where captures and labels of a model lie, and what its versions promised: to tell what they are worth now."""

    fresh: FreshRows
    until_capture_file: int
    until_label_file: int
    label_delay_s: float | None
    """`[watch] label_delay`; None: seen from how labels came so far."""
    metric: str
    min_rows_per_class: int
    promised: dict[str, dict[str, float | None]]
    """By version's number: `value`, `lower`, `upper`, on its test rows."""
    signatures: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """By version's number, of every version: `classes`, `threshold`."""
    settled: list[WindowFigures] = Field(default_factory=list)
    """Windows that are mature already, oldest first: their bounds stay as they are."""


class CheckOrder(Body):
    """Args of a `check` job."""

    version: int
    """The reference is this version's training data, and its answers on test rows."""
    bundle: list[FileEntry]
    profile_sha256: str
    newest_sha256: str | None = None
    """Blob: profile of the newest of the reference's rows; what looks like these has not drifted either."""
    predictions: dict[str, Any] | None
    source: Literal["captures", "data"]
    captures_folder: str = ""
    capture_files: list[str] = Field(default_factory=list)
    """Oldest first."""
    after_file: int = 0
    until_file: int = 0
    dropped: int = 0
    """Answers beside those in the files that the model server could not capture."""
    data_sha256: str | None = None
    data_name: str = ""
    alarms_per_year: float
    checks_per_year: float
    labels: CheckedLabels | None = None


class LabelOrder(Body):
    """Args of a `label` job."""

    sha256: str
    """Blob of the file as it was given."""
    file: str
    """Its name."""
    out_folder: str
    """`captures/ENDPOINT/labels`."""
    labels: CheckedLabels


class ColumnFigures(StrictBody):
    """What was measured of one column; `kind` `prediction` stands for the answers (of a class, `NAME: CLASS`)."""

    column: str
    kind: Literal["number", "category", "prediction"]
    p_value: float | None
    """Of Kolmogorov-Smirnov or chi-square, corrected for rows that are not independent; None: not measured."""
    distance: float | None
    psi: float | None
    """None below 500 rows."""
    wasserstein: float | None
    null_share: float
    reference_null_share: float
    null_p_value: float | None
    new_share: float = 0.0
    """Of rows: categories that the reference does not know."""
    new_p_value: float | None = None
    """Of so many new ones, or more, when nothing has changed; None: not a category, or not measured."""
    new_values: list[str] = Field(default_factory=list)
    """At most ten."""
    lost_values: list[str] = Field(default_factory=list)
    effective_rows: float
    """As many independent rows would tell as much."""
    effective_reference_rows: float = 0.0
    """The same of the reference."""
    within_usual: bool = False
    """Stretches of the reference itself differ from the whole as much as this."""


class QualityFinding(StrictBody):
    """A fault of the data."""

    fault: Literal["missing_column", "new_column", "nulls", "range", "stuck", "type", "dropped"]
    column: str
    message: str
    """One sentence with its figures."""
    share: float | None = None
    alarming: bool = True
    """False: told, no more."""


class LabelBucket(StrictBody):
    """Captures of a stretch of time, and how many of them are labelled."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    captured: int
    labelled: int
    by_class: dict[str, int] = Field(default_factory=dict)


class LabelledFigures(StrictBody):
    """All that is known by the labels so far."""

    until_capture_file: int
    until_label_file: int
    captured: int
    labelled: int
    mature_until: AwareDatetime | None
    buckets: list[LabelBucket]
    """Each row once, however often it was predicted: as a training would get it."""
    windows: list[WindowFigures]
    """All that are not mature, and of the mature ones those that are new or came out otherwise."""


class CheckResult(StrictBody):
    """Of step `check`. The pure rule decides inside the engine's transaction what of it is an alarm."""

    rows: int
    reference_rows: int
    first_at: AwareDatetime | None
    last_at: AwareDatetime | None
    columns: list[ColumnFigures]
    findings: list[QualityFinding]
    figures: FileEntry | None
    """JSON in the work folder: `{"columns": [wire.monitoring.Distribution…]}`. None: too few rows."""
    labelled: LabelledFigures | None = None


class LabelResult(StrictBody):
    """Of step `label`."""

    file: str
    """Parquet in the order's `out_folder`: key columns, label, labelled_at, seen_at."""
    rows: int
    counts: dict[str, Any]
    """wire.monitoring.LabelCounts."""
    labelled: LabelledFigures


class CaptureFileResult(StrictBody):
    """One Parquet file that a compaction wrote."""

    name: str
    version: int
    rows: int
    size_bytes: int
    first_received_at: AwareDatetime | None
    last_received_at: AwareDatetime | None
    first_event_at: AwareDatetime | None
    last_event_at: AwareDatetime | None


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
    predictions: dict[str, Any] | None = None
    """Profile of the model's answers on the test rows: `engine.data.profile` columns, kind `prediction`."""
    newest: FileEntry | None = None
    """In the work folder: profile of the newest rows it knows (`engine.worker.newest_rows`). None: too few."""


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
    written: list[CaptureFileResult] = Field(default_factory=list)
    """The same, with what they hold."""


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
