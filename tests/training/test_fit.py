from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fakes.tables_of_data import made_project, mixed_frame, task_of

from engine.data.schema import describe
from engine.errors import ProjectCodeFailed
from engine.evaluation.metrics import measure
from engine.project import Project
from engine.training.fit import Fitted, Leaderboard, TrainingTask, fit_again, fit_candidates, make_task
from engine.training.leaderboard import Entry, ranked
from engine.training.split import split_rows

OWN = {"train": 'estimator = "model:build"'}


def code(folder: Path, text: str) -> Path:
    (folder / "model.py").write_text(text)
    return folder


def fitted_whole(
    project: Project, frame: pl.DataFrame, folder: Path = Path()
) -> tuple[TrainingTask, Leaderboard, Fitted]:
    task = task_of(project, frame, folder)
    board = fit_candidates(task)
    return task, board, fit_again(task, board.best)


def on_test_rows(task: TrainingTask, fitted: Fitted, metric: str) -> float:
    scores = fitted.scores(task.columns(task.split.test))
    told = measure(metric, task.target.values[task.split.test], scores, fitted.threshold)  # type: ignore[arg-type]
    assert told is not None
    return told


@pytest.mark.parametrize(
    ("kind", "metric", "line"),
    [("binary", "roc_auc", 0.75), ("multiclass", "macro_f1", 0.5), ("regression", "r2", 0.4)],
)
def test_each_task_learns_what_there_is_to_learn(kind: str, metric: str, line: float) -> None:
    task, board, fitted = fitted_whole(made_project(kind), mixed_frame(1500, task=kind))
    assert {entry.kind for entry in board.entries} == {"ridge" if kind == "regression" else "logistic", "lightgbm"}
    assert not any(entry.failed for entry in board.entries)
    assert on_test_rows(task, fitted, metric) > line


def test_probabilities_of_a_rare_class_hold() -> None:
    project = made_project(gate="metric = 'average_precision'")
    frame = mixed_frame(6000).with_columns(
        pl.when((pl.col("key") % 20 == 0) & (pl.col("answer") == "yes"))
        .then(pl.lit("yes"))
        .otherwise(pl.lit("no"))
        .alias("answer")
    )
    task, _, fitted = fitted_whole(project, frame)
    told = fitted.scores(task.columns(task.split.test))[:, 1].mean()
    assert told == pytest.approx(task.target.values.mean(), rel=0.4)


def test_boosting_tells_its_curves_and_the_rounds_it_found() -> None:
    points: list[tuple[str, str, int, float]] = []
    task = task_of(made_project(), mixed_frame(1500))
    board = fit_candidates(task, on_metric=lambda *point: points.append(point))
    boosted = next(entry for entry in board.entries if entry.kind == "lightgbm")
    curve = [value for name, key, _, value in points if (name, key) == (boosted.name, "log_loss")]
    assert len(curve) > 10
    assert min(curve) < curve[0]
    assert boosted.params["rounds"] >= 1


def test_every_candidate_is_announced_with_its_parameters_before_it_is_measured() -> None:
    seen: list[str] = []
    task = task_of(made_project(), mixed_frame(400))
    fit_candidates(
        task,
        on_begin=lambda name, params: seen.append(f"begin {name} {sorted(params)}"),
        on_metric=lambda name, key, step, value: seen.append(f"metric {name}"),
    )
    assert seen[0].startswith("begin logistic")
    for name in {line.split()[1] for line in seen}:
        assert next(line for line in seen if line.split()[1] == name).startswith("begin")


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_the_same_task_gives_the_same_bytes(kind: str) -> None:
    frame = mixed_frame(700, task=kind)
    files = []
    for _ in range(2):
        task = task_of(made_project(kind), frame)
        board = fit_candidates(task)
        files.append([fit_again(task, entry).model.file().content for entry in board.entries])
    assert files[0] == files[1]


def test_what_the_test_rows_hold_changes_nothing() -> None:
    frame = mixed_frame(700)
    task = task_of(made_project(), frame)
    test = pl.Series(np.isin(np.arange(frame.height), task.split.test))
    other = frame.with_columns(
        pl.when(test).then(1e6).otherwise("size").alias("size"),
        pl.when(test).then(pl.lit("Oslo")).otherwise("town").alias("town"),
    )
    boards = [fit_candidates(task), fit_candidates(replace(task, frame=other))]
    assert boards[0] == boards[1]
    again = [fit_again(each, boards[0].best).model.file().content for each in (task, replace(task, frame=other))]
    assert again[0] == again[1]


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("rows", [20, 30])
def test_a_few_rows_give_a_model_and_no_crash(kind: str, rows: int) -> None:
    task, board, fitted = fitted_whole(made_project(kind), mixed_frame(rows, task=kind))
    assert board.best.name
    scores = fitted.scores(task.columns(task.split.test))
    assert np.isfinite(scores).all()


def awkward(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    key_only = frame.select("key", "at", "answer")
    return {
        "all null": frame.with_columns(
            pl.lit(None, dtype=pl.Float64).alias("size"), pl.lit(None, dtype=pl.String).alias("town")
        ),
        "constant": frame.with_columns(pl.lit(3.0).alias("size"), pl.lit("x").alias("town")),
        "one number": key_only.with_columns(frame["size"]),
        "one text": key_only.with_columns(frame["town"]),
        "a text that never repeats": key_only.with_columns(pl.col("key").cast(pl.String).alias("name")),
        "one boolean": key_only.with_columns(frame["member"]),
        "only nulls": key_only.with_columns(pl.lit(None, dtype=pl.Float64).alias("nothing")),
        "huge values": frame.with_columns(pl.col("size") * 1e300),
        "odd names": frame.rename({"size": 'a "b", {c}: [d]', "town": "straße\tname"}),
    }


@pytest.mark.parametrize("kind", ["binary", "regression"])
@pytest.mark.parametrize("what", list(awkward(mixed_frame(1))))
def test_awkward_columns_give_a_model_and_no_crash(what: str, kind: str) -> None:
    frame = awkward(mixed_frame(500, task=kind))[what]
    task, _, fitted = fitted_whole(made_project(kind), frame)
    assert np.isfinite(fitted.scores(task.columns(task.split.test))).all()


def test_heavy_tails_of_a_target_are_learnt() -> None:
    random = np.random.default_rng(1)
    frame = mixed_frame(1500, task="regression").with_columns(
        answer=pl.Series(np.exp(random.normal(0, 3, 1500)) * 1000)
    )
    task, _, fitted = fitted_whole(made_project("regression", gate='metric = "mae"'), frame)
    assert np.isfinite(on_test_rows(task, fitted, "mae"))


def test_a_class_only_on_the_test_side_leaves_the_constant_model() -> None:
    frame = mixed_frame(200)
    split = task_of(made_project(), frame).split
    lonely = pl.Series(np.isin(np.arange(200), split.test[:1]))
    frame = frame.with_columns(pl.when(lonely).then(pl.lit("yes")).otherwise(pl.lit("no")).alias("answer"))
    _, board, fitted = fitted_whole(made_project(), frame)
    assert board.best.kind == "constant"
    assert fitted.classes == ("no", "yes")


def test_a_class_of_several_only_on_the_test_side_is_no_class_of_the_model() -> None:
    frame = mixed_frame(400, task="multiclass")
    split = task_of(made_project("multiclass"), frame).split
    lonely = pl.Series(np.isin(np.arange(400), split.test[:2]))
    frame = frame.with_columns(pl.when(lonely).then(pl.lit("rare")).otherwise("answer").alias("answer"))
    _, _, fitted = fitted_whole(made_project("multiclass"), frame)
    assert fitted.classes == ("high", "low", "mid")


def test_a_class_only_on_the_validation_side_is_learnt_in_the_end() -> None:
    frame = mixed_frame(400, task="multiclass")
    split = task_of(made_project("multiclass"), frame).split
    lonely = pl.Series(np.isin(np.arange(400), split.validation[:2]))
    frame = frame.with_columns(pl.when(lonely).then(pl.lit("rare")).otherwise("answer").alias("answer"))
    _, _, fitted = fitted_whole(made_project("multiclass"), frame)
    assert fitted.classes == ("high", "low", "mid", "rare")


@pytest.mark.parametrize("labels", [(False, True), (0, 1), (1, 2), ("1", "0")])
def test_targets_of_any_plain_type_are_learnt(labels: tuple[object, object]) -> None:
    frame = mixed_frame(300)
    first = frame["answer"] == "yes"
    values = [labels[1] if yes else labels[0] for yes in first]
    _, _, fitted = fitted_whole(made_project(), frame.with_columns(answer=pl.Series(values)))
    assert set(fitted.classes) == set(labels)
    assert all(type(label) is type(labels[0]) for label in fitted.classes)


def test_the_declared_positive_comes_second() -> None:
    task = task_of(made_project(data='positive = "no"'), mixed_frame(100))
    assert task.target.classes == ("yes", "no")


def test_many_classes_are_learnt() -> None:
    random = np.random.default_rng(3)
    group = random.integers(0, 40, 1500)
    frame = mixed_frame(1500).with_columns(
        answer=pl.Series([f"c{value}" for value in group]), size=pl.Series(group + 0.1)
    )
    task, _, fitted = fitted_whole(made_project("multiclass"), frame)
    assert len(fitted.classes) == 40
    assert on_test_rows(task, fitted, "accuracy") > 0.5


def entry(name: str, **metrics: float) -> Entry:
    return Entry(name, "logistic", {}, metrics)


def test_candidates_that_agree_in_four_digits_keep_the_simpler_first() -> None:
    entries = [entry("simple", roc_auc=0.90001), entry("complex", roc_auc=0.90004)]
    assert ranked(entries, "binary", "roc_auc")[0].name == "simple"


def test_less_of_a_loss_is_better_and_a_failed_candidate_is_last() -> None:
    entries = [Entry("failed", "ridge", {}, failed=True), entry("b", rmse=2.0), entry("a", rmse=1.0)]
    assert [found.name for found in ranked(entries, "regression", "rmse")] == ["a", "b", "failed"]


def test_where_validation_does_not_define_the_metric_another_one_orders() -> None:
    entries = [entry("worse", log_loss=0.5), entry("better", log_loss=0.4)]
    assert ranked(entries, "binary", "roc_auc")[0].name == "better"


def test_the_projects_own_estimator_is_fitted_alone(tmp_path: Path) -> None:
    folder = code(
        tmp_path,
        "from sklearn.ensemble import HistGradientBoostingClassifier\n"
        "def build(params):\n"
        "    return HistGradientBoostingClassifier(max_iter=params['trees'], categorical_features='from_dtype')\n",
    )
    project = made_project(train='estimator = "model:build"\n[train.params]\ntrees = 20')
    task, board, fitted = fitted_whole(project, mixed_frame(600), folder)
    assert [found.kind for found in board.entries] == ["estimator"]
    assert board.best.params == {"trees": 20}
    assert on_test_rows(task, fitted, "roc_auc") > 0.7
    assert not (tmp_path / "__pycache__").exists()


def test_an_estimator_without_a_seed_of_its_own_is_seeded(tmp_path: Path) -> None:
    folder = code(
        tmp_path,
        "from sklearn.ensemble import ExtraTreesRegressor\n"
        "from sklearn.impute import SimpleImputer\n"
        "from sklearn.compose import make_column_transformer\n"
        "from sklearn.pipeline import make_pipeline\n"
        "def build(params):\n"
        "    columns = make_column_transformer((SimpleImputer(), ['size', 'count']))\n"
        "    return make_pipeline(columns, ExtraTreesRegressor(10))\n",
    )
    project, frame = made_project("regression", **OWN), mixed_frame(300, task="regression")
    once, again = (fitted_whole(project, frame, folder) for _ in range(2))
    columns = once[0].columns(once[0].split.test)
    assert (once[2].scores(columns) == again[2].scores(columns)).all()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def build(params):\n    return 1 / 0\n", r"failed at model.py:2: ZeroDivisionError: division by zero\."),
        ("import nothing_like_it\n", r"failed at model.py:1: ModuleNotFoundError"),
        ("def build(params:\n", r"failed at model.py:1: SyntaxError"),
        ("def build(params):\n    raise SystemExit(3)\n", r"failed at model.py:2: it called exit\(3\)"),
        ("def other(params): ...\n", r"model.py has no function 'build'"),
        ("def build(params):\n    return 7\n", r"gave a int, which has no `fit`"),
        (
            "from sklearn.svm import LinearSVC\ndef build(params):\n    return LinearSVC()\n",
            r"LinearSVC, which has no `predict_proba`",
        ),
        (
            "from sklearn.linear_model import LogisticRegression\n"
            "class Mine(LogisticRegression):\n"
            "    def fit(self, X, y):\n"
            "        raise AssertionError('it was fitted')\n"
            "def build(params):\n    return Mine()\n",
            r"holds model\.Mine, which a model server does not load",
        ),
        (
            "from sklearn.linear_model import LogisticRegression\n"
            "def build(params):\n    return LogisticRegression()\n",
            r"failed at the estimator of model:build, .*ValueError",
        ),
    ],
)
def test_what_is_wrong_with_project_code_is_told_in_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    task = task_of(made_project(**OWN), mixed_frame(100), code(tmp_path, text))
    with pytest.raises(ProjectCodeFailed, match=told):
        fit_candidates(task)


@pytest.mark.parametrize(("named", "file"), [("model:build", r"model\.py"), ("parts.trees:build", r"parts/trees\.py")])
def test_a_missing_file_of_project_code_is_told(tmp_path: Path, named: str, file: str) -> None:
    project = made_project(train=f'estimator = "{named}"')
    with pytest.raises(ProjectCodeFailed, match=f"the project has no {file}"):
        fit_candidates(task_of(project, mixed_frame(100), tmp_path))


def test_a_module_from_outside_of_the_project_is_not_taken(tmp_path: Path) -> None:
    project = made_project(train='estimator = "json:loads"')
    with pytest.raises(ProjectCodeFailed, match="from outside of the project"):
        fit_candidates(task_of(project, mixed_frame(100), tmp_path))


def world_turned_round(rows: int = 2800, changed_at: int = 2000) -> TrainingTask:
    """From row `changed_at` on every answer is the opposite of what it was."""
    frame = mixed_frame(rows, task="regression").with_row_index("row")
    turned = pl.when(pl.col("row") < changed_at).then("answer").otherwise(-pl.col("answer"))
    frame = frame.with_columns(turned.alias("answer")).drop("row")
    project, changed = made_project("regression"), datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=changed_at)
    split = split_rows(frame, salt="s", time_column="at", judge_after=changed, changed_from=changed)
    return make_task(project, frame, describe(frame, project), split, Path(), seed=7)


def test_a_small_new_world_under_a_large_old_one_is_learnt_from_itself() -> None:
    task = world_turned_round()
    board = fit_candidates(task)
    assert sum(entry.name.endswith("-new") for entry in board.entries) * 2 == len(board.entries)
    best = board.best
    assert best.name.endswith("-new")
    assert best.note == "learnt from the 200 rows since 1970-03-25 alone"
    assert best.params["learnt_from"] == "1970-03-25T08:00:00+00:00"
    of_all = next(entry for entry in board.entries if not entry.name.endswith("-new"))
    assert "learnt_from" not in of_all.params
    by_itself, by_all = (on_test_rows(task, fit_again(task, entry), "rmse") for entry in (best, of_all))
    assert by_itself < 0.7 * by_all


def test_a_fit_for_good_knows_the_rows_that_its_candidate_knew() -> None:
    task = world_turned_round()
    names = {entry.name: entry for entry in fit_candidates(task).entries}
    sizes = []
    for name in ("ridge-0.1", "ridge-0.1-new"):
        before, after = fit_again(task, names[name]), fit_again(task, names[name])
        rows = task.columns(task.split.test)
        assert np.array_equal(before.scores(rows), after.scores(rows))
        sizes.append(float(before.scores(rows).mean()))
    truth = task.target.values[task.split.test].mean()
    assert abs(sizes[1] - truth) < abs(sizes[0] - truth)
