import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from engine.evaluation.metrics import Floats, measure, measure_all, statistic
from engine.project import METRICS_OF_TASK


def drawn(seed: int, rows: int, classes: int, *, levels: int = 0) -> tuple[np.ndarray, Floats, Floats]:
    """Truth, scores and weights; `levels` rounds scores so that they tie."""
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.ones(classes), size=rows)
    if levels:
        scores = np.round(scores * levels) / levels
        scores[:, 0] = np.maximum(0.0, 1.0 - scores[:, 1:].sum(axis=1))
    truth = np.array([random.choice(classes, p=row / row.sum()) for row in scores])
    truth[:classes] = np.arange(classes)
    return truth, scores, random.poisson(1.0, size=(3, rows)).astype(float)


@given(seed=st.integers(0, 10_000), rows=st.integers(10, 60), levels=st.sampled_from([0, 3, 10]))
def test_binary_metrics_agree_with_scikit_learn(seed: int, rows: int, levels: int) -> None:
    truth, scores, weights = drawn(seed, rows, 2, levels=levels)
    weights[:, :2] += 1  # a row of each class, or scikit-learn answers with a warning
    predicted = (scores[:, 1] >= 0.4).astype(int)
    for row in weights:
        peers = {
            "average_precision": sk.average_precision_score(truth, scores[:, 1], sample_weight=row),
            "roc_auc": sk.roc_auc_score(truth, scores[:, 1], sample_weight=row),
            "brier": sk.brier_score_loss(truth, scores[:, 1], sample_weight=row),
            "accuracy": sk.accuracy_score(truth, predicted, sample_weight=row),
            "f1": sk.f1_score(truth, predicted, sample_weight=row, zero_division=0),
            "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted, sample_weight=row),
        }
        for metric, peer in peers.items():
            ours = statistic(metric, truth, scores, 0.4)(row[None, :])[0]  # type: ignore[arg-type]
            assert ours == pytest.approx(peer, abs=1e-9), metric


@given(seed=st.integers(0, 10_000), rows=st.integers(10, 60))
def test_multiclass_metrics_agree_with_scikit_learn(seed: int, rows: int) -> None:
    truth, scores, weights = drawn(seed, rows, 4)
    weights[:, :4] += 1
    predicted = scores.argmax(axis=1)
    for row in weights:
        peers = {
            "macro_f1": sk.f1_score(truth, predicted, average="macro", sample_weight=row, zero_division=0),
            "log_loss": sk.log_loss(truth, scores, sample_weight=row),
            "accuracy": sk.accuracy_score(truth, predicted, sample_weight=row),
            "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted, sample_weight=row),
        }
        for metric, peer in peers.items():
            ours = statistic(metric, truth, scores)(row[None, :])[0]  # type: ignore[arg-type]
            assert ours == pytest.approx(peer, rel=1e-6, abs=1e-9), metric


@given(seed=st.integers(0, 10_000), rows=st.integers(5, 60), far=st.sampled_from([0.0, 1e6]))
def test_regression_metrics_agree_with_scikit_learn(seed: int, rows: int, far: float) -> None:
    random = np.random.default_rng(seed)
    truth = far + random.standard_cauchy(rows)
    values = truth + random.normal(size=rows)
    weights = random.poisson(1.0, size=(2, rows)).astype(float)
    weights[:, :3] += 1
    for row in weights:
        peers = {
            "rmse": sk.root_mean_squared_error(truth, values, sample_weight=row),
            "mae": sk.mean_absolute_error(truth, values, sample_weight=row),
            "r2": sk.r2_score(truth, values, sample_weight=row),
        }
        for metric, peer in peers.items():
            ours = statistic(metric, truth, values[:, None])(row[None, :])[0]  # type: ignore[arg-type]
            assert ours == pytest.approx(peer, rel=1e-6, abs=1e-7), metric


def test_log_loss_of_a_certain_and_wrong_answer_is_finite() -> None:
    value = measure("log_loss", np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert value == pytest.approx(-np.log(1e-15) / 2)


def test_a_class_without_rows_leaves_ranking_metrics_undefined_and_the_others_not() -> None:
    truth, scores = np.zeros(5, dtype=int), np.tile([0.8, 0.2], (5, 1))
    told = measure_all("binary", truth, scores)
    assert set(METRICS_OF_TASK["binary"]) - set(told) == {"average_precision", "roc_auc"}
    assert told["f1"] == 0.0
    assert told["balanced_accuracy"] == 1.0


def test_a_constant_truth_leaves_r2_undefined() -> None:
    assert measure("r2", np.full(4, 3.0), np.arange(4.0)[:, None]) is None


def test_no_rows_define_nothing() -> None:
    assert measure_all("binary", np.empty(0, dtype=int), np.empty((0, 2))) == {}
    assert measure_all("regression", np.empty(0), np.empty((0, 1))) == {}
