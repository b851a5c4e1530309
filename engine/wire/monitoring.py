"""What production looks like: checks, alarms, labels, realised performance, retrains; and why a version came to be."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from engine.wire.base import Body, Line, Sha256, StrictBody
from engine.wire.events import EventView
from engine.wire.jobs import JobView

CheckOutcome = Literal["quiet", "alarm", "insufficient"]
AlarmKind = Literal["drift", "quality", "performance", "silence"]
AlarmStatus = Literal["open", "acknowledged", "closed"]
RetrainTrigger = Literal["drift", "performance", "schedule", "labels", "hand"]
RetrainStatus = Literal["waiting", "blocked", "training", "done", "given_up"]


UPLOAD_LIMIT_BYTES = 2 * 1024**3
"""Of one uploaded file."""


class Upload(Body):
    """Answer of `POST /v1/uploads`: a file's bytes are stored by their hash, durably."""

    sha256: Sha256
    size_bytes: int


class AskCheck(StrictBody):
    """`POST /v1/models/{name}/checks`: look now."""

    data_sha256: Sha256 | None = None
    """An uploaded file to look at instead of the captures; such a check raises no alarm and moves no offset."""
    data_name: str = Field(default="", max_length=200)
    """Its name, which tells its format."""


class Threshold(Body):
    """What a check needed to see before it spoke."""

    alarms_per_year: float
    checks_per_year: float
    q: float
    """Share of false discoveries allowed in this one check (Benjamini-Hochberg over columns)."""
    alpha: float
    """The p-value that the strongest column had to reach: q over the number of columns."""
    min_distance: float
    min_psi: float
    min_null_share: float
    min_new_share: float
    smallest_shift: float | None
    """The smallest shift of a number, in standard deviations, that these rows would have shown four times in five;
    None: there are no numbers, or no number of rows would do."""
    smallest_distance: float | None
    """The smallest Kolmogorov-Smirnov distance that could have raised an alarm."""


class FigureView(Body):
    """One column in one check."""

    column: str
    kind: Literal["number", "category", "prediction"]
    drifted: bool
    distance: float | None
    """Kolmogorov-Smirnov of numbers, Jensen-Shannon of categories."""
    p_value: float | None
    psi: float | None
    wasserstein: float | None
    """In standard deviations of the reference."""
    null_share: float | None


class CheckView(Body):
    """One look at a model in production."""

    id: int
    model: str
    version: int
    """Whose training data it was compared with."""
    job_id: int
    source: Literal["captures", "data"]
    outcome: CheckOutcome
    rows: int
    first_at: AwareDatetime | None
    last_at: AwareDatetime | None
    drifted: list[str]
    findings: list[dict[str, Any]]
    """Of data quality: `fault`, `column`, `message`, figures."""
    threshold: Threshold | None
    """None: too few rows were there to look at."""
    created_at: AwareDatetime
    by: str
    figures: list[FigureView] = Field(default_factory=list)
    """The strongest first; empty in lists."""


class CheckList(Body):
    """`GET /v1/models/{name}/checks`, newest first."""

    checks: list[CheckView]
    next_before: int | None


class Distribution(Body):
    """A column now and then, to be drawn over each other."""

    column: str
    kind: Literal["number", "category", "prediction"]
    edges: list[float] = Field(default_factory=list)
    """Of numbers: ends of the bins, one more than there are bins."""
    labels: list[str] = Field(default_factory=list)
    """Of categories; the rest is in the last one, `(other)`."""
    reference: list[float]
    """Shares by bin or label."""
    current: list[float]


class DriftView(Body):
    """`GET /v1/models/{name}/drift`: the newest check with its distributions, and how columns fared before."""

    check: CheckView | None
    distributions: list[Distribution]
    history: dict[str, list[float | None]]
    """Distance of each column in the newest 30 checks, oldest first."""
    waiting_rows: int
    """Captured rows that no check has looked at yet."""
    next_at: AwareDatetime | None
    note: str
    """Why there is no check yet, or what the next one waits for; one sentence, or empty."""


class AlarmView(Body):
    """Something that somebody should look at."""

    id: int
    model: str
    kind: AlarmKind
    status: AlarmStatus
    version: int
    subject: str
    message: str
    hint: str
    evidence: dict[str, Any]
    check_id: int | None
    changed_from: AwareDatetime | None
    times_seen: int
    opened_at: AwareDatetime
    last_seen_at: AwareDatetime
    acknowledged_at: AwareDatetime | None
    acknowledged_by: str | None
    closed_at: AwareDatetime | None
    closed_by: str | None
    note: str
    retrain_id: int | None
    """The retrain it asked for."""


class AlarmList(Body):
    """`GET /v1/alarms`, open ones first, then newest first."""

    alarms: list[AlarmView]
    next_before: int | None


class AnswerAlarm(StrictBody):
    """`POST /v1/alarms/{id}/acknowledge` and `…/close`."""

    note: Line = ""


class LabelCounts(Body):
    """What became of the rows of one file of labels."""

    rows: int
    matched: int
    """Belong to a captured prediction."""
    early: int
    """Belong to none that is captured yet; kept, for it may still come."""
    repeated: int
    """Said before, the same."""
    corrected: int
    """Said before, otherwise: the newer one counts."""
    refused: int
    """Lines that are no label; `examples` says why."""
    examples: list[str] = Field(default_factory=list)
    """Sentences about the first refused lines."""


class AskLabel(StrictBody):
    """`POST /v1/models/{name}/labels`: an uploaded CSV (or Parquet, JSON lines) of outcomes."""

    sha256: Sha256
    file: str = Field(max_length=200)
    """Its name, which tells its format."""


class LabelFileView(Body):
    """One file of labels that came in."""

    id: int
    file: str
    counts: LabelCounts
    created_at: AwareDatetime
    by: str


class LabelList(Body):
    """`GET /v1/models/{name}/labels`, newest first, with the whole."""

    files: list[LabelFileView]
    captured: int
    labelled: int
    mature_until: AwareDatetime | None


class WindowView(Body):
    """What a version's answers were worth in a stretch of time."""

    version: int
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    rows: int
    labelled: int
    metric: str
    value: float | None
    lower: float | None
    upper: float | None
    mature: bool


class PerformanceView(Body):
    """`GET /v1/models/{name}/performance`: realised, against what the gate promised."""

    metric: str
    windows: list[WindowView]
    """Oldest first."""
    promised: dict[str, dict[str, float | None]]
    """By version's number: `value`, `lower`, `upper` on its test rows."""
    captured: int
    labelled: int
    note: str
    """Why there is nothing to see, in one sentence; or empty."""


class AskRetrain(StrictBody):
    """`POST /v1/models/{name}/retrain`."""

    reason: Line = ""
    now: bool = False
    """Do not wait for enough labelled rows."""


class RetrainView(Body):
    """A wish to train again, from its cause to its end."""

    id: int
    model: str
    trigger: RetrainTrigger
    alarm_id: int | None
    status: RetrainStatus
    reason: str
    note: str
    judge_after: AwareDatetime | None
    rows_needed: int
    rows_there: int
    job_id: int | None
    run_id: int | None
    version: int | None
    verdict: str | None
    created_at: AwareDatetime
    by: str
    ended_at: AwareDatetime | None


class RetrainList(Body):
    """`GET /v1/retrains`, newest first."""

    retrains: list[RetrainView]
    next_before: int | None


class RetrainAnswer(Body):
    """Answer of `POST /v1/models/{name}/retrain`."""

    retrain: RetrainView
    job: JobView | None
    """None while it waits."""
    stored_again: bool = False
    """True: the folder had changed since it was stored, and was stored again (an admin asked)."""


class ChainLink(Body):
    """One step of how a version came to be and what became of it, in the order of time."""

    at: AwareDatetime
    what: Literal[
        "data", "check", "alarm", "retrain", "train", "verdict", "approval", "release", "takeover", "performance", "end"
    ]
    text: str
    """One whole sentence with its figures."""
    refs: dict[str, Any] = Field(default_factory=dict)
    """Ids: `check`, `alarm`, `retrain`, `run`, `job`, `snapshot`, `deployment`, `event`."""


class WhyView(Body):
    """`GET /v1/models/{name}/versions/{number}/why`: the whole chain behind one version."""

    model: str
    version: int
    chain: list[ChainLink]
    metric: str
    before: WindowView | None
    """Realised by the champion before it, in its last mature windows together."""
    during: WindowView | None
    """The same, while the alarm was open."""
    after: WindowView | None
    """Realised by this version."""
    events: list[EventView] = Field(default_factory=list)
