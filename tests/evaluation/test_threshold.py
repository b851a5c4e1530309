import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.metrics import measure
from engine.evaluation.threshold import choose_threshold


def drawn(seed: int, rows: int = 300, levels: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scores = random.beta(1, 6, rows)
    scores = np.round(scores * levels) / levels if levels else scores
    truth = (random.random(rows) < scores).astype(int)
    truth[:25], truth[25:50] = 0, 1
    return truth, scores


def figure(metric: str, truth: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    return measure(metric, truth, np.stack([1 - scores, scores], axis=1), threshold)  # type: ignore[arg-type,return-value]


@given(seed=st.integers(0, 1000), levels=st.sampled_from([0, 8]))
def test_no_other_threshold_has_a_better_figure(seed: int, levels: int) -> None:
    truth, scores = drawn(seed, levels=levels)
    for metric in ("f1", "balanced_accuracy"):
        chosen = figure(metric, truth, scores, choose_threshold(truth, scores, metric))  # type: ignore[arg-type]
        best = max(figure(metric, truth, scores, threshold) for threshold in [*scores, 1.1])
        assert chosen >= best - 1e-12


def test_rare_positives_are_answered_below_one_half() -> None:
    truth, scores = drawn(1, 3000)
    assert choose_threshold(truth, scores, "average_precision") < 0.5


def test_accuracy_keeps_one_half() -> None:
    assert choose_threshold(*drawn(1), "accuracy") == 0.5


def test_few_rows_of_a_class_keep_one_half() -> None:
    truth = np.array([1] * 19 + [0] * 500)
    assert choose_threshold(truth, np.linspace(0, 1, 519), "f1") == 0.5
    assert choose_threshold(np.empty(0, dtype=int), np.empty(0), "f1") == 0.5
