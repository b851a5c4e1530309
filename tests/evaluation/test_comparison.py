import numpy as np
import pytest

from engine.evaluation.comparison import Interval, compare, draws_for
from engine.evaluation.gate import Comparison, GateFigures, decide
from engine.evaluation.metrics import Floats, statistic
from engine.project import Gate


def two_models(seed: int, rows: int, *, rate: float = 0.2, worse: float = 0.0) -> tuple[np.ndarray, Floats, Floats]:
    """Truth and scores of a champion and of a challenger that is as good, but for `worse` more noise."""
    random = np.random.default_rng(seed)
    truth = (random.random(rows) < rate).astype(int)
    signal = random.normal(size=rows) + 2.0 * truth

    def scores(noise: float) -> Floats:
        probability = 1 / (1 + np.exp(-(signal + noise * random.normal(size=rows) - 2.0)))
        return np.stack([1 - probability, probability], axis=1)

    return truth, scores(0.1), scores(0.1 + worse)


def judged(seed: int, rows: int, *, worse: float = 0.0) -> str:
    truth, champion, challenger = two_models(seed, rows, worse=worse)
    prepared = {"fraud@3": statistic("roc_auc", truth, champion)}
    told = compare(statistic("roc_auc", truth, challenger), prepared, rows=rows, less_is_better=False, seed=seed)
    difference = told.differences["fraud@3"]
    figures = GateFigures(
        metric="roc_auc",
        value=told.metric.value,
        test_rows=rows,
        rows_per_class={"no": rows - int(truth.sum()), "yes": int(truth.sum())},
        champion=Comparison(
            against="fraud@3",
            value=told.others["fraud@3"],
            difference=difference.value,
            se=difference.se,
            lower=difference.lower,
            upper=difference.upper,
        ),
    )
    return decide(figures, Gate()).outcome


@pytest.mark.slow
def test_an_equally_good_model_passes_most_of_the_time() -> None:
    outcomes = [judged(seed, 600) for seed in range(150)]
    assert outcomes.count("pass") >= 0.80 * len(outcomes)


def test_a_clearly_worse_model_hardly_ever_passes() -> None:
    outcomes = [judged(seed, 600, worse=0.7) for seed in range(150)]
    assert outcomes.count("pass") <= 0.05 * len(outcomes)
    assert outcomes.count("fail") >= 0.5 * len(outcomes)


@pytest.mark.slow
def test_the_standard_error_is_the_spread_over_fresh_rows() -> None:
    fresh, told = [], []
    for seed in range(200):
        truth, champion, challenger = two_models(seed, 500)
        each = [statistic("average_precision", truth, scores) for scores in (challenger, champion)]
        found = compare(each[0], {"c": each[1]}, rows=500, less_is_better=False, seed=seed).differences["c"]
        fresh.append(found.value)
        told.append(found.se)
    assert np.mean(told) == pytest.approx(np.std(fresh), rel=0.2)


def test_the_same_model_differs_by_nothing() -> None:
    truth, champion, _ = two_models(1, 300)
    prepared = statistic("average_precision", truth, champion)
    told = compare(prepared, {"c": prepared}, rows=300, less_is_better=False, seed=3)
    assert told.differences["c"] == Interval(0.0, 0.0, 0.0, 0.0)


def test_the_same_seed_gives_the_same_figures() -> None:
    truth, champion, challenger = two_models(1, 300)
    each = [statistic("brier", truth, scores) for scores in (challenger, champion)]
    once = compare(each[0], {"c": each[1]}, rows=300, less_is_better=True, seed=3)
    assert once == compare(each[0], {"c": each[1]}, rows=300, less_is_better=True, seed=3)


def test_a_difference_is_above_zero_when_the_model_is_better_also_where_less_is_better() -> None:
    truth = np.linspace(0.0, 1.0, 200)
    good, bad = (statistic("rmse", truth, (truth + error)[:, None]) for error in (0.1, 0.5))
    told = compare(good, {"c": bad}, rows=200, less_is_better=True, seed=1).differences["c"]
    assert told.value == pytest.approx(0.4)
    assert told.lower > 0


def test_an_interval_is_around_its_figure() -> None:
    truth, champion, _ = two_models(5, 400)
    told = compare(statistic("average_precision", truth, champion), {}, rows=400, less_is_better=False, seed=1).metric
    assert told.lower < told.value < told.upper


def test_many_rows_are_drawn_less_often_and_never_less_than_the_least() -> None:
    assert draws_for(100) == 2000
    assert draws_for(100_000) == 400
    assert draws_for(10_000_000) == 200


def test_a_figure_that_few_draws_define_has_no_interval() -> None:
    truth = np.zeros(3, dtype=int)
    told = compare(statistic("roc_auc", truth, np.full((3, 2), 0.5)), {}, rows=3, less_is_better=False, seed=1)
    assert np.isnan(told.metric.lower)
