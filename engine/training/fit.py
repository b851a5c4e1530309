"""Fits the candidates on train, orders them on validation, and fits the best again on both.

After a change each candidate is fitted twice, on all rows and on those since: a small new world under a large old one
is learnt slowly from both, and from itself alone badly while it is small. Validation, which is of the new one, chooses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from engine.data.schema import Schema
from engine.errors import ProjectCodeFailed
from engine.evaluation.metrics import Floats, measure_all
from engine.evaluation.threshold import EVEN, choose_threshold
from engine.project import Project, Scalar
from engine.training.candidates import NEW, candidate_named, candidates
from engine.training.constant import Constant
from engine.training.encoding import Columns, Feature, Tables, features, fit_tables
from engine.training.leaderboard import Entry, ranked
from engine.training.model import Candidate, CandidateFailed, FittedModel, Lesson, Side
from engine.training.split import Indices, Split
from engine.training.target import Label, Target, read_target

OnBegin = Callable[[str, dict[str, Scalar]], None]
"""Takes a candidate's name and parameters."""
OnMetric = Callable[[str, str, int, float], None]
"""Takes a candidate's name, a key, a step and a value."""
OnProgress = Callable[[float], None]
"""Takes the share of the fitting that is done, 0 to 1."""


@dataclass(frozen=True)
class TrainingTask:
    """A snapshot's rows with everything that a fit needs to know of them."""

    project: Project
    frame: pl.DataFrame
    features: tuple[Feature, ...]
    target: Target
    split: Split
    code: Path
    """The stored code tree."""
    seed: int

    def columns(self, rows: Indices) -> Columns:
        """The features of these rows, by name."""
        taken = self.frame.select([feature.name for feature in self.features])[rows]
        return {name: taken[name] for name in taken.columns}


def make_task(
    project: Project, frame: pl.DataFrame, schema: Schema, split: Split, code: Path, seed: int
) -> TrainingTask:
    """Read a snapshot as a task.

    Raises:
        BadData: no column is left to learn from.
        InvalidConfig: `data.positive` is none of the target's values.
    """
    target = read_target(frame[project.data.target], project)
    return TrainingTask(project, frame, features(schema, project), target, split, code, seed)


@dataclass(frozen=True)
class Fitted:
    """A fitted model with the tables it reads rows by."""

    entry: Entry
    tables: Tables
    model: FittedModel
    classes: tuple[Label, ...]
    """Labels by column of its scores; empty for regression."""
    threshold: float

    def scores(self, columns: Columns) -> Floats:
        """Shape (rows, classes); (rows, 1) for regression."""
        return self.model.scores(self.tables.read(columns))


@dataclass(frozen=True)
class Leaderboard:
    """What came of the candidates, the best first."""

    entries: tuple[Entry, ...]

    @property
    def best(self) -> Entry:
        """The one that goes on."""
        return self.entries[0]


def fit_candidates(
    task: TrainingTask,
    *,
    on_begin: OnBegin = lambda name, params: None,
    on_metric: OnMetric = lambda name, key, step, value: None,
    on_progress: OnProgress = lambda share: None,
    threads: int | None = None,
) -> Leaderboard:
    """Fit every candidate on the train rows and measure it on the validation rows; after a change also on those of
    the train rows that came since, as `NAME-new`.

    Where none can be fitted, the constant model stands in.

    Raises:
        ProjectCodeFailed: the project's own estimator raised, or cannot be served.
    """
    studio = _Studio(task, task.split.train, task.split.validation, threads or threads_here())
    competing = _competing(task, studio, task.split.train)
    if task.split.changed_from is not None:
        new = np.intersect1d(task.split.train, task.split.new)
        newer = _Studio(task, new, task.split.validation, threads or threads_here(), only_new=True)
        competing += _competing(task, newer, new)
    entries: list[Entry] = []
    for position, (own, candidate) in enumerate(competing):
        on_begin(own.name(candidate), own.params(candidate))
        entries.append(_entry(own, candidate, on_metric))
        on_progress((position + 1) / len(competing))
    if all(entry.failed for entry in entries):
        on_begin(Constant.name, {})
        entries.append(_entry(studio, Constant(), on_metric))
    return Leaderboard(tuple(ranked(entries, task.project.task, task.project.metric)))


def fit_again(task: TrainingTask, best: Entry, *, threads: int | None = None) -> Fitted:
    """Fit a candidate for good, on train and validation rows, with what its first fit found.

    The same task and entry give the same model.

    Raises:
        ProjectCodeFailed: as in `fit_candidates`.
    """
    rows, learnt = task.split.train, task.split.learnt
    if task.split.changed_from is not None and best.name.endswith(NEW):
        rows, learnt = np.intersect1d(rows, task.split.new), task.split.new
    studio = _Studio(task, learnt, None, threads or threads_here())
    candidate = candidate_named(task.project, task.code, len(rows), best.name).found_before(best.params)
    try:
        return studio.fit(candidate, best, lambda key, step, value: None)
    except CandidateFailed:
        constant = Constant()
        return studio.fit(constant, Entry(constant.name, constant.kind, {}), lambda key, step, value: None)


def threads_here() -> int:
    """Half the cores that this process may use.

    The rest is for a second job and for what answers predictions: threads of LightGBM that wait for a core spin, and
    two jobs with all cores each took twelve times as long as one.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, cores // 2)


def _competing(task: TrainingTask, studio: _Studio, rows: Indices) -> list[tuple[_Studio, Candidate]]:
    return [(studio, one) for one in candidates(task.project, task.code, len(rows))] if studio.can_learn else []


def _entry(studio: _Studio, candidate: Candidate, on_metric: OnMetric) -> Entry:
    curves: set[str] = set()
    name, params = studio.name(candidate), studio.params(candidate)

    def report(key: str, step: int, value: float) -> None:
        curves.add(key)
        on_metric(name, key, step, value)

    try:
        fitted = studio.fit(candidate, Entry(name, candidate.kind, params), report)
    except CandidateFailed as error:
        return Entry(name, candidate.kind, params, failed=True, note=str(error)[:300])
    except ProjectCodeFailed as error:
        if not studio.only_new:
            raise
        return Entry(name, candidate.kind, params, failed=True, note=error.message[:300])
    metrics, note = studio.measure(fitted), "; ".join(told for told in (studio.note, fitted.model.note) if told)
    for key in sorted(metrics.keys() - curves):
        on_metric(name, key, 0, metrics[key])
    return Entry(name, candidate.kind, params | fitted.model.found, metrics, note=note)


class _Studio:
    """Rows to fit on, read once per family of models."""

    def __init__(
        self, task: TrainingTask, train: Indices, validation: Indices | None, threads: int, *, only_new: bool = False
    ) -> None:
        self._task, self._threads, self.only_new = task, threads, only_new
        self._train, self._train_target = task.columns(train), task.target.values[train]
        usable = validation is not None and len(validation) > 0
        self._validation = task.columns(validation) if validation is not None and usable else None
        self._validation_target = task.target.values[validation] if validation is not None and usable else None
        present = np.unique(self._train_target.astype(np.int64)) if task.target.classes else np.empty(0, dtype=np.int64)
        self._present = [int(code) for code in present]
        self._read: dict[str, tuple[Tables, Any, Any]] = {}

    @property
    def can_learn(self) -> bool:
        """Two classes at least to tell apart, or a number."""
        return not self._task.target.classes or len(self._present) >= 2

    def name(self, candidate: Candidate) -> str:
        """A candidate's name among all of the run."""
        return f"{candidate.name}{NEW}" if self.only_new else candidate.name

    def params(self, candidate: Candidate) -> dict[str, Scalar]:
        """Its parameters, with the time of the first rows that it may know, where it may not know all."""
        since = self._task.split.changed_from
        return candidate.params | ({"learnt_from": since.isoformat()} if self.only_new and since is not None else {})

    @property
    def note(self) -> str:
        """On what it learns, where that is not all there is."""
        since = self._task.split.changed_from
        rows = len(self._train_target)
        return f"learnt from the {rows:,} rows since {since:%Y-%m-%d} alone" if self.only_new and since else ""

    def fit(self, candidate: Candidate, entry: Entry, report: Callable[[str, int, float], None]) -> Fitted:
        tables, train, validation = self._tables(candidate)
        known = self._known(candidate)
        model = candidate.fit(
            Lesson(
                task=self._task.project.task,
                metric=self._task.project.metric,
                classes=len(known),
                train=Side(train, self._codes(known, self._train_target)),
                validation=self._validation_side(known, validation),
                categorical=tuple(tables.categorical),
                seed=self._task.seed,
                threads=self._threads,
            ),
            report,
        )
        classes = tuple(self._task.target.classes[code] for code in known)
        return Fitted(entry, tables, model, classes, entry.metrics.get("threshold", EVEN))

    def measure(self, fitted: Fitted) -> dict[str, float]:
        """Metrics on validation, by the threshold chosen there; with the threshold itself for a binary task."""
        if self._validation is None or self._validation_target is None:
            return {}
        project, classes = self._task.project, self._task.target.classes
        scores, truth = fitted.scores(self._validation), self._validation_target
        if classes:
            aligned = np.zeros((len(truth), len(classes)))
            aligned[:, [classes.index(label) for label in fitted.classes]] = scores
            scores = aligned
        if project.task != "binary":
            return measure_all(project.task, truth, scores)
        threshold = choose_threshold(truth.astype(np.int64), scores[:, 1], project.metric)
        return measure_all(project.task, truth, scores, threshold) | {"threshold": threshold}

    def _tables(self, candidate: Candidate) -> tuple[Tables, Any, Any]:
        family = candidate.family
        if family not in self._read:
            tables = fit_tables(family, self._task.features, self._train)
            validation = tables.read(self._validation) if self._validation is not None else None
            self._read[family] = (tables, tables.read(self._train), validation)
        return self._read[family]

    def _known(self, candidate: Candidate) -> Sequence[int]:
        """Codes of the classes that the model will know: those of its rows, or all where it needs no rows."""
        every = range(len(self._task.target.classes))
        return every if candidate.kind == Constant.kind else self._present

    def _codes(self, known: Sequence[int], target: Floats) -> Floats:
        return np.searchsorted(known, target).astype(np.float64) if known else target

    def _validation_side(self, known: Sequence[int], matrix: Any) -> Side | None:
        """Validation rows whose class the train rows have; None where there are none."""
        if matrix is None or self._validation_target is None:
            return None
        if not known:
            return Side(matrix, self._validation_target)
        kept = np.isin(self._validation_target, known)
        return Side(matrix[kept], self._codes(known, self._validation_target[kept])) if kept.any() else None
