import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fakes.tables_of_data import made_project, mixed_frame, schema_of, task_of

from engine.errors import JobFailed
from engine.packaging.bundle import Packaged, write_bundle
from engine.packaging.golden import UNSEEN, golden_rows
from engine.project import Project, parse_project
from engine.serving.manifest import Input, load_manifest
from engine.serving.model import load_bundle
from engine.training.constant import Constant
from engine.training.fit import Fitted, TrainingTask, fit_again, fit_candidates
from engine.training.leaderboard import Entry


def packaged(
    folder: Path, project: Project, frame: pl.DataFrame, *, prefix: str = "", code: Path = Path()
) -> tuple[TrainingTask, Fitted, Packaged]:
    """The best candidate whose name begins with `prefix`, packaged."""
    task = task_of(project, frame, code)
    entry = next(entry for entry in fit_candidates(task).entries if entry.name.startswith(prefix))
    fitted = fit_again(task, entry)
    columns = task.columns(task.split.test)
    return task, fitted, write_bundle(folder, fitted, project, schema_of(project, frame), columns, lineage="12")


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("family", ["linear", "lightgbm"])
def test_the_packaged_model_answers_as_the_fitted_one(tmp_path: Path, kind: str, family: str) -> None:
    prefix = family if family == "lightgbm" else ("ridge" if kind == "regression" else "logistic")
    _, _, made = packaged(tmp_path / "b", made_project(kind), mixed_frame(800, task=kind), prefix=prefix)
    assert made.manifest.model_format == family
    assert made.parity_rows > 100
    assert made.parity_difference <= (0.0 if family == "lightgbm" else 1e-9)


def test_a_task_of_several_classes_with_two_is_softmax_all_the_same(tmp_path: Path) -> None:
    frame = mixed_frame(400)
    _, fitted, made = packaged(tmp_path / "b", made_project("multiclass"), frame, prefix="logistic")
    assert json.loads(fitted.model.file().content)["link"] == "softmax"
    assert made.parity_difference <= 1e-9


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_the_constant_model_is_served_as_well(tmp_path: Path, kind: str) -> None:
    project, frame = made_project(kind), mixed_frame(100, task=kind)
    task = task_of(project, frame)
    fitted = fit_again(task, Entry(Constant.name, Constant.kind, {}))
    columns = task.columns(task.split.test)
    made = write_bundle(tmp_path / "b", fitted, project, schema_of(project, frame), columns, lineage="1")
    assert made.parity_difference <= 1e-9


def test_a_projects_own_estimator_ships_as_skops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "own_trees.py").write_text(
        "from sklearn.ensemble import HistGradientBoostingClassifier\n"
        "def build(params):\n"
        "    return HistGradientBoostingClassifier(max_iter=15, categorical_features='from_dtype', random_state=1)\n"
    )
    project = made_project(train='estimator = "own_trees:build"')
    _, _, made = packaged(tmp_path / "b", project, mixed_frame(300), code=tmp_path)
    assert made.manifest.model_format == "skops"
    assert made.manifest.encoding == ()
    assert made.parity_difference <= 1e-9


def test_an_estimator_that_takes_no_missing_value_ships_with_strict_inputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "own_line.py").write_text(
        "from sklearn.compose import make_column_transformer\n"
        "from sklearn.impute import SimpleImputer\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.pipeline import make_pipeline\n"
        "def build(params):\n"
        "    columns = make_column_transformer((SimpleImputer(), ['x']), ('passthrough', ['z']))\n"
        "    return make_pipeline(columns, LogisticRegression())\n"
    )
    chance = np.random.default_rng(3)
    frame = pl.DataFrame({"x": chance.normal(size=300), "z": chance.normal(size=300)})
    frame = frame.with_columns(y=pl.when(pl.col("x") + pl.col("z") > 0).then(pl.lit("yes")).otherwise(pl.lit("no")))
    project = parse_project(
        '[project]\nname = "p"\ntask = "binary"\n[data]\nsource = "p.csv"\ntarget = "y"\n'
        '[train]\nestimator = "own_line:build"\n'
    )
    _, _, made = packaged(tmp_path / "b", project, frame, code=tmp_path)
    assert {column.name: column.strict for column in made.manifest.inputs} == {"x": False, "z": True}
    assert all(row["z"] is not None for row in made.manifest.golden.rows)
    assert any(row["x"] is None for row in made.manifest.golden.rows)


def test_the_manifest_says_what_a_server_needs(tmp_path: Path) -> None:
    _, fitted, made = packaged(tmp_path / "b", made_project(), mixed_frame(800))
    manifest = load_manifest(tmp_path / "b")
    assert manifest == made.manifest
    assert (manifest.name, manifest.target, manifest.id, manifest.time) == ("made", "answer", "key", None)
    assert manifest.ignored == ("at",)
    assert manifest.classes == ("no", "yes")
    assert manifest.threshold == fitted.threshold
    assert [(column.name, column.type) for column in manifest.inputs] == [
        ("size", "number"), ("count", "integer"), ("member", "boolean"), ("town", "category"),
    ]  # fmt: skip
    assert {file.path for file in made.files} == {"manifest.json", manifest.model_file.path}
    assert manifest.lineage == "12"


def test_golden_rows_hold_nulls_and_an_unseen_category(tmp_path: Path) -> None:
    _, _, made = packaged(tmp_path / "b", made_project(), mixed_frame(800))
    rows = made.manifest.golden.rows
    assert 10 < len(rows) <= 20
    assert {"size": None, "count": None, "member": None, "town": None} in rows
    assert any(row["town"] == UNSEEN for row in rows)
    load_bundle(tmp_path / "b").check_golden()


def test_no_golden_row_has_a_null_where_none_may_be(tmp_path: Path) -> None:
    project = made_project(**{"data.columns.count": "nullable = false"})
    _, _, made = packaged(tmp_path / "b", project, mixed_frame(300))
    assert all(row["count"] is not None for row in made.manifest.golden.rows)


def test_the_unseen_category_is_unseen() -> None:
    rows = golden_rows([Input("x", "category", True, (UNSEEN,))], {"x": pl.Series([UNSEEN])})
    assert {"x": f"{UNSEEN}!"} in rows


def test_the_same_fit_gives_the_same_bundle(tmp_path: Path) -> None:
    made = [packaged(tmp_path / name, made_project(), mixed_frame(500))[2].files for name in "ab"]
    assert made[0] == made[1]


def test_a_model_that_answers_otherwise_when_packaged_is_not_shipped(tmp_path: Path) -> None:
    project, frame = made_project(), mixed_frame(300)
    task = task_of(project, frame)
    fitted = fit_again(task, next(entry for entry in fit_candidates(task).entries if entry.kind == "logistic"))
    true_file = fitted.model.file

    def wrong_file():  # type: ignore[no-untyped-def]
        file = true_file()
        tree = json.loads(file.content)
        tree["intercept"][0] += 1e-6
        return type(file)(file.format, file.name, json.dumps(tree).encode())

    fitted.model.file = wrong_file  # type: ignore[method-assign]
    columns = task.columns(task.split.test)
    with pytest.raises(JobFailed, match="Golden row 0 is answered"):
        write_bundle(tmp_path / "b", fitted, project, schema_of(project, frame), columns, lineage="1")
