"""The `train` job: snapshot → fit → package → judge, each step finished once and resumed after.

What an earlier attempt finished comes back from the blob store by its hash; files it left in its own work folder are
not looked at.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from engine.data.checks import expectations_error
from engine.data.schema import Schema
from engine.data.snapshot import load_snapshot, take_snapshot
from engine.evaluation.baseline import trivial_baseline
from engine.evaluation.judge import Rival, judge
from engine.monitoring.answers import profile_answers
from engine.packaging.bundle import write_bundle
from engine.project import Project, parse_project
from engine.serving.model import load_bundle
from engine.serving.problems import BadBundle
from engine.training.environment import environment
from engine.training.fit import TrainingTask, fit_again, fit_candidates, make_task, threads_here
from engine.training.leaderboard import Entry
from engine.training.split import Indices, Split, split_rows
from engine.wire.base import FileEntry
from engine.wire.work import CandidateResult, Champion, FitResult, JudgeResult, PackageResult, SnapshotResult
from engine.worker.judged_rows import Incomparable, JudgedRows
from engine.worker.newest_rows import captured_rows, store_newest
from engine.worker.session import Session

BUNDLE = "bundle"
"""Folder of the bundle below the work folder."""

_DONE_AFTER = {"snapshot": 0.15, "fit": 0.75, "package": 0.85}


def run_train(session: Session) -> None:
    """Run the steps of a `train` job that are not finished yet.

    Raises:
        EngineError: the job fails for the reason it tells: the data, the project's code, its file.
    """
    if "judge" in session.finished:
        return
    _Training(session).run()


@dataclass(frozen=True)
class _Data:
    frame: pl.DataFrame
    schema: Schema
    captured: int
    """So many of the last rows were captured in production."""


class _Training:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._order = session.order
        self._project: Project = parse_project(session.order.project_file)

    def run(self) -> None:
        data = self._snapshot()
        task, best = self._fit(data)
        folder = self._package(task, data, best)
        self._judge(task, data, folder)

    def _snapshot(self) -> _Data:
        found = self._session.finished.get("snapshot")
        if found is None:
            self._session.begin("snapshot", "reading the data")
            taken = take_snapshot(
                self._project,
                Path(self._order.data_folder),
                self._session.folder,
                self._previous_schema,
                self._order.fresh,
                seed=self._order.seed,
                told=lambda note: self._session.progress(note=note),
            )
            for note in taken.notes:
                print(note, flush=True)  # noqa: T201 a worker's output is the job's log
            result = taken.to_result()
            self._session.step("snapshot", result)
            data = _Data(taken.frame, taken.schema, captured_rows(result.sources))
        else:
            result = SnapshotResult.model_validate(found)
            frame = load_snapshot(self._session.blob(result.data.sha256))
            data = _Data(frame, Schema.from_dict(result.data_schema), captured_rows(result.sources))
        if result.failures:
            raise expectations_error(result.failures)
        self._session.progress(_DONE_AFTER["snapshot"])
        return data

    @property
    def _previous_schema(self) -> Schema | None:
        tree = self._order.previous_schema
        return Schema.from_dict(tree) if tree is not None else None

    def _fit(self, data: _Data) -> tuple[TrainingTask, Entry]:
        found = self._session.finished.get("fit")
        if found is not None:
            result = FitResult.model_validate(found)
            task = self._task(data, result.split)
            best = next(candidate for candidate in result.candidates if candidate.name == result.best)
            return task, Entry(best.name, best.kind, best.params, best.metrics, note=best.note)
        self._session.begin("fit", "splitting the rows")
        task = self._task(data, None)
        done, share = _DONE_AFTER["snapshot"], _DONE_AFTER["fit"] - _DONE_AFTER["snapshot"]
        board = fit_candidates(
            task,
            on_begin=self._candidate_begins,
            on_metric=self._session.point,
            on_progress=lambda fitted: self._session.progress(done + share * fitted),
        )
        candidates = [
            CandidateResult(
                name=entry.name,
                kind=entry.kind,
                params=dict(entry.params),
                status="failed" if entry.failed else "fitted",
                metrics=entry.metrics,
                note=entry.note,
            )
            for entry in board.entries
        ]
        self._session.step(
            "fit",
            FitResult(
                candidates=candidates,
                best=board.best.name,
                split=task.split.to_dict(),
                environment=environment(threads_here()),
            ),
        )
        return task, board.best

    def _task(self, data: _Data, before: dict[str, Any] | None) -> TrainingTask:
        split = self._split(data.frame, before)
        return make_task(self._project, data.frame, data.schema, split, Path(self._order.code_folder), self._order.seed)

    def _split(self, frame: pl.DataFrame, before: dict[str, Any] | None) -> Split:
        """As before on resuming: a promotion in between may have moved the champion's cut-off."""
        cut_offs = None
        if before is not None and before["trained_until"] is not None:
            cut_offs = datetime.fromisoformat(before["train_until"]), datetime.fromisoformat(before["trained_until"])
        return split_rows(
            frame,
            salt=self._order.salt,
            id_column=self._project.data.id,
            columns=before["columns"] if before is not None else self._order.split_columns,
            time_column=self._project.data.time,
            judge_after=self._judge_after,
            cut_offs=cut_offs,
            changed_from=self._changed_from(before),
            classes=frame[self._project.data.target] if self._project.task != "regression" else None,
        )

    def _changed_from(self, before: dict[str, Any] | None) -> datetime | None:
        if before is None:
            return self._order.changed_from
        known = before.get("changed_from")
        return datetime.fromisoformat(known) if known is not None else None

    @property
    def _judge_after(self) -> datetime | None:
        """Never within what the champion learnt, whoever reigns by now."""
        champion = self._order.champion
        cut_offs = (self._order.judge_after, champion.trained_until if champion else None)
        return max((at for at in cut_offs if at is not None), default=None)

    def _candidate_begins(self, name: str, params: dict[str, Any]) -> None:
        self._session.params(name, params)
        # At once: the project's own code may never come back from here.
        self._session.begin("fit", f"fitting {name}")

    def _package(self, task: TrainingTask, data: _Data, best: Entry) -> Path:
        found = self._session.finished.get("package")
        if found is not None:
            return self._laid_out(PackageResult.model_validate(found).files, BUNDLE)
        self._session.begin("package", f"fitting {best.name} again on train and validation")
        fitted = fit_again(task, best)
        self._session.progress(note="writing the bundle, and holding it against the fitted model")
        folder = self._session.folder / BUNDLE
        packaged = write_bundle(
            folder,
            fitted,
            self._project,
            data.schema,
            task.columns(_rows_to_show(task.split)),
            lineage=str(self._order.run_id),
        )
        files = [FileEntry(path=file.path, sha256=file.sha256, size_bytes=file.size_bytes) for file in packaged.files]
        self._session.step(
            "package",
            PackageResult(files=files, parity_rows=packaged.parity_rows, parity_difference=packaged.parity_difference),
        )
        self._session.progress(_DONE_AFTER["package"])
        return folder

    def _judge(self, task: TrainingTask, data: _Data, folder: Path) -> None:
        self._session.begin("judge", f"judging on {len(task.split.test):,} test rows")
        test = JudgedRows(task)
        project, split = self._project, task.split
        learnt = task.target.values[split.learnt]
        champion = self._champion(test, self._order.champion, split) if self._order.champion else None
        bundle = load_bundle(folder)
        answers = test.scored_by_own(bundle)
        told = judge(
            project.task,
            project.metric,
            task.target.classes,
            test.truth,
            answers,
            trivial_baseline(project.task, project.metric, learnt, len(task.target.classes)),
            champion,
            seed=self._order.seed,
            test_after=split.trained_until.isoformat() if split.trained_until else None,
            test_uses=self._order.test_uses,
        )
        self._session.step(
            "judge",
            JudgeResult(
                figures=told.figures.model_dump(mode="json"),
                metrics=told.metrics,
                trained_until=split.trained_until,
                predictions=profile_answers(bundle.manifest, answers.scores, test.times(project.data.time)),
                newest=store_newest(self._session.folder, project, data.frame, split, data.captured),
            ),
        )

    def _champion(self, test: JudgedRows, champion: Champion, split: Split) -> Rival:
        name = f"{self._project.name}@{champion.version}"
        if champion.trained_until and split.trained_until and champion.trained_until > split.trained_until:
            # It took over since the rows were split.
            return Rival(name, None, f"The champion {name} has learnt from rows that this run judges by: train again.")
        try:
            bundle = load_bundle(self._laid_out(champion.bundle, "champion"))
            return Rival(name, test.scored(bundle))
        except Incomparable as error:
            return Rival(name, None, f"The champion {name} cannot be compared: {error}")
        except BadBundle as error:
            return Rival(name, None, f"The champion {name} cannot be compared: {error.message}")

    def _laid_out(self, files: Sequence[FileEntry], below: str) -> Path:
        """A stored bundle as a folder again."""
        folder = self._session.folder / below
        for file in files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._session.blob(file.sha256), path)
        return folder


def _rows_to_show(split: Split) -> Indices:
    """Rows for golden answers and parity: those of the test side, else the newest side that has any."""
    return next(rows for rows in (split.test, split.validation, split.train) if len(rows))
