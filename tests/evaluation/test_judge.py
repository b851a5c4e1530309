import numpy as np
import pytest

from engine.evaluation.baseline import trivial_baseline
from engine.evaluation.gate import decide
from engine.evaluation.judge import Rival, Scored, align, judge
from engine.evaluation.metrics import Floats
from engine.project import METRICS_OF_TASK, Gate


def binary(rows: int = 500, *, seed: int = 1, skill: float = 2.0) -> tuple[Floats, Floats]:
    random = np.random.default_rng(seed)
    truth = (random.random(rows) < 0.3).astype(float)
    probability = 1 / (1 + np.exp(-(skill * (truth - 0.5) + random.normal(size=rows) - 0.5)))
    return truth, np.stack([1 - probability, probability], axis=1)


@pytest.mark.parametrize("metric", METRICS_OF_TASK["binary"])
def test_a_model_with_skill_beats_the_baseline_by_every_metric(metric: str) -> None:
    truth, scores = binary(skill=5.0)
    baseline = trivial_baseline("binary", metric, truth, 2)  # type: ignore[arg-type]
    told = judge("binary", metric, ("no", "yes"), truth, Scored(scores), baseline, None, seed=1)  # type: ignore[arg-type]
    assert decide(told.figures, Gate()).outcome == "pass"
    assert told.figures.lower < told.figures.value < told.figures.upper  # type: ignore[operator]


@pytest.mark.parametrize("metric", METRICS_OF_TASK["regression"])
def test_the_baseline_itself_is_no_better_than_the_baseline(metric: str) -> None:
    truth = np.random.default_rng(1).standard_cauchy(200)
    baseline = trivial_baseline("regression", metric, truth, 0)  # type: ignore[arg-type]
    same = Scored(baseline.scores_of(200))
    told = judge("regression", metric, (), truth, same, baseline, None, seed=1)  # type: ignore[arg-type]
    assert decide(told.figures, Gate()).outcome == "fail"


def test_the_champion_is_compared_on_the_same_rows() -> None:
    truth, scores = binary()
    baseline = trivial_baseline("binary", "roc_auc", truth, 2)
    rival = Rival("fraud@3", Scored(scores))
    told = judge("binary", "roc_auc", ("no", "yes"), truth, Scored(scores), baseline, rival, seed=1)
    assert told.figures.champion is not None
    assert told.figures.champion.difference == told.figures.champion.se == 0.0
    verdict = decide(told.figures, Gate())
    assert verdict.outcome == "pass"
    assert "champion fraud@3" in verdict.reasons[0]


def test_a_champion_without_scores_is_told_of() -> None:
    truth, scores = binary()
    baseline = trivial_baseline("binary", "roc_auc", truth, 2)
    rival = Rival("fraud@3", None, "The champion fraud@3 cannot be compared: it asks for 'x'.")
    told = judge("binary", "roc_auc", ("no", "yes"), truth, Scored(scores), baseline, rival, seed=1)
    assert decide(told.figures, Gate()).outcome == "insufficient"


def test_no_test_rows_are_insufficient() -> None:
    baseline = trivial_baseline("binary", "roc_auc", np.array([0.0, 1.0]), 2)
    rival = Rival("fraud@3", Scored(np.empty((0, 2))))
    told = judge(
        "binary", "roc_auc", ("no", "yes"), np.empty(0), Scored(np.empty((0, 2))), baseline, rival, seed=1,
        test_after="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    verdict = decide(told.figures, Gate())
    assert verdict.outcome == "insufficient"
    assert "after 2026-01-01" in verdict.reasons[0]
    assert told.metrics == {}


def test_a_class_that_the_model_does_not_know_is_scored_zero() -> None:
    scores = align(np.array([[0.1, 0.9]]), ["b", "c"], ["a", "b", "c"])
    assert scores.tolist() == [[0.0, 0.1, 0.9]]


def test_the_figures_are_plain_json() -> None:
    truth, scores = binary()
    baseline = trivial_baseline("binary", "log_loss", truth, 2)
    told = judge("binary", "log_loss", (False, True), truth, Scored(scores), baseline, None, seed=1)
    assert told.figures.rows_per_class == {"False": int((truth == 0).sum()), "True": int(truth.sum())}
    assert told.figures.model_validate_json(told.figures.model_dump_json()) == told.figures
