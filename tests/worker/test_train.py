import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fakes.tables_of_data import mixed_frame, project_text

from engine.errors import BadData, Fenced
from engine.evaluation.gate import GateFigures, Verdict, decide
from engine.project import parse_project
from engine.serving.manifest import load_manifest
from engine.wire.base import FileEntry
from engine.wire.work import TRAIN_STEPS, FinishStep, ReportProgress, WorkOrder
from engine.worker.session import Session
from engine.worker.train import run_train


class Killed(BaseException):
    """The worker ends here."""


class Engine:
    """Adopts files into a store by their hash, as the engine does; answers nothing that a worker reads."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs"
        self.finished: dict[str, dict[str, Any]] = {}
        self.points: set[tuple[str, str, int]] = set()
        self.params: dict[str, dict[str, Any]] = {}
        self.dies_after: str | None = None
        self.attempt = 0

    def finish_step(self, job_id: int, step: str, result: FinishStep) -> Any:
        plain = json.loads(json.dumps(result.result, allow_nan=False))
        assert list(TRAIN_STEPS).index(step) == len(self.finished)
        for file in plain.get("files", []):
            self._adopt(file, self.work / "bundle")
        for name in ("data", "profile", "reservoir"):
            if plain.get(name):
                self._adopt(plain[name], self.work)
        self.finished[step] = plain
        if step == self.dies_after:
            raise Killed
        return None

    def progress(self, job_id: int, report: ReportProgress) -> None:
        self.points |= {(point.candidate, point.key, point.step) for point in report.points}
        self.params |= report.params

    def fail(self, job_id: int, failure: Any) -> Any:
        raise Fenced("not asked for")

    @property
    def work(self) -> Path:
        return self.root / "work" / str(self.attempt)

    def _adopt(self, file: dict[str, Any], folder: Path) -> None:
        content = (folder / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert len(content) == file["size_bytes"]
        blob = self.blobs / file["sha256"][:2] / file["sha256"][2:]
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)

    def train(self, project_file: str, data: Path, *, forget: bool = True, **order: Any) -> dict[str, dict[str, Any]]:
        """One attempt; what earlier attempts left in their work folders is gone."""
        if forget:
            shutil.rmtree(self.root / "work", ignore_errors=True)
        self.attempt += 1
        self.work.mkdir(parents=True)
        plain = {
            "job_id": 1, "attempt": self.attempt, "kind": "train", "args": {}, "work_folder": str(self.work),
            "blobs_folder": str(self.blobs), "finished": self.finished, "project_file": project_file,
            "code_folder": str(data), "data_folder": str(data), "run_id": 12, "seed": 7, "salt": "salt",
        }  # fmt: skip
        run_train(Session(WorkOrder.model_validate(plain | order), self))
        return self.finished


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path / "engine")


def write(folder: Path, frame: pl.DataFrame) -> Path:
    folder.mkdir(exist_ok=True)
    frame.with_columns(pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(folder / "data.csv")
    return folder


def verdict(finished: dict[str, dict[str, Any]], project_file: str) -> Verdict:
    figures = GateFigures.model_validate(finished["judge"]["figures"])
    return decide(figures, parse_project(project_file).gate)


def champion_of(finished: dict[str, dict[str, Any]], version: int = 3) -> dict[str, Any]:
    return {
        "version": version, "run_id": 11, "bundle": finished["package"]["files"],
        "trained_until": finished["judge"]["trained_until"],
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_a_file_of_data_becomes_a_judged_bundle(engine: Engine, tmp_path: Path, kind: str) -> None:
    data = write(tmp_path / "p", mixed_frame(900, task=kind))
    finished = engine.train(project_text(kind), data)
    assert list(finished) == list(TRAIN_STEPS)
    assert verdict(finished, project_text(kind)).outcome == "pass"
    assert load_manifest(engine.work / "bundle").lineage == "12"
    split = finished["fit"]["split"]
    assert split["train"] + split["validation"] + split["test"] == 900
    assert finished["judge"]["figures"]["test_rows"] == split["test"]
    assert set(engine.params) == {candidate["name"] for candidate in finished["fit"]["candidates"]}
    assert len(engine.points) > 20


def test_an_attempt_goes_on_after_the_last_finished_step_to_the_same_end(engine: Engine, tmp_path: Path) -> None:
    data = write(tmp_path / "p", mixed_frame(900))
    whole = Engine(tmp_path / "other").train(project_text(), data)
    for step in TRAIN_STEPS:
        engine.dies_after = step
        with pytest.raises(Killed):
            engine.train(project_text(), data)
        shutil.rmtree(engine.work)
        (data / "data.csv").unlink(missing_ok=True)
    assert engine.finished["package"] == whole["package"]
    assert engine.finished["judge"] == whole["judge"]
    assert engine.train(project_text(), data) == engine.finished


def test_a_second_run_is_compared_with_the_champion(engine: Engine, tmp_path: Path) -> None:
    data = write(tmp_path / "p", mixed_frame(900))
    first = engine.train(project_text(), data)
    second = Engine(engine.root)
    second.attempt = 1
    finished = second.train(project_text(), data, champion=champion_of(first))
    told = verdict(finished, project_text())
    assert told.outcome == "pass"
    assert "champion made@3" in told.reasons[0]
    assert told.evidence["champion"]["difference"] == 0.0


def test_with_a_time_the_test_rows_come_after_the_champions(engine: Engine, tmp_path: Path) -> None:
    text = project_text(data='time = "at"').replace('ignore = ["at"]', "")
    first = engine.train(text, write(tmp_path / "p", mixed_frame(900)))
    champion = champion_of(first)
    assert champion["trained_until"] == "1970-01-30T23:00:00Z"
    second = Engine(tmp_path / "second")
    shutil.copytree(engine.blobs, second.blobs)
    finished = second.train(text, write(tmp_path / "p", mixed_frame(730)), champion=champion)
    told = verdict(finished, text)
    assert finished["fit"]["split"]["test"] == 5
    assert told.outcome == "insufficient"
    assert "after 1970-01-31 04:00 UTC" in told.reasons[0]


def test_a_promotion_between_two_attempts_does_not_move_the_split(engine: Engine, tmp_path: Path) -> None:
    text = project_text(data='time = "at"').replace('ignore = ["at"]', "")
    data = write(tmp_path / "p", mixed_frame(900))
    champion = champion_of(engine.train(text, data))
    second = Engine(tmp_path / "second")
    shutil.copytree(engine.blobs, second.blobs)
    second.dies_after = "fit"
    with pytest.raises(Killed):
        second.train(text, data)
    finished = second.train(text, data, champion=champion | {"trained_until": "1970-02-05T00:00:00Z"})
    assert finished["judge"]["figures"]["test_rows"] == finished["fit"]["split"]["test"] == 180
    assert "has learnt from rows that this run judges by" in verdict(finished, text).reasons[0]


def test_after_a_change_what_learns_from_the_new_rows_alone_may_win_and_a_kill_moves_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    text = project_text("regression", data='time = "at"').replace('ignore = ["at"]', "")
    turned = pl.when(pl.int_range(pl.len()) < 2000).then("answer").otherwise(-pl.col("answer"))
    data = write(tmp_path / "p", mixed_frame(2800, task="regression").with_columns(answer=turned))
    changed = "1970-03-25T08:00:00+00:00"
    engine.dies_after = "fit"
    with pytest.raises(Killed):
        engine.train(text, data, judge_after=changed, changed_from=changed)
    fit = engine.finished["fit"]
    assert fit["best"].endswith("-new")
    assert engine.params[fit["best"]]["learnt_from"] == changed
    assert (fit["split"]["changed_from"], fit["split"]["new"]) == (changed, 401)
    finished = engine.train(text, data, judge_after=changed)
    assert finished["package"]["parity_difference"] < 1e-6
    assert finished["judge"]["figures"]["test_rows"] == fit["split"]["test"] == 399


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda frame: frame.drop("size"), "asks for the column 'size', which the data no longer has"),
        (lambda frame: frame.with_columns(town=pl.col("count")), "the column 'town' has another type now"),
        (
            lambda frame: frame.with_columns(answer=pl.col("answer").replace({"yes": "si"})),
            "with the classes 'no', 'yes'",
        ),
    ],
)
def test_a_champion_that_cannot_score_the_rows_leaves_it_undecided(
    engine: Engine, tmp_path: Path, change: Any, told: str
) -> None:
    first = engine.train(project_text(), write(tmp_path / "p", mixed_frame(900)))
    second = Engine(engine.root)
    second.attempt = 1
    text = project_text(data='positive = "si"' if "classes" in told else "")
    finished = second.train(text, write(tmp_path / "p", change(mixed_frame(900))), champion=champion_of(first))
    judged = verdict(finished, text)
    assert judged.outcome == "insufficient"
    assert "made@3 cannot be compared" in judged.reasons[0]
    assert told in judged.reasons[0]


def test_a_class_that_is_gone_from_the_data_does_not_keep_the_champion_from_being_compared(
    engine: Engine, tmp_path: Path
) -> None:
    text, frame = project_text("multiclass"), mixed_frame(900, task="multiclass")
    first = engine.train(text, write(tmp_path / "p", frame))
    second = Engine(engine.root)
    second.attempt = 1
    fewer = write(tmp_path / "p", frame.filter(pl.col("answer") != "high"))
    finished = second.train(text, fewer, champion=champion_of(first))
    assert finished["judge"]["figures"]["champion"]["against"] == "made@3"
    assert verdict(finished, text).outcome == "pass"


def test_a_champion_whose_positive_label_is_now_the_negative_one_is_turned_around(
    engine: Engine, tmp_path: Path
) -> None:
    data = write(tmp_path / "p", mixed_frame(900))
    metric = "metric = 'balanced_accuracy'"
    first = engine.train(project_text(data='positive = "no"', gate=metric), data)
    second = Engine(engine.root)
    second.attempt = 1
    finished = second.train(project_text(data='positive = "yes"', gate=metric), data, champion=champion_of(first))
    assert finished["judge"]["figures"]["champion"]["value"] == pytest.approx(
        first["judge"]["figures"]["value"], abs=0.02
    )


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_thirty_rows_are_insufficient(engine: Engine, tmp_path: Path, kind: str) -> None:
    finished = engine.train(project_text(kind), write(tmp_path / "p", mixed_frame(30, task=kind)))
    told = verdict(finished, project_text(kind))
    assert told.outcome == "insufficient"
    assert "20 are needed" in told.reasons[0]


def test_broken_expectations_are_stored_and_end_the_job_each_time(engine: Engine, tmp_path: Path) -> None:
    text = project_text(**{"data.columns.size": "min = 1000.0"})
    data = write(tmp_path / "p", mixed_frame(100))
    for _ in range(2):
        with pytest.raises(BadData, match="size: 9"):
            engine.train(text, data)
        assert list(engine.finished) == ["snapshot"]


def test_files_of_an_earlier_attempt_are_not_trusted(engine: Engine, tmp_path: Path) -> None:
    data = write(tmp_path / "p", mixed_frame(300))
    engine.dies_after = "fit"
    with pytest.raises(Killed):
        engine.train(project_text(), data)
    before = engine.work / "bundle"
    before.mkdir()
    (before / "manifest.json").write_text("forged")
    finished = engine.train(project_text(), data, forget=False)
    assert list(finished) == list(TRAIN_STEPS)
    assert (before / "manifest.json").read_text() == "forged"


def test_a_file_entry_names_files_below_the_bundle(engine: Engine, tmp_path: Path) -> None:
    finished = engine.train(project_text(), write(tmp_path / "p", mixed_frame(300)))
    paths = {FileEntry.model_validate(file).path for file in finished["package"]["files"]}
    assert paths == {"manifest.json", load_manifest(engine.work / "bundle").model_file.path}
