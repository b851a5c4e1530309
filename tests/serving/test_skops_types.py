import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from fakes.bundles import INPUTS, make_columns
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, PolynomialFeatures, QuantileTransformer
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from engine.serving.frame import pandas_frame
from engine.serving.problems import BadBundle
from engine.serving.skops_types import dump_estimator, load_estimator, refuse_unknown_types


class OwnClassifier(ClassifierMixin, BaseEstimator):
    """A class of the project's own."""

    def fit(self, X: Any, y: Any) -> "OwnClassifier":
        self.classes_ = np.unique(y)
        return self


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(120, 4))
    return matrix, (matrix[:, 0] + matrix[:, 1] > 0).astype(int)


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(4),
        ExtraTreesClassifier(4, max_leaf_nodes=6),
        GradientBoostingClassifier(n_estimators=4),
        HistGradientBoostingClassifier(max_iter=4),
        DecisionTreeClassifier(),
        KNeighborsClassifier(),
        KNeighborsClassifier(algorithm="ball_tree", p=1),
        GaussianNB(),
        SGDClassifier(loss="log_loss"),
        CalibratedClassifierCV(LinearSVC()),
        CalibratedClassifierCV(SVC(), method="isotonic"),
        VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"),
        StackingClassifier([("a", LogisticRegression()), ("b", GaussianNB())]),
        make_pipeline(QuantileTransformer(n_quantiles=5), PolynomialFeatures(), LogisticRegression()),
        make_pipeline(FunctionTransformer(np.tanh), LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_ordinary_estimators_come_back_with_the_same_answers(estimator: Any, data: Any) -> None:
    refuse_unknown_types(estimator)
    estimator.fit(*data)
    loaded = load_estimator(dump_estimator(estimator))
    np.testing.assert_array_equal(loaded.predict_proba(data[0]), estimator.predict_proba(data[0]))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_small_network_comes_back_too(data: Any) -> None:
    estimator = MLPClassifier((4,), max_iter=3).fit(*data)
    np.testing.assert_array_equal(
        load_estimator(dump_estimator(estimator)).predict_proba(data[0]), estimator.predict_proba(data[0])
    )


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(max_iter=4),
        make_pipeline(
            make_column_transformer(
                (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
                remainder=SimpleImputer(),
            ),
            LogisticRegression(max_iter=5000),
        ),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_estimators_that_take_the_frames_categories_come_back(estimator: Any) -> None:
    columns = make_columns()
    frame = pandas_frame(INPUTS, columns)
    estimator.fit(frame, np.array(columns["amount"]) > 60)
    np.testing.assert_array_equal(
        load_estimator(dump_estimator(estimator)).predict_proba(frame), estimator.predict_proba(frame)
    )


@pytest.mark.parametrize("fitted", [False, True])
def test_a_class_of_the_projects_own_is_refused_before_and_after_fitting(fitted: bool, data: Any) -> None:
    estimator = OwnClassifier()
    with pytest.raises(BadBundle, match="OwnClassifier"):
        refuse_unknown_types(estimator.fit(*data) if fitted else estimator)


def test_a_lambda_is_refused() -> None:
    with pytest.raises(BadBundle):
        refuse_unknown_types(make_pipeline(FunctionTransformer(lambda x: x), LogisticRegression()))


def test_a_file_with_a_foreign_type_is_refused_before_anything_is_built(tmp_path: Path, data: Any) -> None:
    path = tmp_path / "model.skops"
    skops.io.dump(OwnClassifier().fit(*data), path)
    for refuse in (lambda: refuse_unknown_types(path), lambda: load_estimator(path.read_bytes())):
        with pytest.raises(BadBundle, match="OwnClassifier, which a model server does not load"):
            refuse()


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"PK\x03\x04broken"])
def test_a_pickle_or_rubbish_is_no_skops_file(content: bytes) -> None:
    with pytest.raises(BadBundle, match="no skops file"):
        load_estimator(content)


def test_a_skops_file_without_its_schema_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", json.dumps({"protocol": 1}))
    with pytest.raises(BadBundle):
        load_estimator(buffer.getvalue())


@pytest.mark.parametrize(
    ("estimator", "field", "value"),
    [
        (DecisionTreeClassifier(), "left_child", 10**9),
        (DecisionTreeClassifier(), "left_child", 0),
        (DecisionTreeClassifier(), "right_child", -7),
        (DecisionTreeClassifier(), "feature", 4),
        (HistGradientBoostingClassifier(max_iter=1), "left", 10**9),
        (HistGradientBoostingClassifier(max_iter=1), "right", 0),
    ],
)
def test_a_forged_tree_is_refused(estimator: Any, field: str, value: int, data: Any) -> None:
    estimator.fit(*data)
    if field in ("left", "right"):
        estimator._predictors[0][0].nodes[field][0] = value
    else:
        state = estimator.tree_.__getstate__()
        state["nodes"] = state["nodes"].copy()
        state["nodes"][field][0] = value
        estimator.tree_.__setstate__(state)
    with pytest.raises(BadBundle, match="points outside of its own table"):
        load_estimator(dump_estimator(estimator))
