"""Captures and labels → how far they are labelled, and what each version's answers were worth, window by window.

A window is a stretch of one version's rows in the order of time, with at least 500 labelled rows, 30 of each class,
and one in a hundred of all labelled rows before it (a year of windows stays a page). Windows whose rows are mature are
settled: their bounds stay, and their figures follow only corrected labels. What comes after them is cut anew each
time. The metric, its bootstrap and its 90 % interval are the gate's own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import numpy as np
import polars as pl

from engine.evaluation.comparison import compare, draws_for
from engine.evaluation.judge import align
from engine.evaluation.metrics import Floats, Statistic, statistic
from engine.monitoring.label_join import (
    captured_at,
    first_captures,
    join_labels,
    newest_labels,
    read_captures,
    read_label_files,
)
from engine.monitoring.maturity import RARE_SHARE, Coverage, Ints, mature_until_us
from engine.project import LOSSES, MetricName, Project, Task
from engine.serving.answers import class_name
from engine.wire.work import CheckedLabels, LabelBucket, LabelledFigures, WindowFigures

LEAST_LABELLED = 500
LEAST_OF_CLASS = 30
GROWTH = 100
"""A window holds at least one in so many of the labelled rows before it."""

_BUDGET = 200_000_000
"""Draws times rows for all windows of one look: a few seconds. Fewer draws per window where there is much to do."""
_LEAST_DRAWS = 200
"""Of a window that is not mature: nothing is judged by it, and it is measured anew at each look."""
_BUCKETS = 200
_MINUTE = 60
_WIDTHS_S = (
    1, 10, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 60 * _MINUTE, 6 * 3600, 86_400, 7 * 86_400, 28 * 86_400, 364 * 86_400,
)  # fmt: skip

Told = Callable[[str], None]


@dataclass(frozen=True)
class _Rows:
    """All captured rows in the order of time."""

    frame: pl.DataFrame
    """Version, and the answers."""
    at_us: Ints
    code: Ints
    """As in `Coverage`: index of the label among all classes."""
    truth: Floats
    """Regression: the label as a number, NaN where there is none."""
    classes: tuple[Any, ...]


def labelled_figures(
    order: CheckedLabels, project: Project, labels: pl.DataFrame | None = None, told: Told = lambda note: None
) -> LabelledFigures:
    """All that the labels say.

    `labels` are those of the order's files, and of one that is not among them yet, in the order in which they came
    (`label_join.LABEL_SCHEMA`); None: read from the files.
    """
    folder = Path(order.fresh.captures_folder)
    if labels is None:
        labels = read_label_files(folder / "labels", order.fresh.label_files)
    told(f"joining {labels.height:,} labels with captures")
    joined = _joined(order, project.task, labels)
    classes = all_classes(order.signatures)
    rows = _coded(joined, project.task, classes)
    told("finding which rows are mature")
    cut = _mature_until(rows, joined, project.task, order)
    unique = _coded(first_captures(joined), project.task, classes)
    settled = defaultdict(list)
    for window in order.settled:
        settled[window.version].append(window)
    told("measuring")
    return LabelledFigures(
        until_capture_file=order.until_capture_file,
        until_label_file=order.until_label_file,
        captured=len(unique.code),
        labelled=int((unique.code >= 0).sum()),
        mature_until=None if cut is None else _moment(cut),
        buckets=_buckets(unique),
        windows=_windows(rows, project, order, settled, cut),
    )


def all_classes(signatures: Mapping[str, Mapping[str, Any]]) -> tuple[Any, ...]:
    """Every class that any version knows, the newest version's first."""
    numbers = sorted(signatures, key=int, reverse=True)
    found = {class_name(label): label for number in numbers for label in signatures[number].get("classes") or ()}
    return tuple(found.values())


def _joined(order: CheckedLabels, task: Task, labels: pl.DataFrame) -> pl.DataFrame:
    answers = {"binary": ["probability"], "regression": ["value"], "multiclass": ["scores"]}[task]
    names = ["id", "version", "event_time", "received_at", *answers]
    if labels["id"].null_count():
        names += ["request_id", "row_index"]
    captures = read_captures(Path(order.fresh.captures_folder), order.fresh.capture_files, names)
    captures = captures.with_columns(captured_at()).drop("event_time")
    if captures["at"].null_count():
        captures = captures.filter(pl.col("at").is_not_null())
    if not captures["at"].is_sorted():
        captures = captures.sort("at", maintain_order=True)
    return join_labels(captures, newest_labels(labels))


def _coded(joined: pl.DataFrame, task: Task, classes: Sequence[Any]) -> _Rows:
    at_us = joined["at"].dt.epoch("us").to_numpy()
    if task == "regression":
        truth = joined["label"].cast(pl.Float64, strict=False).fill_null(math.nan).to_numpy()
        code = np.where(np.isfinite(truth), 0, -1).astype(np.int64)
        return _Rows(_answers(joined), at_us, code, truth, ())
    names = [class_name(label) for label in classes]
    codes = joined["label"].replace_strict(names, list(range(len(names))), default=-1, return_dtype=pl.Int64)
    code = codes.fill_null(-1).to_numpy()
    return _Rows(_answers(joined), at_us, code, code.astype(np.float64), tuple(classes))


def _answers(joined: pl.DataFrame) -> pl.DataFrame:
    return joined.select(name for name in ("version", "probability", "value", "scores") if name in joined.columns)


def _mature_until(rows: _Rows, joined: pl.DataFrame, task: Task, order: CheckedLabels) -> int | None:
    if not len(rows.at_us):
        return None
    known = joined.select(pl.coalesce("labelled_at", "seen_at").dt.epoch("us").fill_null(0)).to_series().to_numpy()
    answered = _answered(rows, task, order)
    delay = order.label_delay_s
    return mature_until_us(
        Coverage(rows.at_us, rows.code, known, answered), None if delay is None else int(delay * 1e6)
    )


def _answered(rows: _Rows, task: Task, order: CheckedLabels) -> Floats:
    """Mean score of each class over a sample of all rows; two even halves where the answers do not say."""
    if task == "regression":
        return np.ones(1)
    if task == "binary":
        return np.full(2, 0.5)
    sample = rows.frame[:: max(1, rows.frame.height // 20_000)]
    total = np.zeros(len(rows.classes))
    for (version,), part in sample.group_by("version"):
        scores, _ = _scores(part, task, order.signatures.get(str(version), {}), rows.classes)
        total += np.nan_to_num(scores).sum(axis=0)
    shares: Floats = total / max(float(total.sum()), 1.0)
    return shares


def _scores(
    part: pl.DataFrame, task: Task, signature: Mapping[str, Any], classes: Sequence[Any]
) -> tuple[Floats, tuple[Any, ...]]:
    """Scores of rows of one version, shape (rows, classes), and the classes of their columns; NaN: no answer."""
    if task == "regression":
        return part["value"].fill_null(math.nan).to_numpy()[:, None], ()
    own = tuple(signature.get("classes") or ())
    if task == "binary":
        positive = part["probability"].fill_null(math.nan).to_numpy()
        return np.stack([1.0 - positive, positive], axis=1), own
    width = len(own)
    if not width:
        return np.full((part.height, len(classes)), math.nan), tuple(classes)
    fits = part["scores"].list.len().fill_null(0) == width
    scores = np.full((part.height, width), math.nan)
    if fits.any():
        flat = part["scores"].filter(fits).explode(empty_as_null=False, keep_nulls=False).fill_null(math.nan).to_numpy()
        scores[fits.to_numpy()] = flat.reshape(-1, width)
    return align(scores, own, list(classes)), tuple(classes)


@dataclass
class _Version:
    """What is measured of one version."""

    number: int
    at_us: Ints
    """Of all its rows."""
    place: Ints
    """Of its rows that have a label and an answer, among all its rows."""
    truth: Floats
    scores: Floats
    metric: MetricName
    threshold: float
    counted: Ints
    """Index of each labelled row's class, 0 in regression."""
    asked: Ints
    """Classes that a window needs enough rows of."""
    floor_us: int | None = None
    """Rows up to here are in settled windows."""
    stretches: list[_Stretch] = field(default_factory=list)


@dataclass(frozen=True)
class _Stretch:
    """A window to be measured: labelled rows [begin, end) of a version."""

    begin: int
    end: int
    starts_at: int
    ends_at: int
    """µs; the bounds that are kept."""
    rows: int
    mature: bool
    known: WindowFigures | None = None


def _windows(
    rows: _Rows,
    project: Project,
    order: CheckedLabels,
    settled: Mapping[int, Sequence[WindowFigures]],
    cut: int | None,
) -> list[WindowFigures]:
    versions = [
        _prepare(rows, number, project, order)
        for number in rows.frame["version"].unique().sort().drop_nulls().to_list()
    ]
    for version in versions:
        _lay_out(version, settled.get(version.number, ()), cut)
    to_draw = [(version, one) for version in versions for one in version.stretches if _changed(version, one)]
    draws = max(_LEAST_DRAWS, _BUDGET // max(1, sum(one.end - one.begin for _, one in to_draw)))
    return [_measure(version, one, draws) for version, one in to_draw]


def _prepare(rows: _Rows, number: int, project: Project, order: CheckedLabels) -> _Version:
    mine = (rows.frame["version"] == number).fill_null(value=False).arg_true().to_numpy()
    part = rows.frame[mine]
    signature = order.signatures.get(str(number), {})
    scores, own = _scores(part, project.task, signature, rows.classes)
    truth = _truth(rows, mine, own)
    usable = (rows.code[mine] >= 0) & np.isfinite(truth) & np.isfinite(scores).all(axis=1)
    place = np.flatnonzero(usable)
    truth, scores = truth[place], scores[place]
    counted = truth.astype(np.int64) if project.task != "regression" else np.zeros(len(place), dtype=np.int64)
    threshold = signature.get("threshold")
    return _Version(
        number=number,
        at_us=rows.at_us[mine],
        place=place,
        truth=truth,
        scores=scores,
        metric=cast(MetricName, order.metric),
        threshold=0.5 if threshold is None else float(threshold),
        counted=counted,
        asked=_asked(counted, project.task, len(own)),
    )


def _truth(rows: _Rows, mine: Any, own: Sequence[Any]) -> Floats:
    """Labels by the columns of the version's scores; a binary version that does not know a label has no truth there."""
    truth: Floats = rows.truth[mine]
    if rows.classes:
        place = {class_name(label): at for at, label in enumerate(own)}
        table = np.array([place.get(class_name(label), math.nan) for label in rows.classes] + [math.nan])
        truth = table[rows.code[mine]]
    return truth


def _asked(counted: Ints, task: Task, classes: int) -> Ints:
    if task == "regression":
        return np.zeros(1, dtype=np.int64)
    if task == "binary":
        return np.arange(2)
    share = np.bincount(counted, minlength=classes) / max(1, len(counted))
    return np.flatnonzero(share >= RARE_SHARE)


def _lay_out(version: _Version, settled: Sequence[WindowFigures], cut: int | None) -> None:
    """Settled windows where they were, then as many as fill, mature ones first, then what is left over."""
    labelled_at = version.at_us[version.place]
    begin, first_row = 0, 0
    for known in sorted(settled, key=lambda window: window.ends_at):
        end_us = _us(known.ends_at)
        end = int(np.searchsorted(labelled_at, end_us, side="right"))
        row = int(np.searchsorted(version.at_us, end_us, side="right"))
        version.stretches.append(_Stretch(begin, end, _us(known.starts_at), end_us, row - first_row, True, known))
        begin, first_row = end, row
    total = len(labelled_at)
    mature = 0 if cut is None else int(np.searchsorted(labelled_at, cut, side="right"))
    for until, is_mature in ((mature, True), (total, False)):
        for end in _full(version, labelled_at, begin, until):
            _append(version, labelled_at, begin, end, is_mature)
            begin = end
    if begin < total:
        _append(version, labelled_at, begin, total, mature=False)


def _full(version: _Version, labelled_at: Ints, begin: int, until: int) -> Iterator[int]:
    """Ends of the windows that fill between two places."""
    places = [np.flatnonzero(version.counted == one) for one in version.asked]
    while begin < until:
        end = begin + max(LEAST_LABELLED, begin // GROWTH)
        for of_class in places:
            needed = int(np.searchsorted(of_class, begin)) + LEAST_OF_CLASS - 1
            end = max(end, int(of_class[needed]) + 1) if needed < len(of_class) else until + 1
        if end > until:
            return
        # Rows of one moment stay together: a bound could not tell them apart.
        end = int(np.searchsorted(labelled_at, labelled_at[end - 1], side="right"))
        if end > until:
            return
        yield end
        begin = end


def _append(version: _Version, labelled_at: Ints, begin: int, end: int, mature: bool) -> None:
    starts_at, ends_at = int(labelled_at[begin]), int(labelled_at[end - 1])
    inside = np.searchsorted(version.at_us, [starts_at, ends_at + 1])
    version.stretches.append(_Stretch(begin, end, starts_at, ends_at, int(inside[1] - inside[0]), mature))


def _changed(version: _Version, one: _Stretch) -> bool:
    """A settled window comes out otherwise only by labels that were corrected or added; captures may be gone."""
    known = one.known
    if known is None:
        return True
    labelled = one.end - one.begin
    if labelled < known.labelled:
        return False
    if labelled != known.labelled:
        return True
    value = _value(_statistic(version, one), labelled)
    if value is None or known.value is None:
        return value is not known.value
    return not math.isclose(value, known.value, rel_tol=1e-9, abs_tol=1e-12)


def _statistic(version: _Version, one: _Stretch) -> Statistic:
    inside = slice(one.begin, one.end)
    return statistic(version.metric, version.truth[inside], version.scores[inside], version.threshold)


def _value(prepared: Statistic, rows: int) -> float | None:
    return _finite(float(prepared(np.ones((1, rows)))[0])) if rows else None


def _measure(version: _Version, one: _Stretch, draws: int) -> WindowFigures:
    labelled = one.end - one.begin
    value = lower = upper = se = None
    if labelled:
        told = compare(
            _statistic(version, one),
            {},
            rows=labelled,
            less_is_better=version.metric in LOSSES,
            seed=version.number,
            draws=min(draws, draws_for(labelled)) if one.mature else _LEAST_DRAWS,
        ).metric
        value, lower, upper, se = (_finite(one) for one in (told.value, told.lower, told.upper, told.se))
    return WindowFigures(
        version=version.number,
        starts_at=_moment(one.starts_at),
        ends_at=_moment(one.ends_at),
        rows=one.rows,
        labelled=labelled,
        value=value,
        lower=lower,
        upper=upper,
        se=se,
        mature=one.mature,
    )


def _buckets(rows: _Rows) -> list[LabelBucket]:
    """Captured and labelled rows by stretches of equal length, at most 200, which begin at whole minutes, hours, days.

    A stretch without a row is left out.
    """
    if not len(rows.at_us):
        return []
    span_s = (rows.at_us[-1] - rows.at_us[0]) / 1e6
    width_us = next((width for width in _WIDTHS_S if span_s / width <= _BUCKETS - 1), _WIDTHS_S[-1]) * 1_000_000
    bucket = rows.at_us // width_us
    present, first = np.unique(bucket, return_index=True)
    ends = np.r_[first[1:], len(bucket)]
    names = [class_name(label) for label in rows.classes]
    found = []
    for one, begin, end in zip(present.tolist(), first.tolist(), ends.tolist(), strict=True):
        code = rows.code[begin:end]
        counts = np.bincount(code[code >= 0], minlength=len(names)).tolist()
        found.append(
            LabelBucket(
                starts_at=_moment(one * width_us),
                ends_at=_moment((one + 1) * width_us),
                captured=end - begin,
                labelled=int((code >= 0).sum()),
                by_class={name: count for name, count in zip(names, counts, strict=False) if count},
            )
        )
    return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=int(us))


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
