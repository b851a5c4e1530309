from __future__ import annotations

import importlib.util
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fakes.labelled_world import START, Rows, World, promise_of, rows

from engine.evaluation.metrics import measure


def scores_of(truth: Any, skill: Any, rng: np.random.Generator) -> Any:
    """Probabilities that know the truth as well as `skill` says."""
    return 1 / (1 + np.exp(-(skill * (truth - 0.5) + rng.normal(size=len(truth)) - 1.0)))


def pair(positive: Any) -> Any:
    return np.stack([1 - positive, positive], axis=1)


def frauds(days: int, per_day: int, seed: int, lost_from: float | None = None) -> Rows:
    """Frauds are noticed after about six days, honest rows are honest after two weeks; skill may be lost on a day."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(0, days, days * per_day))
    truth = (rng.random(len(at)) < 0.06).astype(int)
    skill = np.full(len(at), 4.0)
    if lost_from is not None:
        skill[at >= lost_from] = 2.0
    delay = np.where(truth == 1, np.minimum(rng.lognormal(np.log(6), 0.7, len(at)), 60), 14.0)
    label = np.where(truth == 1, "true", "false")
    return rows(at, label, delay, probability=scores_of(truth, skill, rng))


def promised_by_frauds() -> dict[str, Any]:
    rng = np.random.default_rng(99)
    truth = (rng.random(20_000) < 0.06).astype(int)
    return {"1": promise_of("average_precision", truth, pair(scores_of(truth, 4.0, rng)))}


def test_frauds_that_are_labelled_first_raise_no_alarm(tmp_path: Path) -> None:
    world = World(tmp_path, promised=promised_by_frauds())
    for day, figures, loss in world.live_through(frauds(90, 200, seed=1), 90, every=3):
        assert loss is None, day
        if day < 14:
            assert figures.mature_until is None, "only frauds have their label"
    assert len(world.settled) >= 10
    values = [window.value for window in world.settled.values()]
    assert abs(np.mean(values) / world.promised["1"]["value"] - 1) < 0.1


def test_a_model_that_loses_its_skill_raises_an_alarm_that_knows_since_when(tmp_path: Path) -> None:
    world = World(tmp_path, promised=promised_by_frauds())
    lived = frauds(90, 200, seed=2, lost_from=45)
    raised = next((day, loss) for day, _, loss in world.live_through(lived, 90, every=3) if loss is not None)
    day, loss = raised
    assert 45 + 14 <= day <= 75
    assert loss.realised < loss.promised * 0.8
    assert START + timedelta(days=35) <= loss.changed_from <= START + timedelta(days=60)


def test_three_in_ten_labelled_at_random_are_enough(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    at = np.sort(rng.uniform(0, 60, 24_000))
    truth = (rng.random(len(at)) < 0.3).astype(int)
    delay = np.where(rng.random(len(at)) < 0.3, rng.uniform(0, 4, len(at)), np.nan)
    skill = np.where(at < 40, 3.0, 1.0)
    lived = rows(at, np.where(truth == 1, "true", "false"), delay, probability=scores_of(truth, skill, rng))
    test = (rng.random(5_000) < 0.3).astype(int)
    promised = {"1": promise_of("average_precision", test, pair(scores_of(test, 3.0, rng)))}
    world = World(tmp_path, promised=promised)
    alarms = [day for day, _, loss in world.live_through(lived, 60, every=2) if loss is not None]
    assert alarms and 40 < alarms[0] <= 54


def test_regression_is_judged_by_its_loss(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    at = np.sort(rng.uniform(0, 40, 12_000))
    truth = rng.normal(100, 20, len(at))
    value = truth + rng.normal(0, np.where(at < 25, 5.0, 9.0), len(at))
    lived = rows(at, truth.astype(str), np.full(len(at), 2.0), value=value)
    test = rng.normal(100, 20, 3_000)
    promised = {"1": promise_of("rmse", test, (test + rng.normal(0, 5, 3_000))[:, None])}
    world = World(tmp_path, task="regression", signatures={"1": {"classes": []}}, promised=promised)
    looked = list(world.live_through(lived, 40, every=2))
    alarms = [(day, loss) for day, _, loss in looked if loss is not None]
    assert alarms and 27 <= alarms[0][0] <= 31
    assert alarms[0][1].realised > 6
    assert looked[-1][1].buckets[0].by_class == {}


def test_several_classes_and_one_that_only_a_newer_version_knows(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    at = np.sort(rng.uniform(0, 30, 6_000))
    truth = rng.integers(0, 3, len(at))
    sure = np.eye(3)[truth] * 3 + rng.normal(size=(len(at), 3))
    scores = np.exp(sure) / np.exp(sure).sum(axis=1, keepdims=True)
    label = np.array(["a", "b", "c"])[truth]
    delay = np.full(len(at), 1.0)
    old = rows(at, label, delay, version=1, scores=scores[:, :2].tolist())
    new = rows(at, label, delay, version=2, scores=scores.tolist())
    signatures = {"1": {"classes": ["a", "b"]}, "2": {"classes": ["a", "b", "c"]}}
    world = World(tmp_path, task="multiclass", signatures=signatures)
    world.capture(old.frame)
    world.capture(new.frame)
    world.label(pl.concat([old.frame, new.frame], how="diagonal"), START + timedelta(days=40))
    windows = world.look().windows
    found = {number: [one for one in windows if one.version == number] for number in (1, 2)}
    of_new = measure("macro_f1", truth.astype(float), scores)
    assert of_new is not None
    assert abs(np.mean([one.value for one in found[2] if one.mature]) - of_new) < 0.03
    assert all(one.value is not None and one.value < 0.7 for one in found[1] if one.mature), "it never says c"


def balanced(number: int, seed: int = 6, days: float = 10.0, version: int = 1) -> Rows:
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(0, days, number))
    truth = (rng.random(number) < 0.5).astype(int)
    label = np.where(truth == 1, "true", "false")
    return rows(at, label, np.full(number, 0.5), version=version, probability=scores_of(truth, 2.0, rng))


def test_bounds_of_a_settled_window_stay_and_a_corrected_label_changes_its_figure(tmp_path: Path) -> None:
    world = World(tmp_path)
    lived = balanced(1_600)
    world.capture(lived.frame)
    world.label(lived.frame)
    first = world.look()
    settled = [one for one in first.windows if one.mature]
    assert [one.labelled for one in settled] == [500, 500, 500]
    assert [one.labelled for one in first.windows if not one.mature] == [100], "what is left over is shown as well"

    assert [one.labelled for one in world.look().windows] == [100], "what came out the same is not told again"

    turned = lived.frame[:50].with_columns(
        pl.when(pl.col("label") == "true").then(pl.lit("false")).otherwise(pl.lit("true")).alias("label"),
        pl.col("labelled_at") + pl.duration(days=30),
    )
    world.label(turned)
    corrected = [one for one in world.look().windows if one.mature]
    assert [(one.starts_at, one.ends_at) for one in corrected] == [(settled[0].starts_at, settled[0].ends_at)]
    assert corrected[0].value is not None and settled[0].value is not None
    assert corrected[0].value < settled[0].value


def test_a_window_whose_captures_are_gone_keeps_its_figure(tmp_path: Path) -> None:
    world = World(tmp_path)
    lived = balanced(1_000)
    for at in (0, 500):
        world.capture(lived.frame[at : at + 500])
    world.label(lived.frame)
    assert sum(one.mature for one in world.look().windows) == 2
    (tmp_path / world.captures[0]).unlink()
    assert world.look().windows == []


def test_each_version_has_windows_of_its_own_and_a_row_counts_once_for_training(tmp_path: Path) -> None:
    world = World(tmp_path, signatures={str(one): {"classes": [False, True], "threshold": 0.5} for one in (1, 2)})
    lived = balanced(1_000)
    again = lived.frame.with_columns(version=pl.lit(2, dtype=pl.Int64), probability=1 - pl.col("probability"))
    world.capture(lived.frame)
    world.capture(again.with_columns(pl.col("received_at") + pl.duration(seconds=1)))
    world.label(lived.frame)
    found = world.look()
    assert (found.captured, found.labelled) == (1_000, 1_000)
    assert sum(bucket.captured for bucket in found.buckets) == 1_000
    by_version = {one: [each.value for each in found.windows if each.version == one] for one in (1, 2)}
    assert [len(values) for values in by_version.values()] == [2, 2]
    assert min(by_version[1]) > 0.7 and max(by_version[2]) < 0.5


def test_nothing_captured_or_nothing_labelled_is_no_failure(tmp_path: Path) -> None:
    empty = World(tmp_path).look()
    assert (empty.captured, empty.labelled, empty.windows, empty.buckets, empty.mature_until) == (0, 0, [], [], None)
    world = World(tmp_path)
    world.capture(balanced(600).frame)
    unlabelled = world.look()
    assert (unlabelled.captured, unlabelled.labelled, unlabelled.windows) == (600, 0, [])
    assert sum(bucket.captured for bucket in unlabelled.buckets) == 600


def test_rows_by_request_and_without_event_time_are_labelled_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    lived = balanced(600).frame.with_columns(request_id=pl.col("id"), row_index=pl.lit(0, dtype=pl.Int64))
    nameless = lived.with_columns(pl.lit(None, dtype=pl.String).alias("id"))
    world.capture(nameless.with_columns(pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("event_time")))
    world.label(nameless)
    found = world.look()
    assert (found.captured, found.labelled, len(found.windows)) == (600, 600, 2)


def simulator() -> Any:
    path = Path(__file__).parents[2] / "sample_projects" / "fraud" / "simulate.py"
    spec = importlib.util.spec_from_file_location("fraud_simulator", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("seed", [100, 101, 102])
@pytest.mark.parametrize("cause", [None, "new-fraud-pattern"])
def test_the_fraud_sample_by_day_alarms_when_the_fraud_changes_and_never_before(
    cause: str | None, seed: int, tmp_path: Path
) -> None:
    module = simulator()
    begins = date(2026, 6, 1)
    drift = module.Drift(begins, cause) if cause else None
    model, promised = fitted(module)
    live = module.simulate(date(2026, 5, 1), date(2026, 8, 15), seed=seed, drift=drift)
    lived = Rows(
        live.select(
            pl.col("transaction_id").alias("id"),
            pl.lit(1, dtype=pl.Int64).alias("version"),
            pl.col("occurred_at").alias("event_time"),
            pl.col("occurred_at").alias("received_at"),
            pl.when("is_fraud").then(pl.lit("true")).otherwise(pl.lit("false")).alias("label"),
            "labelled_at",
            pl.Series("probability", model(live)),
        )
    )
    world = World(tmp_path, promised={"1": promised})
    alarms = [(day, loss) for day, _, loss in world.live_through(lived, 100, every=2) if loss is not None]
    if cause is None:
        assert alarms == []
    else:
        day, loss = alarms[0]
        assert (begins - date(2026, 5, 1)).days < day <= 31 + 35
        assert loss.drop > 0.15


def fitted(module: Any) -> tuple[Any, dict[str, Any]]:
    """LightGBM on January to March, and what it shows in April."""
    import lightgbm

    def design(frame: pl.DataFrame) -> Any:
        numbers = [
            name
            for name, kind in frame.schema.items()
            if name != "is_fraud" and (kind.is_numeric() or kind == pl.Boolean)
        ]
        texts = ["merchant_category", "channel", "country", "weekday"]
        columns = [frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in numbers]
        for name in texts:
            codes = known[name]
            columns.append(
                frame[name].replace_strict(codes, range(len(codes)), default=np.nan, return_dtype=pl.Float64).to_numpy()
            )
        return np.column_stack(columns)

    train = module.simulate(date(2026, 1, 1), date(2026, 3, 31))
    test = module.simulate(date(2026, 4, 1), date(2026, 4, 30))
    known = {
        name: sorted(train[name].unique().to_list()) for name in ("merchant_category", "channel", "country", "weekday")
    }
    settings = {"objective": "binary", "learning_rate": 0.05, "min_data_in_leaf": 50, "verbose": -1, "num_threads": 2}
    truth = train["is_fraud"].cast(pl.Int64).to_numpy()
    booster = lightgbm.train(settings, lightgbm.Dataset(design(train), truth), 200)
    shown = booster.predict(design(test))
    promised = promise_of("average_precision", test["is_fraud"].cast(pl.Int64).to_numpy(), pair(shown))
    return lambda frame: booster.predict(design(frame)), promised
